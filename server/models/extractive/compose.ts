import type { Evidence } from '../../agents/evidence.ts'
import type { Agent } from '../../agents/agent.ts'
import { callsOf } from './edges.ts'
import { toReading } from './reading.ts'
import type { Definition, Reading } from './reading.ts'
import { chooseSubject, isNamed, rankDefinitions } from './subject.ts'
import type { Draft } from './wording.ts'
import { writeMeaning, writePlace } from './write-definition.ts'
import { writeHowTo, writeLines, writeOverview, writeReason, writeSection } from './write-documents.ts'
import { writeFlow } from './write-flow.ts'
import { edgesBetweenFolders, writeModules } from './write-modules.ts'
import { writeTestList, writeTests, writeUsage } from './write-usage.ts'
import { cite } from './wording.ts'
import { span } from './prose.ts'

/** What fits into one message without a reader scrolling. */
export const budget = { characters: 2_200, lines: 45, bullets: 5, snippets: 3 }

/** The answer to a question from evidence alone: Markdown blocks, to be joined by an empty line; none without passages. */
export function compose(evidence: Evidence, lens: Agent['lens']): string[] {
  if (evidence.passages.length === 0) return []
  const reading = toReading(evidence, lens)
  return fit(toDraft(reading), reading)
}

function toDraft(reading: Reading): Draft {
  const { shape, lens } = reading
  if (shape === 'overview') return writeOverview(reading) ?? toSubjectDraft(reading)
  if (shape === 'why') return writeReason(reading) ?? withoutReason(reading)
  if (shape === 'modules') return writeModules(reading) ?? toSubjectDraft(reading)
  const draft = toSubjectDraft(reading)
  return lens.first === 'modules' && !draft.ordered ? { ...draft, list: [...moduleBullets(reading), ...draft.list] } : draft
}

/** How much better than a section a definition may be worse and still be the subject. */
const leans = { where: 1.2, what: 0.3, usage: 2, tests: 1.5, flow: 0.5, howto: -1.2, why: 0, modules: 0, overview: -1 } as const

function toSubjectDraft(reading: Reading): Draft {
  const { shape, lens } = reading
  const documents = lens.first === 'documents'
  const lean = leans[shape] - (documents ? 1.8 : lens.first === 'modules' ? 0.8 : 0) - (reading.query.names.length > 0 ? 0 : shape === 'howto' ? 0.5 : shape === 'what' ? 0.4 : 0)
  const subject = chooseSubject(reading, lean)
  const section = subject?.kind === 'section' ? subject : undefined
  if (shape === 'howto' && (section || subject?.firm !== true)) {
    const draft = writeHowTo(reading, section)
    if (draft) return draft
  }
  if (!subject) return writeLines(reading)
  if (section) return writeSection(reading, section, { block: !documents && shape !== 'flow' })
  const { definition, firm } = subject as Extract<typeof subject, { kind: 'definition' }>
  switch (shape) {
    case 'usage':
      return writeUsage(reading, definition)
    case 'tests':
      return (firm && definition.role !== 'test' ? undefined : writeTestList(reading)) ?? writeTests(reading, definition)
    case 'flow':
      return writeFlow(reading, ...connected(reading, definition, firm))
    case 'where':
    case 'howto':
      return writePlace(reading, definition, firm)
    default:
      return writeMeaning(reading, definition, firm)
  }
}

/** For a flow: among the definitions that match about as well, the one that calls most of what else was found. */
function connected(reading: Reading, definition: Definition, firm: boolean): [Definition, boolean] {
  if (isNamed(reading, definition)) return [definition, firm]
  const [best] = rankDefinitions(reading)
    .slice(0, 6)
    .filter((each) => each.definition.role !== 'test')
    .map((each) => ({ ...each, score: each.score + 0.15 * Math.min(3, callsOf(reading, each.definition).length) }))
    .sort((a, b) => b.score - a.score)
  return best ? [best.definition, best.firm] : [definition, firm]
}

function withoutReason(reading: Reading): Draft {
  const draft = toSubjectDraft(reading)
  const best = rankDefinitions(reading)[0]?.definition.passage ?? reading.passages[0]!
  return { ...draft, lead: [`No comment or document that I was given says why ${cite(best)}.`, ...draft.lead] }
}

function moduleBullets(reading: Reading): string[] {
  const subject = rankDefinitions(reading)[0]?.definition.path ?? reading.passages[0]!.path
  const near = edgesBetweenFolders(reading, subject)
  return near.slice(0, 2).map(({ from, to, example }) => `${span(from)} depends on ${span(to)}: ${span(example.path)} (line ${example.line}) imports ${span(example.target)} ${cite(example.passage)}`)
}

/** Takes what fits, in order: a bullet or snippet that is too long for the rest is left out whole. */
function fit(draft: Draft, { lens, wantsCode, shape }: Reading): string[] {
  const most = wantsCode ? Math.max(1, lens.snippets) : shape === 'howto' && lens.snippets === 0 ? 1 : lens.snippets
  const blocks = [draft.lead.join(' ')]
  const room = (text: string) => {
    const whole = [...blocks, text].join('\n\n')
    return whole.length <= budget.characters && whole.split('\n').length <= budget.lines
  }
  const list: string[] = []
  const ordered = draft.ordered ?? false
  for (const entry of draft.list.slice(0, draft.bullets ?? (ordered ? 6 : budget.bullets))) {
    const line = `${ordered ? `${list.length + 1}.` : '-'} ${entry}`
    if (room([...list, line].join('\n'))) list.push(line)
  }
  if (list.length > 0) blocks.push(list.join('\n'))
  for (const snippet of draft.snippets.filter((each) => each !== '').slice(0, Math.min(most, budget.snippets))) if (room(snippet)) blocks.push(snippet)
  return blocks
}
