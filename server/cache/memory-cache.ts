import { LRUCache } from 'lru-cache'
import { toTenantStart } from './cache-key.ts'
import type { Cache, CacheRig } from './cache.ts'

/** Bytes of all keys and values together; what was used longest ago goes first. */
const mostBytes = 64 * 1024 * 1024
/** What one entry takes beside its text. */
const entryBytes = 200
/** Between two sweeps of what is too old. */
const sweepMs = 60_000

/** The cache of a process that has no Redis. Other processes do not see it. */
export function createMemoryCache({ metrics }: Pick<CacheRig, 'metrics'>, options: { mostBytes?: number; sweepMs?: number } = {}): Cache {
  const entries = new LRUCache<string, string>({
    maxSize: options.mostBytes ?? mostBytes,
    // Two bytes a character is the most that a string takes.
    sizeCalculation: (value, key) => 2 * (key.length + value.length) + entryBytes,
  })
  // An entry that nobody asks for again must still go when its time is over: it may hold a tenant's text.
  const sweep = setInterval(() => entries.purgeStale(), options.sweepMs ?? sweepMs).unref()
  return {
    async get({ purpose, text }) {
      const value = entries.get(text) ?? null
      metrics.cache.inc({ cache: purpose, outcome: value === null ? 'miss' : 'hit' })
      return value
    },
    async set({ text }, value, ttlMs) {
      entries.set(text, value, { ttl: ttlMs })
    },
    async drop({ text }) {
      entries.delete(text)
      return true
    },
    async dropTenant(tenantId) {
      const start = toTenantStart(tenantId)
      return [...entries.keys()].filter((text) => text.startsWith(start)).filter((text) => entries.delete(text)).length
    },
    async close() {
      clearInterval(sweep)
      entries.clear()
    },
  }
}
