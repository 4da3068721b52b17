import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import { z } from 'zod'
import { NuraError } from '#db/nura-error.ts'
import { toCacheKey } from './cache/cache-key.ts'
import type { RedisDoor } from './cache/redis-door.ts'
import type { Metrics } from './metrics.ts'

/** Most questions in a minute; null for no limit. */
export type Limits = { asker: number | null; channel: number | null; tenant: number | null }

/** Who asks, and in which channel the answer will be read. */
export type Asking = { tenantId: string; asker: string; channel: string | null }

export type RateLimits = {
  /**
   * Counts one question.
   * @throws NuraError `too-many-requests`, whose `retryAt` says when the next one is taken
   */
  admit(asking: Asking): Promise<void>
}

const limit = z
  .string()
  .regex(/^([1-9]\d{0,6}\/min|off)$/, 'write it as a number a minute, such as 20/min, or off')
  .transform((text) => (text === 'off' ? null : Number.parseInt(text, 10)))
  .optional()

/** Environment keys of the limits, for `readEnv`. */
export const limitsEnv = { NURA_LIMIT_ASKER: limit, NURA_LIMIT_CHANNEL: limit, NURA_LIMIT_TENANT: limit }

/** What a chat can take: more than a person asks, less than a loop does. */
const deployed: Limits = { asker: 20, channel: 60, tenant: 300 }
/** On one's own machine there is nobody to be protected from. */
const local: Limits = { asker: null, channel: null, tenant: null }

export function toLimits(env: z.output<z.ZodObject<typeof limitsEnv>>, isDeployed: boolean): Limits {
  const usual = isDeployed ? deployed : local
  const read = (given: number | null | undefined, otherwise: number | null) => (given === undefined ? otherwise : given)
  return { asker: read(env.NURA_LIMIT_ASKER, usual.asker), channel: read(env.NURA_LIMIT_CHANNEL, usual.channel), tenant: read(env.NURA_LIMIT_TENANT, usual.tenant) }
}

/** In the order in which they are asked: who is refused by one does not use up the next, which others share. */
const names = ['asker', 'channel', 'tenant'] as const
type LimitName = (typeof names)[number]

const told: Record<LimitName, (most: number) => string> = {
  asker: (most) => `You have asked ${most} ${most === 1 ? 'question' : 'questions'} within a minute, which is as many as I take from one person.`,
  channel: (most) => `This channel has asked ${most} ${most === 1 ? 'question' : 'questions'} within a minute, which is as many as I take from one channel.`,
  tenant: (most) => `Your workspace has asked ${most} ${most === 1 ? 'question' : 'questions'} within a minute, which is as many as I take at once.`,
}

/**
 * Counts questions in windows of a minute, which begin with the first question. Processes count together in Redis; where there
 * is none, and while it does not answer, each counts for itself.
 */
export function createRateLimits(limits: Limits, { door, metrics }: { door: RedisDoor | null; metrics: Pick<Metrics, 'rateLimited'> }): RateLimits {
  const gates = names.flatMap((name) => {
    const most = limits[name]
    return most === null ? [] : [{ name, most, take: createCounter(most, door) }]
  })
  return {
    async admit(asking) {
      for (const { name, most, take } of gates) {
        const whose = name === 'tenant' ? '' : asking[name]
        if (whose === null) continue
        const { remainingMs } = await take(toCacheKey(`limit-${name}`, asking.tenantId, [whose]).text)
        if (remainingMs === null) continue
        metrics.rateLimited.inc({ limit: name })
        const seconds = Math.max(1, Math.ceil(remainingMs / 1000))
        const message = `${told[name](most)} Ask again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`
        throw new NuraError('too-many-requests', message, { retryable: true, retryAt: new Date(Date.now() + remainingMs) })
      }
    },
  }
}

/** `remainingMs`: how long until the next is taken; null when this one was. */
type Taken = { remainingMs: number | null }

function createCounter(points: number, door: RedisDoor | null): (key: string) => Promise<Taken> {
  const here = new RateLimiterMemory({ points, duration: 60 })
  const shared = door && new RateLimiterRedis({ storeClient: door.redis, points, duration: 60, keyPrefix: '' })
  return async (key) => {
    const taken = shared && door.isOpen() ? await door.send(() => take(shared, door.prefix + key)) : null
    return taken ? taken.value : await take(here, key)
  }
}

async function take(limiter: RateLimiterMemory | RateLimiterRedis, key: string): Promise<Taken> {
  try {
    await limiter.consume(key)
    return { remainingMs: null }
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal
    return { remainingMs: refusal.msBeforeNext }
  }
}
