import { agents } from '#server/agents/index.ts'
import type { AgentName } from '#server/agents/index.ts'
import { choose, learn, weigh } from '#server/agents/choose.ts'
import type { Learned } from '#server/agents/choose.ts'
import { mean } from './measures.ts'
import { names, ownExamples, readRouterSet } from './router/questions.ts'
import type { Labelled } from './router/questions.ts'
import { splitByAuthorAndTemplate } from './router/split.ts'

export type RouterReport = {
  questions: number
  accuracy: number
  /** Mean of the agents' F1. */
  macroF1: number
  byAgent: { agent: AgentName; precision: number; recall: number; f1: number }[]
  /**
   * Share of the questions that speak clearly for nobody, which go to the first agent; how often the others are told right; and of
   * those that are unclear the share that the first agent gets rightly, beside that which the likeliest would have got.
   */
  unclear: { share: number; decidedRight: number; firstRight: number; likeliestRight: number }
  misses: { question: string; expected: AgentName; chosen: AgentName; confidence: number }[]
}

/** Milliseconds of one choice, once it has learned. */
export type RouterTimes = { p50Ms: number; p99Ms: number }

export type CrossReport = RouterReport & {
  authors: Record<string, number>
  templates: number
  /** Whether the agents' cues, which somebody wrote who may have seen every question, were learned as well. */
  withCues: boolean
}

const folds = 5

/** How well `choose` picks the agent on a labelled file, by what it learned from its own examples. */
export async function evaluateRouter(file: string): Promise<RouterReport & RouterTimes> {
  const set = await readRouterSet(file)
  return { ...toReport(set, learn(agents)), ...time(set.map(({ question }) => question)) }
}

/** How well it would pick by what others wrote in other words: see `splitByAuthorAndTemplate`. The agents' own examples are questions as well. */
export async function crossValidateRouter(files: string[], withCues: boolean): Promise<CrossReport> {
  const questions = [...ownExamples(), ...(await Promise.all(files.map(readRouterSet))).flat()]
  const rows = splitByAuthorAndTemplate(questions, folds).flatMap(({ learned, asked }) => {
    const model = learn(agents.map(({ name, cues }) => ({ name, cues: withCues ? cues : [], examples: learned.filter(({ agent }) => agent === name).map(({ question }) => question) })))
    return asked.map((each) => toRow(each, model))
  })
  return {
    ...sumUp(rows),
    authors: Object.fromEntries([...Map.groupBy(questions, ({ author }) => author)].map(([author, of]) => [author, of.length])),
    templates: new Set(questions.map(({ template }) => template)).size,
    withCues,
  }
}

type Row = { question: string; expected: AgentName; chosen: AgentName; likeliest: AgentName; confidence: number; isUnclear: boolean }

function toReport(set: Labelled[], model: Learned): RouterReport {
  return sumUp(set.map((each) => toRow(each, model)))
}

function toRow({ question, agent: expected }: Labelled, model: Learned): Row {
  const { agent: chosen, confidence, isUnclear = false } = choose(question, undefined, undefined, model)
  return { question, expected, chosen, likeliest: weigh(question, model).winner, confidence, isUnclear }
}

function sumUp(rows: Row[]): RouterReport {
  const right = (of: Row[], who: 'chosen' | 'likeliest' = 'chosen') => mean(of.map((row) => Number(row[who] === row.expected)))
  const byAgent = names.map((agent) => {
    const precision = right(rows.filter(({ chosen }) => chosen === agent))
    const recall = right(rows.filter(({ expected }) => expected === agent))
    return { agent, precision, recall, f1: precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall) }
  })
  const [unclear, decided] = [rows.filter(({ isUnclear }) => isUnclear), rows.filter(({ isUnclear }) => !isUnclear)]
  return {
    questions: rows.length,
    accuracy: right(rows),
    macroF1: mean(byAgent.map(({ f1 }) => f1)),
    byAgent,
    unclear: { share: unclear.length / rows.length, decidedRight: right(decided), firstRight: right(unclear), likeliestRight: right(unclear, 'likeliest') },
    misses: rows.filter(({ expected, chosen }) => expected !== chosen).map(({ question, expected, chosen, confidence }) => ({ question, expected, chosen, confidence })),
  }
}

const rounds = 20

function time(questions: string[]): RouterTimes {
  choose('learn before the clock runs')
  const times = Array.from({ length: rounds }, () => questions).flat().map((question) => {
    const start = performance.now()
    choose(question)
    return performance.now() - start
  }).sort((a, b) => a - b)
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))]!
  return { p50Ms: at(0.5), p99Ms: at(0.99) }
}
