import { expect, test } from 'vitest'
import { createMetrics } from '../metrics.ts'
import { cacheContract } from '../testing/cache-contract.ts'
import { toCacheKey } from './cache-key.ts'
import { createMemoryCache } from './memory-cache.ts'

const rig = { metrics: createMetrics() }
cacheContract('memory', createMemoryCache)

test('holds no more bytes than it may, and lets go of what was used longest ago', async () => {
  const cache = createMemoryCache(rig, { mostBytes: 50_000 })
  const keys = Array.from({ length: 30 }, (_, at) => toCacheKey('answer', 'a', [String(at)]))
  for (const key of keys) {
    await cache.set(key, 'x'.repeat(1_000), 60_000)
    await cache.get(keys[0]!)
  }
  const kept = (await Promise.all(keys.map((key) => cache.get(key)))).map((value) => value !== null)
  expect(kept.filter(Boolean).length * 2_000).toBeLessThanOrEqual(50_000)
  expect([kept[0], kept[1], kept[29]]).toEqual([true, false, true])
  await cache.set(keys[1]!, 'x'.repeat(30_000), 60_000)
  expect(await cache.get(keys[1]!)).toBeNull()
  await cache.close()
})

test('lets go of what is too old though nobody asks for it', async () => {
  const cache = createMemoryCache(rig, { sweepMs: 5 })
  await cache.set(toCacheKey('thread', 'a', ['t']), 'a tenant’s text', 10)
  await expect.poll(() => cache.dropTenant('a')).toBe(0)
  await cache.close()
})
