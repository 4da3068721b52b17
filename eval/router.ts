import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { choose } from '#server/agents/choose.ts'
import { agents } from '#server/agents/index.ts'
import type { AgentName } from '#server/agents/index.ts'

const names = agents.map((agent) => agent.name) as [AgentName, ...AgentName[]]
const RouterSet = z.array(z.object({ question: z.string().min(1), agent: z.enum(names) })).min(1)

export type RouterReport = {
  questions: number
  accuracy: number
  /** Mean of the agents' F1. */
  macroF1: number
  byAgent: { agent: AgentName; precision: number; recall: number; f1: number }[]
  /** 99th percentile of one choice, milliseconds. */
  p99Ms: number
  misses: { question: string; expected: AgentName; chosen: AgentName; confidence: number }[]
}

/** How well `choose` picks the agent on a labelled file: `[{ "question": …, "agent": … }]`. */
export async function evaluateRouter(file: string): Promise<RouterReport> {
  const set = RouterSet.parse(JSON.parse(await readFile(file, 'utf8')))
  choose('learn before the clock runs')
  const rows = set.map(({ question, agent }) => {
    const start = performance.now()
    const choice = choose(question)
    return { question, expected: agent, chosen: choice.agent, confidence: choice.confidence, ms: performance.now() - start }
  })
  const byAgent = names.map((agent) => {
    const right = rows.filter((row) => row.expected === agent && row.chosen === agent).length
    const precision = right / Math.max(1, rows.filter((row) => row.chosen === agent).length)
    const recall = right / Math.max(1, rows.filter((row) => row.expected === agent).length)
    return { agent, precision, recall, f1: right === 0 ? 0 : (2 * precision * recall) / (precision + recall) }
  })
  const times = rows.map((row) => row.ms).sort((a, b) => a - b)
  return {
    questions: rows.length,
    accuracy: rows.filter((row) => row.expected === row.chosen).length / rows.length,
    macroF1: byAgent.reduce((total, { f1 }) => total + f1, 0) / byAgent.length,
    byAgent,
    p99Ms: times[Math.min(times.length - 1, Math.floor(times.length * 0.99))] ?? 0,
    misses: rows.filter((row) => row.expected !== row.chosen).map(({ ms: _, ...miss }) => miss),
  }
}
