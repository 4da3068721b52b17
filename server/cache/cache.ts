import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { CacheKey } from './cache-key.ts'

/**
 * What may be lost at any time and is never the record. A store that is away, slow or full makes every `get` a miss: nothing
 * here throws, and nothing waits longer than the store's own short limit.
 */
export type Cache = {
  /** Null for what is not kept, is too old, or cannot be had just now. */
  get(key: CacheKey): Promise<string | null>
  /** Keeps a value for at most `ttlMs`; perhaps not at all. */
  set(key: CacheKey, value: string, ttlMs: number): Promise<void>
  /** @returns false when the store did not confirm it; the value then goes with its time. */
  drop(key: CacheKey): Promise<boolean>
  /** Drops everything kept of a tenant. @returns how many values, or null when the store did not confirm it. */
  dropTenant(tenantId: string): Promise<number | null>
  close(): Promise<void>
}

/** What every cache is opened with. */
export type CacheRig = { log: Pick<Logger, 'warn'>; metrics: Pick<Metrics, 'cache'> }
