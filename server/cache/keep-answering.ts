import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'

/** How often a connection is asked for a sign of life, and how many times in a row it may give none. */
const everyMs = 1_000
const mostSilent = 3

/**
 * Begins a connection anew that gives no sign of life. A wire that garbles or loses a piece of one reply leaves its reader
 * waiting for the rest for ever, and whatever comes after is taken for that rest: nothing but a new connection helps.
 */
export function keepAnswering(redis: Redis): void {
  let asking = false
  let silent = 0
  let stream = redis.stream
  const timer = setInterval(look, everyMs).unref()
  redis.once('end', () => clearInterval(timer))

  async function look(): Promise<void> {
    if (asking) return
    asking = true
    const { stream: asked } = redis
    const said = await ask()
    asking = false
    silent = said === 'PONG' || said === 'closed' || redis.stream !== stream ? 0 : silent + 1
    stream = redis.stream
    // Who answers something else has lost count of its replies.
    if (silent >= mostSilent || (silent > 0 && said !== null && redis.stream === asked)) redis.disconnect(true)
  }

  /** What it says within the time; null is nothing. One that is open and not ready has been asked something by ioredis itself. */
  async function ask(): Promise<string | null> {
    if (redis.status === 'connect') return null
    if (redis.status !== 'ready') return 'closed'
    const answered = new AbortController()
    const said = await Promise.race([redis.ping().catch(() => null), sleep(everyMs, null, { signal: answered.signal, ref: false }).catch(() => null)])
    answered.abort()
    return said
  }
}
