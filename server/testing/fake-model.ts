import { setTimeout as sleep } from 'node:timers/promises'

/** What goes wrong with one request to a fake of a model's provider. `after` counts pieces of text that are sent before. */
export type ModelFault =
  /** Takes the request, or says so much, and then nothing. */
  | { kind: 'hang'; after?: number }
  | { kind: 'status'; status: number; code?: string; retryAfter?: string }
  /** The model is starting: refused, in the provider's own words for that. */
  | { kind: 'cold' }
  /** The connection is reset. */
  | { kind: 'cut'; after: number }
  /** The body ends properly, but the answer was not whole. */
  | { kind: 'end'; after: number }
  /** A frame that cannot be read. */
  | { kind: 'malformed'; after: number }
  /** A frame that holds an error, as providers send when a model dies while it speaks. */
  | { kind: 'error-frame'; after: number }
  /** Whole, but without a word. */
  | { kind: 'empty' }
  /** So much text, in frames of 4 KiB. */
  | { kind: 'flood'; bytes: number }
  /** So many milliseconds before each piece. */
  | { kind: 'slow'; ms: number }

/** How the pieces of an answer ended: whole, or with what is to go wrong now. */
export type PiecesEnd = 'whole' | 'hang' | 'cut' | 'end' | 'malformed' | 'error-frame'

/** Sends a reply word by word as far as the fault lets it. `send` gives false when nobody listens any more. */
export async function sendPieces(reply: string, fault: ModelFault | null, send: (text: string) => boolean): Promise<PiecesEnd> {
  const stopsAt = fault && 'after' in fault ? fault.after : undefined
  for (const [at, text] of toPieces(reply, fault).entries()) {
    if (at === stopsAt) break
    if (fault?.kind === 'slow') await sleep(fault.ms)
    if (fault?.kind === 'flood') await new Promise(setImmediate)
    if (!send(text)) return 'whole'
  }
  return stopsAt === undefined ? 'whole' : (fault!.kind as PiecesEnd)
}

function toPieces(reply: string, fault: ModelFault | null): string[] {
  if (fault?.kind === 'empty') return []
  if (fault?.kind === 'flood') return Array<string>(Math.ceil(fault.bytes / 4_000)).fill('word '.repeat(800))
  return reply.split(/(?<=\s)(?=\S)/)
}

export type TokenCount = { inputTokens: number; outputTokens: number }

/** What a fake tells as used: always the same, or the words that came and went, so that a bill can be checked against it. */
export type FakeUsage = TokenCount | 'counted'

export function toUsage(usage: FakeUsage, read: string, written: string): TokenCount {
  return usage === 'counted' ? { inputTokens: countWords(read), outputTokens: countWords(written) } : usage
}

function countWords(text: string): number {
  return text.split(/\s+/).filter(Boolean).length
}
