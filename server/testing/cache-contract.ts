import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toCacheKey } from '../cache/cache-key.ts'
import type { Cache, CacheRig } from '../cache/cache.ts'
import { createMetrics } from '../metrics.ts'
import type { Metrics } from '../metrics.ts'

/** The whole test of a cache. `open` gives an empty one. */
export function cacheContract(name: string, open: (rig: Pick<CacheRig, 'metrics'>) => Promise<Cache> | Cache): void {
  describe(`cache in ${name}`, () => {
    let cache: Cache
    const metrics = createMetrics()
    beforeAll(async () => {
      cache = await open({ metrics })
    })
    afterAll(() => cache.close())
    const minute = 60_000

    it('gives back what was kept, whatever the text, and nothing else', async () => {
      const value = 'Größe \0 "[1]" \u{1f44d} '.repeat(2_000)
      await cache.set(toCacheKey('answer', 'a', ['x']), value, minute)
      expect(await cache.get(toCacheKey('answer', 'a', ['x']))).toBe(value)
      expect(await cache.get(toCacheKey('answer', 'b', ['x']))).toBeNull()
      expect(await cache.get(toCacheKey('thread', 'a', ['x']))).toBeNull()
      await cache.set(toCacheKey('answer', 'a', ['x']), 'newer', minute)
      expect(await cache.get(toCacheKey('answer', 'a', ['x']))).toBe('newer')
    })

    it('forgets when the time is over', async () => {
      const key = toCacheKey('thread', 'a', ['short'])
      await cache.set(key, 'soon gone', 30)
      await wait(60)
      expect(await cache.get(key)).toBeNull()
    })

    it('drops one', async () => {
      const [key, other] = [toCacheKey('thread', 'a', ['one']), toCacheKey('thread', 'a', ['two'])]
      await cache.set(key, '1', minute)
      await cache.set(other, '2', minute)
      expect(await cache.drop(key)).toBe(true)
      expect(await cache.drop(key)).toBe(true)
      expect([await cache.get(key), await cache.get(other)]).toEqual([null, '2'])
    })

    it('drops everything of one tenant and nothing of another, and says how much it was', async () => {
      const keys = Array.from({ length: 1_500 }, (_, at) => toCacheKey(at % 2 === 0 ? 'answer' : 'thread', 'leaving', [String(at)]))
      await Promise.all(keys.map((key) => cache.set(key, 'text', minute)))
      const stays = toCacheKey('answer', 'staying', ['0'])
      await cache.set(stays, 'stays', minute)
      expect(await cache.dropTenant('leaving')).toBe(1_500)
      expect(await cache.dropTenant('leaving')).toBe(0)
      expect(await Promise.all(keys.map((key) => cache.get(key)))).toEqual(keys.map(() => null))
      expect(await cache.get(stays)).toBe('stays')
    })

    it('counts hits and misses by what they were for', async () => {
      const before = await countsOf(metrics)
      await cache.set(toCacheKey('query-embedding', 'a', ['q']), 'v', minute)
      await cache.get(toCacheKey('query-embedding', 'a', ['q']))
      await cache.get(toCacheKey('query-embedding', 'a', ['other']))
      expect(before['query-embedding hit']).toBeUndefined()
      expect(await countsOf(metrics)).toMatchObject({ 'query-embedding hit': 1, 'query-embedding miss': 1 })
    })
  })
}

/** `nura_cache_total` by `cache outcome`. */
export async function countsOf({ cache }: Pick<Metrics, 'cache'>): Promise<Record<string, number>> {
  const { values } = await cache.get()
  return Object.fromEntries(values.map(({ labels, value }) => [`${labels.cache} ${labels.outcome}`, value]))
}
