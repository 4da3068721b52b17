import type { LangGraphRunnableConfig } from '@langchain/langgraph'
import { NuraError } from '#db/nura-error.ts'
import { streamChain } from '../models/chain.ts'
import type { ModelCall } from '../models/chain.ts'
import type { ChatModel } from '../models/chat-model.ts'
import { findContradictions } from './contradictions.ts'
import type { Evidence } from './evidence.ts'
import { openRun } from './graph-state.ts'
import type { FoundView, GraphState, Written } from './graph-state.ts'
import { findAgent } from './index.ts'
import { createOutlet } from './outlet.ts'
import type { Outlet } from './outlet.ts'
import { toChatRequest } from './prompt.ts'
import { hasNumbers } from './retrieve-views.ts'
import { toStep } from './steps.ts'
import { tellActivity } from './tell-activity.ts'
import { tellContradictions } from './tell-contradictions.ts'
import { tellNotFound } from './tell-not-found.ts'

/** What an answer of 2,200 characters takes, with room for a model that spells more than it is asked to. */
const maxOutputTokens = 1_200
/** After this long no further view is begun: people wait for the whole. */
const lastStartMs = 25_000

/** Writes the next view of the answer. What is shown is never taken back, so a later view that fails says so and leaves the others. */
export async function writeView(state: GraphState, config: LangGraphRunnableConfig) {
  const started = performance.now()
  const { emit, signal } = openRun(config)
  const { found, numbering } = state
  const at = state.written.length
  const view = found[at]!
  const isPlan = found.length > 1
  const step = (name: 'running' | 'done' | 'failed') => isPlan && emit({ kind: 'step', step: toStep(view, at, name) })
  const calls: ModelCall[] = []
  const say = (text: string): Written => {
    const outlet = createOutlet({ passages: [] }, emit, { isOurs: true, numbering })
    outlet.push(text)
    return { ...outlet.end(), abstained: true }
  }
  const end = (written: Written) => ({ written: [written], calls, timings: { answer: performance.now() - started } })

  if (isPlan) say(`${at > 0 ? '\n\n' : ''}**${findAgent(view.agent).title}** — ${view.question}\n\n`)
  if (at > 0 && performance.now() - state.started > lastStartMs) {
    step('failed')
    return end(say('I ran out of time for this part. Ask it by itself.'))
  }
  step('running')
  try {
    const written = await tell(view, state, config, calls)
    step('done')
    return end(written)
  } catch (error) {
    if (at === 0 || signal.aborted || !(error instanceof NuraError)) throw error
    step('failed')
    return end(say(`This part could not be answered: ${error.message}`))
  }
}

async function tell(view: FoundView, state: GraphState, config: LangGraphRunnableConfig, calls: ModelCall[]): Promise<Written> {
  const { parts, emit } = openRun(config)
  const { numbering, repositories } = state
  if (hasNumbers(view) || view.unclear !== null) return tellCounted(view, state, config)
  const evidence = view.retrieved?.evidence ?? { question: view.question, passages: [], symbols: [], relations: [] }
  const abstained = view.retrieved === null || evidence.passages.length === 0 || view.retrieved.strength < parts.leastStrength
  if (!abstained) {
    const written = await writeFromSources(view, evidence, state, config, calls)
    if (written.length > 0 || state.found.length === 1) return written
  }
  // What nobody follows cannot be counted; that is the answer where no document has it either.
  const uncounted = (view.activity?.sections ?? []).flatMap(({ sentences }) => sentences.map(({ text }) => text)).join(' ')
  const outlet = createOutlet(evidence, emit, { isOurs: true, numbering })
  outlet.push(uncounted || (await tellNotFound(parts, evidence, repositories)))
  return { ...outlet.end(), abstained: true }
}

/** Numbers come from rows, so no model is asked: the text cites the lists that they can be checked in. */
function tellCounted(view: FoundView, { numbering, found }: GraphState, config: LangGraphRunnableConfig): Written {
  const { emit } = openRun(config)
  const first = Math.max(0, ...numbering.numbers.keys(), ...found.flatMap(({ retrieved }) => retrieved?.evidence.passages.map(({ n }) => n) ?? [])) + 1
  const { passages, sections } = tellActivity(view.activity?.sections ?? [], findAgent(view.agent).lens, first)
  const byNumber = new Map(passages.map((passage) => [passage.n, passage]))
  const outlet = createOutlet({ passages }, emit, { isOurs: true, numbering })
  outlet.push(view.unclear ?? '')
  for (const [at, { markdown, report }] of sections.entries()) {
    outlet.push(`${at > 0 ? '\n\n' : ''}${markdown}\n`)
    emit({ kind: 'report', report: { ...report, figures: report.figures.map((figure) => ({ ...figure, n: figure.n === null ? null : outlet.cite(byNumber.get(figure.n)!) })) } })
  }
  return { ...outlet.end(), abstained: view.unclear !== null }
}

/** Streams the model through the checks, whole sentences at a time, so that nothing is shown that has to be taken back. */
async function writeFromSources(view: FoundView, evidence: Evidence, { input, numbering, found }: GraphState, config: LangGraphRunnableConfig, calls: ModelCall[]): Promise<Written> {
  const { parts, emit, tracer, signal } = openRun(config)
  const contradictions = findContradictions(evidence.passages)
  const disagreement = createOutlet(evidence, emit, { isOurs: true, numbering })
  if (contradictions.length > 0) disagreement.push(`${await tellContradictions(contradictions, parts)}\n\n`)
  const before = disagreement.end()
  const open = (): Outlet => createOutlet(evidence, emit, { isOurs: false, numbering })
  let outlet = open()
  let written = ''
  const agent = findAgent(view.agent)
  const { turns, context } = input
  const most = Math.ceil(maxOutputTokens / found.length)
  const onCall = (call: ModelCall) => {
    calls.push(call)
    parts.onCall?.(view.agent, call)
    tracer.record(config, call, written)
  }
  const toRequest = ({ limits }: ChatModel) => toChatRequest({ agent, evidence, turns, context, maxOutputTokens: Math.min(most, limits.outputTokens), maxInputTokens: limits.inputTokens })
  for await (const event of streamChain(parts.models[view.agent], toRequest, { signal, onCall, hasShown: () => outlet.hasShown() })) {
    if (event.kind === 'text') {
      written += event.text
      outlet.push(event.text)
    }
    if (event.kind === 'restart') {
      written = ''
      outlet = open()
    }
  }
  const { length, cited, check } = outlet.end()
  return { length: before.length + length, cited: before.cited + cited, check, abstained: length > 0 && before.cited + cited === 0 }
}
