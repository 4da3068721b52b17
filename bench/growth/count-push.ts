import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import { openDb } from '#db/index.ts'
import { watchSql } from '#db/testing/watch-sql.ts'
import type { Subject } from './subject.ts'

export type PushCounts = { statements: number; rows: number; walBytes: number }

const application = 'nura-counted'

/** What one push asks of the database: over connections of its own, which tell all that they did when they end. */
export async function countPush(raw: Client, url: string, { tenant, push }: Subject): Promise<PushCounts> {
  const db = await openDb({ url: `${url}?application_name=${application}`, dataDir: 'memory://', encryptionKey: Buffer.alloc(32, 1), poolSize: 10 })
  const before = await readCounts(raw, tenant.schema)
  let statements = 0
  try {
    const to = await db.tenant(tenant.id)
    const unwatch = watchSql(to, () => void statements++)
    await push(to)
    unwatch()
  } finally {
    await db.close()
  }
  while ((await raw.query('select 1 from pg_stat_activity where application_name = $1', [application])).rows.length > 0) await sleep(20)
  const after = await readCounts(raw, tenant.schema)
  return { statements, rows: after.rows - before.rows, walBytes: after.wal - before.wal }
}

async function readCounts(raw: Client, schema: string): Promise<{ rows: number; wal: number }> {
  const { rows } = await raw.query<{ rows: number; wal: number }>(
    `select sum(n_tup_ins + n_tup_upd + n_tup_del)::float8 as rows, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 as wal from pg_stat_user_tables where schemaname = $1`,
    [schema],
  )
  return rows[0]!
}
