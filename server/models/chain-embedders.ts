import { NuraError } from '#db/nura-error.ts'
import type { Embedder } from './embedder.ts'

/** When to come again, where no model of a space says so, milliseconds: whoever indexes waits, which costs no attempt. */
const waitMs = 15_000

/**
 * Models of one space as one embedder: the first that answers. All of them together make the same vectors, so that a batch may
 * come of any.
 * @throws NuraError `model-unavailable` with `retryAt` when all are away; what the last one threw when waiting does not help, or
 *   when one sent what cannot be used; the signal's reason on abort
 */
export function chainEmbedders(embedders: readonly [Embedder, ...Embedder[]]): Embedder {
  const [first] = embedders
  return {
    ...first,
    maxBatch: Math.min(...embedders.map(({ maxBatch }) => maxBatch)),
    async embed(texts, kind, signal, onCall) {
      const failures: NuraError[] = []
      for (const embedder of embedders) {
        try {
          return await embedder.embed(texts, kind, signal, onCall)
        } catch (error) {
          if (signal?.aborted || !(error instanceof NuraError)) throw error
          failures.push(error)
        }
      }
      throw toUnavailable(first.space, failures)
    },
  }
}

function toUnavailable(space: string, failures: NuraError[]): NuraError {
  const last = failures.at(-1)!
  const waiting = failures.filter(({ retryable, code }) => retryable && code !== 'bad-vectors')
  // What a text does to a model would be waited for in vain, so it costs an attempt.
  if (waiting.length === 0) return failures.find(({ retryable }) => retryable) ?? withoutMoment(last)
  const soonest = Math.min(...waiting.map(({ retryAt }) => retryAt?.getTime() ?? Date.now() + waitMs))
  return new NuraError('model-unavailable', `The embedding model of ${space} does not answer just now. Try again in a minute.`, {
    retryable: true,
    retryAt: new Date(soonest),
    cause: last,
  })
}

/** A model that rests because an operator must put it right names a moment that nobody is to wait for. */
function withoutMoment({ code, message, cause }: NuraError): NuraError {
  return new NuraError(code, message, { cause })
}
