import type { Redis } from 'ioredis'
import { toTenantStart } from './cache-key.ts'
import type { Cache, CacheRig } from './cache.ts'
import type { RedisDoor } from './redis-door.ts'

/** A cache that all processes of a deployment share. */
export function createRedisCache(door: RedisDoor, { metrics }: Pick<CacheRig, 'metrics'>): Cache {
  const { prefix } = door
  return {
    async get({ purpose, text }) {
      const got = door.isOpen() ? await door.send((redis) => redis.get(prefix + text)) : { value: null }
      metrics.cache.inc({ cache: purpose, outcome: got === null ? 'error' : got.value === null ? 'miss' : 'hit' })
      return got?.value ?? null
    },
    async set({ purpose, text }, value, ttlMs) {
      if (!door.isOpen()) return
      const done = await door.send((redis) => redis.set(prefix + text, value, 'PX', Math.max(1, Math.ceil(ttlMs))))
      if (done === null) metrics.cache.inc({ cache: purpose, outcome: 'error' })
    },
    // What is to be forgotten is worth a try even where nothing else is.
    drop: async ({ text }) => (await door.send((redis) => redis.del(prefix + text))) !== null,
    async dropTenant(tenantId) {
      const dropped = await door.send((redis) => dropAll(redis, `${prefix}${toTenantStart(tenantId)}*`))
      return dropped?.value ?? null
    },
    close: async () => door.close(),
  }
}

/** Looks through all keys, because a list of a tenant's keys could itself be evicted. Rare, and in steps that hold nobody up. */
async function dropAll(redis: Redis, pattern: string): Promise<number> {
  let dropped = 0
  let cursor = '0'
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', 1_000)
    if (keys.length > 0) dropped += await redis.del(...keys)
    cursor = next
  } while (cursor !== '0')
  return dropped
}
