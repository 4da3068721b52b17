import { NuraError } from '#db/nura-error.ts'
import type { AnswerPart } from '#server/answer-part.ts'

/** The server or its store went while it answered, or the way to it broke: nobody's fault who asks, and over when they are back. */
const ownFaults = new Set(['stream-broken', 'stream-ended', 'server-unreachable', 'database-unavailable', 'store-unavailable', 'store-timeout', 'audience-unknown', 'unavailable', 'stopping'])

/** Whether an error is one of those. A platform that is away is not: what was shown there is not known, so nothing is added to it. */
export function isOwnFault(error: unknown): boolean {
  return error instanceof NuraError && error.retryable && ownFaults.has(error.code)
}

/**
 * The parts of an answer up to a fault of Nura's own, which is thrown instead of told: the turn is carried out once more, and
 * what it has shown by then is set anew.
 * @throws NuraError retryable
 */
export async function* throwOwnFaults(parts: AsyncIterable<AnswerPart>): AsyncIterable<AnswerPart> {
  for await (const part of parts) {
    if (part.kind === 'error' && part.retryable && ownFaults.has(part.code)) throw new NuraError(part.code, part.message, { retryable: true })
    yield part
  }
}
