import { ask } from '#bot/ask.ts'
import type { Fetch } from '#bot/ask.ts'
import type { AnswerPart, Report } from '#server/answer-part.ts'

/** What a person hears, without what is new each time: ids, times and costs. */
export type Told = { text: string; reports: Report[]; others: AnswerPart[]; agent: string | null; error: string | null }

const surfaces = ['slack', 'teams', 'terminal'] as const
export type Surface = (typeof surfaces)[number]

/**
 * Asks one question as each surface asks it, in a conversation of its own.
 *
 * @param ready sends a request with the rights of the asker.
 */
export async function askSurfaces(ready: (asker: string) => Fetch, question: string, timeZone: string, key: string): Promise<Record<Surface, Told>> {
  const told: Partial<Record<Surface, Told>> = {}
  for (const surface of surfaces) {
    const body = { question, timeZone, thread: `${surface}:eval:room:${key}`, audience: { kind: 'tenant' as const } }
    const parts: AnswerPart[] = []
    for await (const part of ask(ready(`${surface}:eval:somebody`), body, new AbortController().signal)) parts.push(part)
    told[surface] = toTold(parts)
  }
  return told as Record<Surface, Told>
}

export function toTold(parts: AnswerPart[]): Told {
  const last = parts.at(-1)
  return {
    text: parts.map((part) => (part.kind === 'text' ? part.markdown : '')).join(''),
    reports: parts.flatMap((part) => (part.kind === 'report' ? [part.report] : [])),
    others: parts.filter(({ kind }) => kind === 'status' || kind === 'citation' || kind === 'step'),
    agent: last?.kind === 'done' ? last.agent : null,
    error: last?.kind === 'error' ? `${last.code}: ${last.message}` : null,
  }
}
