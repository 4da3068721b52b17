import type { PoolQuery } from '../pool.ts'
import { storeOf } from '../store.ts'

export type SentSql = { text: string; values: readonly unknown[] }

/**
 * Shows each statement that goes to the store before it is sent; one that `watch` throws at is not sent, as if the process had
 * ended there.
 * @returns ends it
 */
export function watchSql(door: object, watch: (sent: SentSql) => void): () => void {
  const { pool } = storeOf(door)
  const connect = pool.connect
  pool.connect = async () => {
    const client = await connect.call(pool)
    const query = client.query.bind(client) as (query: string | PoolQuery, values?: readonly unknown[]) => Promise<never>
    client.query = async (given: string | PoolQuery, values?: readonly unknown[]) => {
      watch(typeof given === 'string' ? { text: given, values: values ?? [] } : { text: given.text, values: given.values ?? [] })
      return query(given, values)
    }
    const release = client.release.bind(client)
    client.release = (destroy) => {
      client.query = query as typeof client.query
      client.release = release
      release(destroy)
    }
    return client
  }
  return () => void (pool.connect = connect)
}
