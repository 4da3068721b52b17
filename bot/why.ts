import { z } from 'zod'
import type { StoredAnswer } from './nura-api.ts'

const Considered = z.object({ repository: z.string().optional(), path: z.string(), startLine: z.number().optional(), endLine: z.number().optional(), score: z.number().optional(), legs: z.record(z.string(), z.number()).optional() })
const Trace = z.object({
  passages: z.array(Considered).catch([]).default([]),
  chosen: z.object({ agent: z.string().optional(), reason: z.string().optional() }).optional().catch(undefined),
  reason: z.string().optional().catch(undefined),
})

/** Most passages that are listed. */
const mostPassages = 10

/** What led to an answer, as plain lines: the passages considered with their scores, the agent and why, model, cost, time. */
export function toWhy(answer: StoredAnswer): { passages: string[]; facts: string[] } {
  const trace = Trace.catch({ passages: [] }).parse(answer.trace ?? {})
  const passages = trace.passages.slice(0, mostPassages).map((passage) => {
    const lines = passage.startLine === undefined ? '' : ` L${passage.startLine}–${passage.endLine ?? passage.startLine}`
    const legs = Object.entries(passage.legs ?? {}).map(([leg, score]) => `${leg} ${toFigure(score)}`)
    return `${passage.path}${lines} · ${passage.score === undefined ? '' : `score ${toFigure(passage.score)}`}${legs.length > 0 ? ` (${legs.join(', ')})` : ''}`
  })
  const reason = trace.chosen?.reason ?? trace.reason
  const { models = [], tokens, costUsd } = answer.usage
  const total = answer.timings.total
  return {
    passages,
    facts: [
      `Agent: ${answer.agent}${reason ? ` — ${reason}` : ''}`,
      `Model: ${models.join(', ') || 'none'}${tokens === undefined ? '' : ` · ${tokens} tokens`}${costUsd === undefined ? '' : ` · $${costUsd.toFixed(4)}`}`,
      ...(total === undefined ? [] : [`Time: ${(total / 1000).toFixed(2)} s (${Object.entries(answer.timings).filter(([phase]) => phase !== 'total').map(([phase, ms]) => `${phase} ${Math.round(ms)} ms`).join(', ')})`]),
    ],
  }
}

function toFigure(score: number): string {
  return Number.isInteger(score) ? String(score) : score.toFixed(3)
}
