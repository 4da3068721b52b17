import type { EventEmitter } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Queue, Worker, createPostgresBackend, runMigrations } from 'bullmq'
import type { PgPool, Processor, WorkerOptions } from 'bullmq'
import { Redis } from 'ioredis'
import type { RedisOptions } from 'ioredis'
import type { QueueConnection } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { keepAnswering } from '#server/cache/keep-answering.ts'
import type { JobsConfig } from './config.ts'

/** One side's door to where the queue lives: Redis, or the database itself. */
export type QueueStore = {
  kind: 'redis' | 'postgres'
  openQueue(name: string): Promise<Queue>
  openWorker(name: string, run: Processor, options: Omit<WorkerOptions, 'connection'>): Promise<Worker>
  /** Resolves when jobs would be kept. @throws NuraError `queue-unavailable`, `queue-evicts` */
  ready(): Promise<void>
  close(): Promise<void>
}

/** @param pool the database's pool for the queue; asked for only when no Redis is configured, closed with the database. */
export function openQueueStore(config: JobsConfig, side: Side, pool: () => QueueConnection, onError: (error: unknown) => void): QueueStore {
  return config.redisUrl === null ? openInPostgres(pool()) : openInRedis(config.redisUrl, config.prefix, side, onError)
}

/**
 * A producer must fail fast, so that an event is acknowledged from the database: no offline queue (a dead Redis), and a
 * limit for each command (a frozen one, which nothing else notices). A worker waits for its store for ever, but not for the
 * rest of a garbled reply: it asks for a job every five seconds, so a connection that says nothing for longer is begun anew.
 */
const sides = {
  producer: { enableOfflineQueue: false, commandTimeout: 500, maxRetriesPerRequest: 1, connectTimeout: 2_000 },
  worker: { maxRetriesPerRequest: null, connectTimeout: 10_000, socketTimeout: 15_000 },
} satisfies Record<string, RedisOptions>
type Side = keyof typeof sides

/**
 * BullMQ asks again at once whenever a store refuses in words: that it starts up, is full, may only be read, has no connection
 * left. Asked thousands of times a second it does not recover, and a pool that has ended leaves the process to nothing else.
 */
class PatientWorker extends Worker {
  protected override async moveToActive(token: string, name?: string) {
    try {
      return await super.moveToActive(token, name)
    } catch (error) {
      await sleep(this.opts.runRetryDelay)
      throw error
    }
  }
}

function openInRedis(url: string, prefix: string, side: Side, onError: (error: unknown) => void): QueueStore {
  const redis = new Redis(url, {
    ...sides[side],
    // Reconnects for ever, at most two seconds apart: a Redis that comes back is used at once.
    retryStrategy: (attempt) => Math.min(attempt * 200, 2_000),
    keepAlive: 10_000,
    connectionName: `nura-${side}`,
  })
  redis.on('error', onError)
  keepAnswering(redis)
  return {
    kind: 'redis',
    openQueue: async (name) => new Queue(name, { connection: redis, prefix }),
    openWorker: async (name, run, options) => new PatientWorker(name, run, { ...options, connection: redis, prefix }),
    async ready() {
      const memory = await redis.info('memory').catch((cause: unknown) => {
        throw unavailable(cause)
      })
      const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1] ?? 'noeviction'
      if (policy === 'noeviction') return
      throw new NuraError('queue-evicts', `Redis may drop jobs: its maxmemory-policy is ${policy}. Set it to noeviction (CONFIG SET maxmemory-policy noeviction, and in redis.conf).`, {
        retryable: true,
      })
    },
    close: async () => redis.disconnect(),
  }
}

function openInPostgres(connection: QueueConnection): QueueStore {
  const pool = connection as unknown as PgPool
  // Each queue and worker listens to the pool they share; that is no leak.
  ;(pool as unknown as EventEmitter).setMaxListeners(0)
  let migrated: Promise<void> | null = null
  const prepare = () =>
    (migrated ??= migrateQueue(connection).catch((error: unknown) => {
      migrated = null
      throw error
    }))
  return {
    kind: 'postgres',
    async openQueue(name) {
      await prepare()
      return new Queue(name, { connection: pool }, createPostgresBackend) as unknown as Queue
    },
    async openWorker(name, run, options) {
      await prepare()
      return new (PatientWorker as typeof Worker)(name, run, { ...options, connection: pool }, createPostgresBackend) as unknown as Worker
    },
    async ready() {
      await prepare().catch((cause: unknown) => {
        throw unavailable(cause)
      })
      await pool.query('select 1')
    },
    close: async () => undefined,
  }
}

/** Brings the queue's own schema up to date. Idempotent, and safe when several processes start at once. */
export async function migrateQueue(connection: QueueConnection): Promise<void> {
  const client = await (connection as unknown as PgPool).connect()
  try {
    await runMigrations(client, 'bullmq')
  } finally {
    client.release()
  }
}

export function unavailable(cause: unknown): NuraError {
  return new NuraError('queue-unavailable', 'The job queue does not answer. Nothing is lost: what was accepted is picked up once it is back.', { retryable: true, cause })
}
