import { callsOf, usesOf } from './edges.ts'
import type { Call } from './edges.ts'
import { neighboursOf } from './neighbours.ts'
import { span } from './prose.ts'
import type { Definition, Reading } from './reading.ts'
import { rankDefinitions } from './subject.ts'
import { cite, kindOf, nameOf, saysOf, tellOf, useAt } from './wording.ts'
import type { Draft } from './wording.ts'
import { snippetOf } from './write-definition.ts'

/** One step of a chain: how the one before reaches it. */
type Step = { definition: Definition; by?: Call }

/** Most steps that an answer walks. */
const deepest = 6

/** «How does … flow», «what happens when …»: the calls from one definition to the next, each step with the line that makes it. */
export function writeFlow(reading: Reading, definition: Definition, firm: boolean): Draft {
  const chain = bestChain(reading, definition)
  const lead = `${firm ? 'It goes through' : 'The closest match is'} the ${kindOf(definition)} ${tellOf(reading, definition, 2)}.`
  const callers = usesOf(reading, definition).filter((use) => use.role !== 'test' && use.kind !== 'import')
  if (chain.length < 3) {
    const calls = callsOf(reading, definition).slice(0, 6)
    if (calls.length < 2) return { lead: [lead], list: neighboursOf(reading, definition), snippets: [snippetOf(reading, definition)] }
    const intro = `In the order of its lines it calls ${cite(...calls.map(({ passage }) => passage))}:`
    return { lead: [lead, intro], ordered: true, list: calls.map((call) => stepOf(reading, { definition: call.target, by: call })), snippets: [snippetOf(reading, definition)] }
  }
  const names = chain.map((step) => nameOf(step.definition)).join(' → ')
  const list = chain.map((step) => stepOf(reading, step))
  if (callers[0]) list[0] = `${list[0]}; reached from ${useAt(callers[0])}`
  return { lead: [lead, `The calls lead ${names} ${cite(...chain.flatMap((step) => (step.by ? [step.by.passage] : [])))}:`], ordered: true, list, snippets: [snippetOf(reading, definition)] }
}

function stepOf(reading: Reading, { definition, by }: Step): string {
  const says = saysOf(reading, definition)
  const told = `${nameOf(definition)} in ${span(definition.path)} (line ${definition.startLine})${says ? `: ${says}` : ''} ${cite(definition.passage)}`
  return by ? `${told}, called on line ${by.line} ${cite(by.passage)}` : told
}

/** The chain of calls through a definition whose steps together say most about the question; each definition once. */
function bestChain(reading: Reading, start: Definition): Step[] {
  const scores = new Map(rankDefinitions(reading).map(({ definition, score }) => [definition, score]))
  const worth = (definition: Definition) => Math.max(0.1, (scores.get(definition) ?? 0) + (definition.doc ? 0.3 : 0))
  const seen = new Set<Definition>([start])
  let best: { steps: Step[]; worth: number } = { steps: [{ definition: start }], worth: 0 }
  const walk = (steps: Step[], total: number) => {
    if (total > best.worth) best = { steps: [...steps], worth: total }
    if (steps.length >= deepest) return
    for (const call of callsOf(reading, steps.at(-1)!.definition).slice(0, 8)) {
      if (seen.has(call.target)) continue
      seen.add(call.target)
      walk([...steps, { definition: call.target, by: call }], total + worth(call.target))
      seen.delete(call.target)
    }
  }
  walk([{ definition: start }], 0)
  return best.steps
}
