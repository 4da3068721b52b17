import type { Duplex } from 'node:stream'
import pg from 'pg'
import type { Pool, PoolClient, PoolQuery } from './pool.ts'

/** Milliseconds the server lets one statement run; the client gives up a little later, so that the server speaks first. */
export const statementTimeoutMs = 15_000
export const clientGraceMs = 5_000

/**
 * A node-postgres pool whose clients are destroyed, not lent again, when they were given back inside a transaction or
 * after an error that did not come from the server (a read timeout leaves the answer to come on the same socket).
 */
export function createServerPool(url: string, size: number, settings: pg.PoolConfig = {}): Pool & { pg: pg.Pool } {
  const pool = new pg.Pool({
    connectionString: url,
    max: size,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + clientGraceMs,
    idle_in_transaction_session_timeout: 60_000,
    application_name: 'nura',
    // What is sent without waiting travels together; see `at-once.ts`.
    ...({ pipeline: true } as object),
    ...settings,
  })
  // A client that drops is replaced by the pool and its question fails by itself; without these listeners the error event
  // of an idle, lent or ending client would end the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  // Each queue and worker adds its own listeners.
  pool.setMaxListeners(0)
  return { pg: pool, connect: async () => guard(await pool.connect()), end: () => pool.end() }
}

function guard(client: pg.PoolClient): PoolClient {
  let broken: Error | null = null
  const onError = (error: Error) => void (broken = error)
  client.on('error', onError)
  const gather = createGather(client)
  return {
    async query<Row>(query: string | PoolQuery, values?: readonly unknown[]) {
      gather()
      try {
        const result = (await (typeof query === 'string' ? client.query(query, values as unknown[]) : client.query(query as pg.QueryConfig))) as
          | pg.QueryResult
          | pg.QueryResult[]
        const last = Array.isArray(result) ? result.at(-1)! : result
        return { rows: last.rows as Row[], rowCount: last.rowCount, command: last.command }
      } catch (error) {
        if (!(error instanceof pg.DatabaseError)) broken = error as Error
        throw error
      }
    },
    release(destroy) {
      client.off('error', onError)
      client.release(destroy || broken || client.getTransactionStatus() !== 'I')
    },
  }
}

/** What is asked before the loop turns leaves in one write: a write costs as much as a small statement. */
function createGather(client: pg.PoolClient): () => void {
  const { stream } = (client as unknown as { connection: { stream: Duplex } }).connection
  let isGathering = false
  return () => {
    if (isGathering) return
    isGathering = true
    stream.cork()
    process.nextTick(() => {
      isGathering = false
      stream.uncork()
    })
  }
}
