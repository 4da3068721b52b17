import type { LangGraphRunnableConfig } from '@langchain/langgraph'
import type { Passage } from '../retrieval/passage.ts'
import { withoutWish } from './choose.ts'
import { openRun } from './graph-state.ts'
import type { FoundView, GraphParts, GraphState, Retrieved, SearchedRepository } from './graph-state.ts'
import type { View } from './plan-views.ts'

/** Looks for what each view needs, all at once: what was counted where its question is about the work itself, else passages. */
export async function retrieveViews({ input, views, choice }: GraphState, config: LangGraphRunnableConfig) {
  const started = performance.now()
  const { parts, emit } = openRun(config)
  const repositories = await parts.repositories()
  const told = () => ({ retrieve: performance.now() - started })
  if (repositories.length === 0) return { repositories, found: [toFound(views[0]!)], timings: told() }
  emit({ kind: 'status', text: `Searching ${named(repositories)}` })
  const counted = await countFirst(parts, views, { question: withoutWish(input.question), before: input.turns.at(-1)?.question ?? null }, choice.isWish === true)
  const lacking = counted.filter((view) => !hasNumbers(view) && view.unclear === null)
  const found = await Promise.all(counted.map(async (view) => (lacking.includes(view) ? { ...view, retrieved: await parts.retrieve(view.question, view.agent) } : view)))
  const apart = numberApart(found)
  const files = new Set(apart.flatMap(({ retrieved }) => retrieved?.evidence.passages ?? []).map(({ repositoryId, path }) => `${repositoryId} ${path}`)).size
  if (files > 0) emit({ kind: 'status', text: `Reading ${files} ${files === 1 ? 'file' : 'files'}` })
  return { repositories, found: apart, timings: told() }
}

/** Whether anything could be counted: a repository whose activity nobody follows has sentences that say so, and no figure. */
export function hasNumbers({ activity }: Pick<FoundView, 'activity'>): boolean {
  return activity?.sections.some(({ report }) => report.figures.length > 0) ?? false
}

/** What activity says to each view. Where all of it is about activity, it is one answer of the PM's, or of who was asked for. */
async function countFirst(parts: GraphParts, views: View[], { question, before }: { question: string; before: string | null }, isWish: boolean): Promise<FoundView[]> {
  const count = async (text: string) => (await parts.activity?.(text, before)) ?? null
  const whole = await count(question)
  if (whole !== null && 'unclear' in whole) return [{ ...toFound({ agent: isWish ? views[0]!.agent : 'pm', question }), unclear: whole.unclear }]
  if (views.length === 1) return [{ ...toFound(whole && !isWish ? { agent: 'pm', question } : views[0]!), activity: whole }]
  const each = await Promise.all(views.map(async (view): Promise<FoundView> => {
    const own = await count(view.question)
    return { ...toFound(own ? { ...view, agent: 'pm' } : view), ...(own && 'unclear' in own ? { unclear: own.unclear } : { activity: own }) }
  }))
  return whole && each.every(({ activity }) => activity !== null) ? [{ ...toFound({ agent: 'pm', question }), activity: whole }] : each
}

function toFound(view: View): FoundView {
  return { ...view, retrieved: null, activity: null, unclear: null }
}

/** Passages of all views under numbers of their own; one that several views found keeps its first. */
function numberApart(found: FoundView[]): FoundView[] {
  const numbers = new Map<string, number>()
  return found.map((view) => {
    if (view.retrieved === null) return view
    const { evidence } = view.retrieved
    const passages = evidence.passages.map((passage): Passage => {
      if (!numbers.has(passage.chunkId)) numbers.set(passage.chunkId, numbers.size + 1)
      return { ...passage, n: numbers.get(passage.chunkId)! }
    })
    return { ...view, retrieved: { ...view.retrieved, evidence: { ...evidence, passages } } }
  })
}

/** What was retrieved for any view, as one. */
export function mergeRetrieved(found: FoundView[]): Retrieved | null {
  const all = found.flatMap(({ retrieved }) => retrieved ?? [])
  const [first] = all
  if (!first || all.length === 1) return first ?? null
  const passages = [...new Map(all.flatMap(({ evidence }) => evidence.passages).map((passage) => [passage.n, passage])).values()].sort((a, b) => a.n - b.n)
  const evidence = { ...first.evidence, passages, symbols: all.flatMap(({ evidence: { symbols } }) => symbols), relations: all.flatMap(({ evidence: { relations } }) => relations) }
  const timings = all.reduce<Record<string, number>>((most, each) => Object.fromEntries(Object.entries({ ...most, ...each.timings }).map(([leg, ms]) => [leg, Math.max(ms, most[leg] ?? 0)])), {})
  return { evidence, strength: Math.max(...all.map(({ strength }) => strength)), trace: first.trace, timings }
}

function named(repositories: SearchedRepository[]): string {
  const names = repositories.map(({ name }) => name)
  return names.length <= 2 ? names.join(' and ') : `${names[0]} and ${names.length - 1} more`
}
