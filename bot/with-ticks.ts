import type { AnswerPart } from '#server/answer-part.ts'

/** Passes the parts on and says `tick` whenever none has come for `ms`, so that what is waiting gets shown. */
export async function* withTicks(parts: AsyncIterable<AnswerPart>, ms: number): AsyncIterable<AnswerPart | 'tick'> {
  const iterator = parts[Symbol.asyncIterator]()
  let next = iterator.next()
  try {
    for (;;) {
      const timer = Promise.withResolvers<'tick'>()
      const timeout = setTimeout(() => timer.resolve('tick'), ms)
      const won = await Promise.race([next, timer.promise]).finally(() => clearTimeout(timeout))
      if (won === 'tick') {
        yield 'tick'
        continue
      }
      if (won.done) return
      yield won.value
      next = iterator.next()
    }
  } finally {
    // Not waited for: a part that is still on its way would hold the reply up.
    next.catch(() => undefined)
    Promise.resolve(iterator.return?.()).catch(() => undefined)
  }
}
