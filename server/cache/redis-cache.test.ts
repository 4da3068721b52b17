import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { until } from '#infra/testing/until.ts'
import { testRedisUrl } from '#jobs/testing/config.ts'
import { createLog } from '../log.ts'
import { createMetrics } from '../metrics.ts'
import type { Metrics } from '../metrics.ts'
import { cacheContract, countsOf } from '../testing/cache-contract.ts'
import { openTestRedis } from '../testing/open-test-redis.ts'
import type { TestRedis } from '../testing/open-test-redis.ts'
import { toCacheKey } from './cache-key.ts'
import type { Cache } from './cache.ts'
import { createRedisCache } from './redis-cache.ts'
import { openRedisDoor } from './redis-door.ts'
import type { RedisDoor, doorTimes } from './redis-door.ts'

const url = testRedisUrl()
const key = toCacheKey('answer', 'a', ['x'])
const other = toCacheKey('thread', 'a', ['y'])

describe.skipIf(url === null)('with Redis', () => {
  const quiet = createLog({ level: 'silent', process: 'test' })
  cacheContract('Redis', async ({ metrics }) => {
    const door = openRedisDoor({ url: url!, prefix: `test-${randomUUID()}:` }, { log: quiet }, { command: 5_000 })
    await until('Redis', () => door.redis.status === 'ready')
    return createRedisCache(door, { metrics })
  })

  describe('that fails', () => {
    let redis: TestRedis
    let admin: Redis
    let metrics: Metrics
    let door: RedisDoor
    let cache: Cache
    let lines: string[]
    beforeAll(async () => {
      redis = await openTestRedis('--maxmemory-policy', 'noeviction')
      admin = new Redis(redis.url, { maxRetriesPerRequest: 0, retryStrategy: () => 50 })
      admin.on('error', () => undefined)
    })
    afterAll(async () => {
      admin.disconnect()
      await redis.close()
    })
    beforeEach(async () => {
      metrics = createMetrics()
      lines = []
      await open({ command: 50, rest: 60_000 })
    })
    afterEach(() => cache.close())

    async function open(times: Partial<typeof doorTimes>, wait = true): Promise<void> {
      const log = createLog({ level: 'warn', process: 'test', destination: { write: (line: string) => void lines.push(line) } })
      door = openRedisDoor({ url: redis.url, prefix: 'test:' }, { log }, times)
      cache = createRedisCache(door, { metrics })
      if (wait) await until('Redis', () => door.redis.status === 'ready')
    }

    /** What is there after this was written. */
    async function kept(value: string): Promise<string | null> {
      await cache.set(key, value, 60_000)
      return await cache.get(key)
    }

    const received = async () => Number(/cmdstat_get:calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0)

    it('is stopped: one look-up waits, the next do not ask it, and it is used again later', async () => {
      await cache.set(key, 'kept', 60_000)
      expect(await cache.get(key)).toBe('kept')
      const before = await received()
      redis.signal('SIGSTOP')
      try {
        expect(await cache.get(key)).toBeNull()
        for (let times = 0; times < 50; times++) {
          expect(await cache.get(key)).toBeNull()
          await cache.set(other, 'never sent', 60_000)
        }
        expect(await cache.drop(key)).toBe(false)
        expect(await cache.dropTenant('a')).toBeNull()
      } finally {
        redis.signal('SIGCONT')
      }
      expect(await countsOf(metrics)).toEqual({ 'answer hit': 1, 'answer error': 1, 'answer miss': 50 })
      expect(lines).toHaveLength(1)
      // Of 51 look-ups one went out.
      expect((await received()) - before).toBe(1)
      await cache.close()
      await open({ command: 50, rest: 20 })
      await expect.poll(() => kept('again')).toBe('again')
    })

    it('is stopped when the process starts: look-ups are misses, and it is used once it goes on', async () => {
      await cache.close()
      redis.signal('SIGSTOP')
      try {
        await open({ command: 50, rest: 20 }, false)
        expect(await cache.get(key)).toBeNull()
      } finally {
        redis.signal('SIGCONT')
      }
      await expect.poll(() => kept('there')).toBe('there')
    })

    it('is full: nothing more is kept, what is there is still read', async () => {
      await cache.set(key, 'early', 60_000)
      await admin.config('SET', 'maxmemory', '1')
      await cache.set(other, 'late', 60_000)
      expect([await cache.get(key), await cache.get(other)]).toEqual(['early', null])
      await admin.config('SET', 'maxmemory', '0')
      await cache.set(other, 'late', 60_000)
      expect(await cache.get(other)).toBe('late')
      expect(await countsOf(metrics)).toEqual({ 'thread error': 1, 'answer hit': 1, 'thread miss': 1, 'thread hit': 1 })
    })

    it('is wiped: what was kept is a miss', async () => {
      await cache.set(key, 'kept', 60_000)
      await admin.flushdb()
      expect(await cache.get(key)).toBeNull()
      await cache.set(key, 'kept again', 60_000)
      expect(await cache.get(key)).toBe('kept again')
    })

    it('keeps nothing longer than its time, and nothing without the prefix', async () => {
      await admin.flushdb()
      await cache.set(key, 'kept', 30_000)
      const [name, ...more] = await admin.keys('*')
      expect([name, more]).toEqual([`test:${key.text}`, []])
      expect(await admin.pttl(name!)).toBeLessThanOrEqual(30_000)
      expect(await admin.pttl(name!)).toBeGreaterThan(0)
    })

    // Last: this Redis does not come back.
    it('is dead: look-ups are misses at once, and the log says so once', async () => {
      redis.signal('SIGKILL')
      await expect.poll(() => door.redis.status).not.toBe('ready')
      expect([await cache.get(key), await cache.get(other), await cache.drop(key), await cache.dropTenant('a')]).toEqual([null, null, false, null])
      expect(lines).toHaveLength(1)
      expect(lines[0]).toContain('the cache does not answer')
    })
  })
})
