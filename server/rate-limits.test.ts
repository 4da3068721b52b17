import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { readEnv } from '#db/read-env.ts'
import { testRedisUrl } from '#jobs/testing/config.ts'
import { openRedisDoor } from './cache/redis-door.ts'
import type { RedisDoor } from './cache/redis-door.ts'
import { createLog } from './log.ts'
import { createMetrics } from './metrics.ts'
import { createRateLimits, limitsEnv, toLimits } from './rate-limits.ts'
import type { Asking, Limits, RateLimits } from './rate-limits.ts'
import { openTestRedis } from './testing/open-test-redis.ts'

const off: Limits = { asker: null, channel: null, tenant: null }
const ada: Asking = { tenantId: 'acme', asker: 'slack:T1:ada', channel: 'slack:T1:C1' }
const log = createLog({ level: 'silent', process: 'test' })

/** How many of so many questions in a row are taken. */
async function taken(limits: RateLimits, asking: Asking, times: number): Promise<number> {
  let count = 0
  for (let at = 0; at < times; at++) await limits.admit(asking).then(() => count++, () => undefined)
  return count
}

function limitsContract(name: string, open: (limits: Partial<Limits>) => Promise<RateLimits> | RateLimits): void {
  describe(`limits counted in ${name}`, () => {
    it('refuse what is too much of one asker, channel or tenant, and nobody else', async () => {
      const tenantId = randomUUID()
      const at = { ...ada, tenantId }
      const limits = await open({ asker: 3, channel: 5, tenant: 7 })
      expect(await taken(limits, at, 10)).toBe(3)
      expect(await taken(limits, { ...at, asker: 'grace' }, 10)).toBe(2)
      expect(await taken(limits, { ...at, asker: 'linus', channel: null }, 10)).toBe(2)
      expect(await taken(limits, { ...at, asker: 'linus', channel: 'other' }, 10)).toBe(0)
      expect(await taken(limits, { ...at, tenantId: randomUUID() }, 10)).toBe(3)
    })

    it('say who asked too much and when to come again, and count it', async () => {
      const metrics = createMetrics()
      const limits = await open({ asker: 1 })
      const at = { ...ada, tenantId: randomUUID() }
      await limits.admit(at)
      const before = Date.now()
      const refusal = await limits.admit(at).then(() => null, (error: unknown) => error as Error & { retryAt: Date })
      expect(refusal).toMatchObject({ code: 'too-many-requests', retryable: true })
      expect(refusal!.message).toMatch(/^You have asked 1 question within a minute, which is as many as I take from one person\. Ask again in \d{1,2} seconds\.$/)
      expect(refusal!.retryAt.getTime()).toBeGreaterThan(before)
      expect(refusal!.retryAt.getTime()).toBeLessThanOrEqual(Date.now() + 60_000)
      const counting = createRateLimits({ ...off, channel: 1 }, { door: null, metrics })
      await taken(counting, ada, 3)
      expect((await metrics.rateLimited.get()).values).toMatchObject([{ labels: { limit: 'channel' }, value: 2 }])
    })

    it('take everything where they are off', async () => {
      expect(await taken(await open({}), ada, 50)).toBe(50)
    })
  })
}

limitsContract('memory', (limits) => createRateLimits({ ...off, ...limits }, { door: null, metrics: createMetrics() }))

describe.skipIf(testRedisUrl() === null)('with Redis', () => {
  const doors: RedisDoor[] = []
  afterAll(() => doors.forEach((door) => door.close()))
  async function openDoor(url = testRedisUrl()!, times = {}): Promise<RedisDoor> {
    const door = openRedisDoor({ url, prefix: 'test-limits:' }, { log }, times)
    doors.push(door)
    await expect.poll(() => door.redis.status).toBe('ready')
    return door
  }

  limitsContract('Redis', async (limits) => createRateLimits({ ...off, ...limits }, { door: await openDoor(undefined, { command: 5_000 }), metrics: createMetrics() }))

  it('processes count together, and again when Redis was wiped', async () => {
    const redis = await openTestRedis()
    const at = { ...ada, tenantId: randomUUID() }
    const [one, two] = await Promise.all([openDoor(redis.url, { command: 5_000 }), openDoor(redis.url, { command: 5_000 })])
    const [first, second] = [one, two].map((door) => createRateLimits({ ...off, asker: 4 }, { door, metrics: createMetrics() })) as [RateLimits, RateLimits]
    expect(await taken(first, at, 3)).toBe(3)
    expect(await taken(second, at, 3)).toBe(1)
    const keys = await one.redis.keys('*')
    expect(keys).toEqual([expect.stringMatching(/^test-limits:[\w-]{22}:limit-asker:[\w-]{43}$/)])
    expect(await one.redis.pttl(keys[0]!)).toBeGreaterThan(0)
    await one.redis.flushdb()
    expect(await taken(second, at, 6)).toBe(4)
    await redis.close()
  })

  it.each(['SIGSTOP', 'SIGKILL'] as const)('each process counts for itself while Redis is gone by %s', async (signal) => {
    const redis = await openTestRedis()
    const door = await openDoor(redis.url, { command: 50, rest: 60_000 })
    const limits = createRateLimits({ ...off, asker: 2 }, { door, metrics: createMetrics() })
    const at = { ...ada, tenantId: randomUUID() }
    redis.signal(signal)
    expect(await taken(limits, at, 5)).toBe(2)
    await redis.close()
  })

  it('are the same as in memory', async () => {
    const door = await openDoor(undefined, { command: 5_000 })
    const asking = fc.record({ tenantId: fc.constantFrom('a', 'b'), asker: fc.constantFrom('ada', 'grace'), channel: fc.constantFrom('c', 'd', null) })
    await fc.assert(
      fc.asyncProperty(fc.array(asking, { maxLength: 20 }), async (asked) => {
        const run = randomUUID()
        const figures = { asker: 2, channel: 3, tenant: 4 }
        const outcomes = [door, null].map(async (at) => {
          const limits = createRateLimits(figures, { door: at, metrics: createMetrics() })
          const each: boolean[] = []
          for (const one of asked) each.push(await limits.admit({ ...one, tenantId: `${one.tenantId}-${run}` }).then(() => true, () => false))
          return each
        })
        const [inRedis, inMemory] = await Promise.all(outcomes)
        expect(inRedis).toEqual(inMemory)
      }),
      { numRuns: 40 },
    )
  })
})

describe('limits of the environment', () => {
  it('are those of a chat where Nura is deployed, and none on one’s own machine', () => {
    expect(toLimits(readEnv(limitsEnv, {}), true)).toEqual({ asker: 20, channel: 60, tenant: 300 })
    expect(toLimits(readEnv(limitsEnv, {}), false)).toEqual(off)
    expect(toLimits(readEnv(limitsEnv, { NURA_LIMIT_ASKER: 'off', NURA_LIMIT_TENANT: '7/min' }), true)).toEqual({ asker: null, channel: 60, tenant: 7 })
    expect(toLimits(readEnv(limitsEnv, { NURA_LIMIT_CHANNEL: '5/min' }), false)).toEqual({ ...off, channel: 5 })
  })

  it.each(['0/min', '20', '20/h', '-1/min', 'none', '1e3/min'])('refuse %j', (text) => {
    expect(() => readEnv(limitsEnv, { NURA_LIMIT_ASKER: text })).toThrow('NURA_LIMIT_ASKER: write it as a number a minute, such as 20/min, or off')
  })
})
