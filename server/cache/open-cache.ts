import type { Cache, CacheRig } from './cache.ts'
import type { CacheConfig } from './config.ts'
import { createMemoryCache } from './memory-cache.ts'
import { createRedisCache } from './redis-cache.ts'
import { openRedisDoor } from './redis-door.ts'
import type { RedisDoor } from './redis-door.ts'

/** What a process keeps beside the database; closing `cache` closes it all. */
export type OpenCache = {
  cache: Cache
  /** Null where it is kept in this process. */
  door: RedisDoor | null
  /** Whether the answer to a question that is asked again may be an earlier one. */
  answers: boolean
}

/** Opens the cache without waiting for it: a Redis that is away may come later. */
export function openCache({ url, prefix, answers }: CacheConfig, rig: CacheRig): OpenCache {
  const door = url === null ? null : openRedisDoor({ url, prefix }, rig)
  return { door, answers, cache: door === null ? createMemoryCache(rig) : createRedisCache(door, rig) }
}
