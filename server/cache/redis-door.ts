import { once } from 'node:events'
import { Redis, ReplyError } from 'ioredis'
import type { CacheRig } from './cache.ts'
import { keepAnswering } from './keep-answering.ts'

/** A connection to a Redis that nobody waits for. */
export type RedisDoor = {
  /** Start of every key of this deployment. */
  readonly prefix: string
  readonly redis: Redis
  /** False while Redis is left alone after a failure. */
  isOpen(): boolean
  /**
   * Sends something, also while Redis is left alone. A failure is logged, at most once a minute, and one that was waited for
   * closes the door for some seconds. @returns null when it failed
   */
  send<T>(command: (redis: Redis) => Promise<T>): Promise<{ value: T } | null>
  /** Waits for the connection, at most so many milliseconds: for a command that has nothing else to do. */
  connected(mostMs: number): Promise<void>
  close(): void
}

/** Milliseconds. */
export const doorTimes = {
  /** Longest that one command is waited for: a stopped Redis accepts everything and answers nothing. */
  command: 100,
  /** Redis is left alone for so long after a failure. */
  rest: 5_000,
  /** Between two lines of the log that say the same. */
  say: 60_000,
}

/**
 * Opens the connection without waiting for it. Commands are not queued while there is none, not sent again, and not waited for
 * beyond the limit; the connection itself is tried again for ever.
 */
export function openRedisDoor({ url, prefix }: { url: string; prefix: string }, { log }: Pick<CacheRig, 'log'>, times: Partial<typeof doorTimes> = {}): RedisDoor {
  const { command, rest, say } = { ...doorTimes, ...times }
  const redis = new Redis(url, {
    commandTimeout: command,
    connectTimeout: 2_000,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempt) => Math.min(attempt * 200, 2_000),
    keepAlive: 10_000,
    connectionName: 'nura-cache',
  })
  keepAnswering(redis)
  let restsUntil = 0
  let silentUntil = 0
  let failures = 0

  function fail(error: unknown): void {
    failures += 1
    // One that answers no, such as one that is full, costs nobody any time.
    if (!(error instanceof ReplyError)) restsUntil = performance.now() + rest
    if (performance.now() < silentUntil) return
    silentUntil = performance.now() + say
    log.warn({ err: error, failures }, 'the cache does not answer; nothing is lost, answers take a little longer')
    failures = 0
  }

  redis.on('error', fail)
  redis.on('ready', () => void (restsUntil = 0))
  return {
    prefix,
    redis,
    isOpen: () => performance.now() >= restsUntil,
    async send(run) {
      try {
        return { value: await run(redis) }
      } catch (error) {
        fail(error)
        return null
      }
    },
    async connected(mostMs) {
      if (redis.status !== 'ready') await once(redis, 'ready', { signal: AbortSignal.timeout(mostMs) }).catch(() => undefined)
    },
    close: () => redis.disconnect(),
  }
}
