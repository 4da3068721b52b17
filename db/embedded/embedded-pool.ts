import { EventEmitter } from 'node:events'
import type { PGlite } from '@electric-sql/pglite'
import pg from 'pg'
import utils from 'pg/lib/utils.js'
import type { Pool, PoolClient, PoolQuery, PoolResult } from '../pool.ts'
import { createMutex, type Mutex } from './mutex.ts'

const begins = /^\s*(begin|start\s+transaction)\b/i
const ends = /^\s*(commit|end|abort|rollback(?!\s+(work\s+|transaction\s+)?to\b))\b/i

/** A client of the embedded pool; `notification` fires for every channel any client of the pool listens to. */
export type EmbeddedClient = PoolClient & EventEmitter
export type EmbeddedPool = EventEmitter & Omit<Pool, 'connect'> & { connect(): Promise<EmbeddedClient>; query: PoolClient['query']; options: { max: number; keepAlive: boolean } }

/**
 * node-postgres' pool over one in-process PGlite.
 *
 * PGlite has one session, so every statement outside a transaction runs alone, and a transaction holds the session from
 * its BEGIN to its COMMIT or ROLLBACK while others wait their turn. Values and rows are converted by node-postgres'
 * own rules, so that the same code sees the same types on both stores.
 */
export function createEmbeddedPool(db: PGlite): EmbeddedPool {
  const mutex = createMutex()
  const clients = new Set<EmbeddedClient>()
  let ended = false
  const off = db.onNotification((channel, payload) => {
    for (const client of clients) client.emit('notification', { channel, payload, processId: 0 })
  })
  const connect = async () => {
    if (ended) throw new Error('Cannot use a pool after calling end on the pool')
    const client = createClient(db, mutex, () => clients.delete(client))
    clients.add(client)
    return client
  }
  return Object.assign(new EventEmitter().setMaxListeners(0), {
    options: { max: 1, keepAlive: true },
    connect,
    async query<Row>(query: string | PoolQuery, values?: readonly unknown[]) {
      const client = await connect()
      try {
        return await client.query<Row>(query, values)
      } finally {
        client.release()
      }
    },
    async end() {
      ended = true
      off()
    },
  })
}

function createClient(db: PGlite, mutex: Mutex, onRelease: () => void): EmbeddedClient {
  let leave: (() => void) | null = null
  let released = false
  const emitter = new EventEmitter().setMaxListeners(0)
  return Object.assign(emitter, {
    async query<Row>(query: string | PoolQuery, values?: readonly unknown[]) {
      if (released) throw new Error('Client was released and is not usable any more')
      const text = typeof query === 'string' ? query : query.text
      const bound = (typeof query === 'string' ? values : query.values) ?? []
      if (leave) {
        try {
          return await run<Row>(db, text, bound)
        } finally {
          if (ends.test(text)) {
            leave()
            leave = null
          }
        }
      }
      const done = await mutex.acquire()
      try {
        const result = await run<Row>(db, text, bound)
        if (begins.test(text)) leave = done
        return result
      } catch (error) {
        if (begins.test(text)) await db.exec('rollback')
        throw error
      } finally {
        if (!leave) done()
      }
    },
    release() {
      if (released) return
      released = true
      onRelease()
      const done = leave
      leave = null
      if (done) db.exec('rollback').then(done, done)
    },
  })
}

async function run<Row>(db: PGlite, text: string, values: readonly unknown[]): Promise<PoolResult<Row>> {
  const last = (await (values.length > 0 ? db.query(text, values.map((value) => utils.prepareValue(value)), { parsers, serializers }).then((result) => [result]) : db.exec(text, { parsers })).catch(withoutValues)).at(-1)
  return { rows: (last?.rows ?? []) as Row[], rowCount: last?.affectedRows || last?.rows.length || 0, command: last?.command ?? '' }
}

/** PGlite puts the values of a failed statement into its error, where a log would find them. */
function withoutValues(error: Error & { params?: unknown; query?: unknown; queryOptions?: unknown }): never {
  delete error.params
  delete error.query
  delete error.queryOptions
  throw error
}

const parsers = Object.fromEntries(
  Object.values(pg.types.builtins)
    .concat([1000, 1005, 1007, 1009, 1015, 1016, 1021, 1022, 1115, 1182, 1185, 1231, 199, 2951, 3807] as never[])
    .map((oid) => [oid, pg.types.getTypeParser(oid, 'text')]),
)
/** Values come as they are sent: text, or bytes for what is in binary form. */
const serializers = new Proxy({}, { get: () => (value: string) => value }) as Record<number, (value: string) => string>
