import { choose } from './choose.ts'
import type { AgentName } from './index.ts'

/** One agent's part of a question. */
export type View = { agent: AgentName; question: string }

/** A clause below this share of its agent does not ask for a view of its own. */
const leastConfidence = 0.55
const mostViews = 3

/**
 * The views that a question needs: one for each agent whose part it holds, in the order of the question, such as what something
 * would take for the Architect and when it could ship for the PM; none where one agent has it all. Needs no model.
 */
export function planViews(question: string): View[] {
  const clauses = toClauses(question)
  if (clauses.length < 2) return []
  const subject = subjectOf(clauses[0]!)
  const views: View[] = []
  for (const [at, clause] of clauses.entries()) {
    const whole = at > 0 && subject !== null && pointsBack.test(clause) ? `${withoutEnd(clause)} (${subject})?` : `${withoutEnd(clause)}?`
    const { agent, confidence } = choose(clause)
    const same = views.find((view) => view.agent === agent)
    if (same) same.question += ` ${whole}`
    // What nobody clearly claims is told by whoever told the clause before it.
    else if (confidence >= leastConfidence && views.length < mostViews) views.push({ agent, question: whole })
    else if (views.length > 0) views.at(-1)!.question += ` ${whole}`
    else return []
  }
  return views.length > 1 ? views : []
}

const interrogative = '(?:what|when|who|whom|whose|where|which|why|how|is|are|was|were|can|could|does|do|did|will|would|should|has|have)'
const boundary = new RegExp(String.raw`[?;]\s+(?=\S)|[,–—]?\s+(?:and|but|then|or)\s+(?:also\s+|then\s+)?(?=${interrogative}\b)|,\s+(?=${interrogative}\b)`, 'gi')
const pointsBack = /\b(?:it|its|that|this|they|them|their|these|those)\b/i

/** Each clause asks something by itself: it opens with a question word and says what it is about. */
function toClauses(question: string): string[] {
  const clauses = question.split(boundary).map((clause) => clause.trim().replace(/^(?:and|but|also|then|or)\s+/i, '')).filter(Boolean)
  const opens = new RegExp(String.raw`^\W*${interrogative}\b`, 'i')
  return clauses.length > 1 && clauses.every((clause) => opens.test(clause) && clause.split(/\s+/).length >= 3) ? clauses : []
}

const opening = new RegExp(String.raw`^\W*${interrogative}(?:\s+(?:is|are|was|were|would|could|should|can|do|does|did|will|it|we|you|i|they|take|need|needed|have|has|had|to|the|a|an|our))*\s+`, 'i')

/** What a clause is about: the words after its question words. */
function subjectOf(clause: string): string | null {
  const rest = withoutEnd(clause).replace(opening, '').trim()
  return rest !== '' && rest.length <= 120 && !pointsBack.test(rest) ? rest : null
}

function withoutEnd(clause: string): string {
  return clause.replace(/[\s?.!,;]+$/, '')
}
