/** Milliseconds. Nobody waits longer for an answer in a thread; with the last try it still ends within ten minutes. */
const times = { least: 15_000, most: 240_000, giveUp: 480_000 }

/**
 * When a question is tried again, by itself, that no model answered: after 15 seconds, then each time after as long as it has
 * waited already. Null when it is not tried again.
 */
export function nextTry(receivedAt: Date, now = Date.now()): Date | null {
  const waited = now - receivedAt.getTime()
  const wait = Math.min(times.most, Math.max(times.least, waited))
  return waited + wait > times.giveUp ? null : new Date(now + wait)
}
