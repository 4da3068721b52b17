import type { Db } from '../index.ts'
import { storeOf } from '../store.ts'

/** Rows of every table of Nura's, by `schema.table`: the control plane and each tenant, the queue's own tables aside. */
export async function countRows(db: Db): Promise<Record<string, number>> {
  const client = await storeOf(db).pool.connect()
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
       where schemaname not like 'pg\\_%' and schemaname not in ('information_schema', 'bullmq') order by 1`,
    )
    const counted = tables.map(({ name }) => `select '${name.replaceAll("'", "''")}' as name, count(*)::int as rows from ${name}`)
    const { rows } = await client.query<{ name: string; rows: number }>(counted.join(' union all '))
    return Object.fromEntries(rows.map(({ name, rows: count }) => [name, count]))
  } finally {
    client.release()
  }
}
