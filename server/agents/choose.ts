import { tokens } from '../tokens.ts'
import { agents, findAgent } from './index.ts'
import type { AgentName } from './index.ts'

/** Which agent answers and why; `reason` goes into the trace, `confidence` is the share of the winner, 0 to 1. */
export type Choice = { agent: AgentName; reason: string; confidence: number; /** Somebody named the agent. */ isWish?: boolean; /** Nothing in the question spoke clearly for anyone. */ isUnclear?: boolean }

/** What an agent is told by. */
export type Lesson = Pick<(typeof agents)[number], 'name' | 'examples' | 'cues'>

/** Below this share of the winner `choose` abstains to the first agent. */
const leastConfidence = 0.45
/** Where somebody else is preferred, only a question that is this clear goes elsewhere. */
const clearConfidence = 0.8
/** Added to every count, so that a word seen with one agent only does not decide alone. */
const smoothing = 0.35
/** A cue counts as much as this many examples that hold it. */
const cueWeight = 1.2

/**
 * Chooses the agent without a model: a wish wins (`wish` is the `agent` field; «as an architect, …» in the text), then
 * naive Bayes over the agents' examples and cues, then, in doubt, the first agent.
 * @param prefer who answers where the question does not speak clearly for another, such as the PM where managers ask
 * @param model what was learned; of the agents themselves unless given
 * @throws NuraError `unknown-agent`
 */
export function choose(question: string, wish?: string, prefer?: string, model: Learned = ownModel()): Choice {
  if (wish) return { agent: findAgent(wish).name, reason: 'asked for', confidence: 1, isWish: true }
  const asked = wishIn(question)
  if (asked) return { agent: asked.agent, reason: `the question says "${asked.words}"`, confidence: 1, isWish: true }
  const { seen, winner, confidence } = weigh(question, model)
  const isUnclear = seen.length === 0 || confidence < leastConfidence
  if (prefer && winner !== prefer && (isUnclear || confidence < clearConfidence)) {
    return { agent: findAgent(prefer).name, reason: 'it is who answers here, and nothing speaks clearly for another', confidence, ...(isUnclear && { isUnclear }) }
  }
  if (isUnclear) return { agent: agents[0].name, reason: 'nothing in the question speaks clearly for an agent', confidence, isUnclear }
  return { agent: winner, reason: `words like ${telling(winner, seen, model)}`, confidence }
}

/** Who is likeliest, however little speaks for it, and the known features that say so. */
export function weigh(question: string, model: Learned): { seen: string[]; winner: AgentName; confidence: number } {
  const seen = [...new Set(features(question))].filter((feature) => model.known.has(feature))
  const scores = agents.map((agent) => ({ agent: agent.name, score: sum(seen.map((feature) => weight(feature) * likelihood(agent.name, feature, model))) }))
  const best = Math.max(...scores.map(({ score }) => score))
  const shares = scores.map(({ agent, score }) => ({ agent, share: Math.exp(score - best) }))
  const winner = shares.reduce((a, b) => (b.share > a.share ? b : a))
  return { seen, winner: winner.agent, confidence: winner.share / sum(shares.map(({ share }) => share)) }
}

/** What `choose` looks at: stems and their pairs, how the question opens, and whether it names code. */
function features(text: string): string[] {
  const stems = tokens(text)
  const opening = text.toLowerCase().match(/[a-z]+/g)?.slice(0, 3) ?? []
  const found = [...stems, ...stems.slice(1).map((stem, at) => `${stems[at]} ${stem}`)]
  if (opening[0]) found.push(`^${opening[0]}`)
  if (opening.length > 1) found.push(`^${opening.slice(0, 2).join(' ')}`)
  if (opening.length > 2) found.push(`^${opening.join(' ')}`)
  if (/\p{Ll}\p{Lu}|\w_\w|\w\(|`|\b\w+\.\w+\(|[\w-]\.(?:ts|js|py|go|rs|java|rb|c|h|tsx|jsx)\b|\p{Lu}{3,}_/u.test(text)) found.push('#code')
  return found
}

/** Counts of features by agent. */
export type Learned = { known: Set<string>; counts: Map<AgentName, Map<string, number>>; totals: Map<AgentName, number> }

let own: Learned | undefined

/** How a question opens says less than what it is about. */
function weight(feature: string): number {
  return feature.startsWith('^') ? 0.4 : 1
}

/** Learned once, on the first question. */
function ownModel(): Learned {
  own ??= learn(agents)
  return own
}

export function learn(lessons: readonly Lesson[]): Learned {
  const known = new Set<string>()
  const counts = new Map<AgentName, Map<string, number>>()
  const totals = new Map<AgentName, number>()
  for (const { name, examples, cues } of lessons) {
    const count = new Map<string, number>()
    const add = (feature: string, by: number) => count.set(feature, (count.get(feature) ?? 0) + by)
    for (const example of examples) for (const feature of new Set(features(example))) add(feature, 1)
    for (const cue of cues) add(tokens(cue).join(' '), cueWeight)
    for (const feature of count.keys()) known.add(feature)
    counts.set(name, count)
    totals.set(name, examples.length)
  }
  return { known, counts, totals }
}

/** Log of how often the agent's examples hold the feature. */
function likelihood(agent: AgentName, feature: string, { counts, totals }: Learned): number {
  return Math.log(((counts.get(agent)?.get(feature) ?? 0) + smoothing) / ((totals.get(agent) ?? 0) + 2 * smoothing))
}

/** The features that spoke most for the winner, for the trace. */
function telling(agent: AgentName, seen: string[], model: Learned): string {
  const others = agents.filter((other) => other.name !== agent)
  const lead = (feature: string) => likelihood(agent, feature, model) - Math.max(...others.map((other) => likelihood(other.name, feature, model)))
  const named = seen.filter((feature) => lead(feature) > 0).sort((a, b) => lead(b) - lead(a)).slice(0, 3)
  return named.map((feature) => `"${feature.replace(/^\^/, '')}"`).join(', ') || 'those of its examples'
}

const wishes = /(?:^|[\s,(])(?:as|ask|from|for)\s+(?:an?|the|our|your)?\s*([a-z]+(?: [a-z]+)?)(?:['’]s)?\b/gi

/** The question without the words that only say who is to answer, such as «as an architect, »: they are nothing to search by. */
export function withoutWish(question: string): string {
  const words = wishIn(question)?.words
  if (words === undefined) return question
  const rest = question.replace(words, ' ').replace(/\(\s*\)/, ' ').replace(/^[\s,.:;–—-]+/, '').replace(/[\s,:;–—-]+([?!.]*)$/, '$1').replace(/\s+/g, ' ')
  return /[\p{L}\p{N}]/u.test(rest) ? rest : question
}

function wishIn(question: string): { agent: AgentName; words: string } | undefined {
  for (const [words, name] of question.matchAll(wishes)) {
    const [first] = name!.toLowerCase().split(' ')
    const found = agents.find((agent) => agent.aliases.some((alias) => alias === name!.toLowerCase() || alias === first))
    const isRole = /^[\s,(]*as\b|^[\s,(]*ask\b/i.test(words) || /\b(?:view|perspective|point of view|eyes)\b/i.test(question)
    if (found && isRole) return { agent: found.name, words: words.trim().replace(/^[,(\s]+/, '') }
  }
  return undefined
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
