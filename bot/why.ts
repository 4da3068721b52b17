import { z } from 'zod'
import type { StoredAnswer } from './nura-api.ts'

const Considered = z.object({
  path: z.string(),
  startLine: z.number(),
  endLine: z.number(),
  score: z.number(),
  legs: z.record(z.string(), z.number()).catch({}),
  chosen: z.boolean().catch(true),
})
/** What a stored trace holds of interest here; a trace of another version shows less. */
const Trace = z.object({
  chosen: z.object({ reason: z.string() }).optional().catch(undefined),
  search: z.object({ considered: z.array(Considered) }).nullish().catch(undefined),
  timings: z.record(z.string(), z.number()).catch({}),
})

/** Most passages that are listed. */
const mostPassages = 10

/** What led to an answer, as plain lines: the passages considered with their scores, the agent and why, model, cost, time. */
export function toWhy(answer: StoredAnswer): { passages: string[]; facts: string[] } {
  const trace = Trace.catch({ timings: {} }).parse(answer.trace ?? {})
  const passages = (trace.search?.considered ?? []).slice(0, mostPassages).map(({ path, startLine, endLine, score, legs, chosen }) => {
    const parts = Object.entries(legs).map(([leg, value]) => `${leg} ${toFigure(value)}`)
    return `${path} L${startLine}–${endLine} · score ${toFigure(score)}${parts.length > 0 ? ` (${parts.join(', ')})` : ''}${chosen ? '' : ' · not used'}`
  })
  const reason = trace.chosen?.reason
  const { models = [], tokens, costUsd } = answer.usage
  const total = trace.timings.total
  return {
    passages,
    facts: [
      `Agent: ${answer.agent}${reason ? ` — ${reason}` : ''}`,
      `Model: ${models.join(', ') || 'none'}${tokens === undefined ? '' : ` · ${tokens} tokens`}${costUsd === undefined ? '' : ` · $${costUsd.toFixed(4)}`}`,
      ...(total === undefined ? [] : [`Time: ${(total / 1000).toFixed(2)} s (${Object.entries(trace.timings).filter(([phase]) => phase !== 'total').map(([phase, ms]) => `${phase} ${Math.round(ms)} ms`).join(', ')})`]),
    ],
  }
}

function toFigure(score: number): string {
  return Number.isInteger(score) ? String(score) : score.toFixed(3)
}
