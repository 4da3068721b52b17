import type { Client } from 'pg'
import type { TenantDb } from '#db/index.ts'
import { beginBulk, endBulk } from '#db/tenant/bulk.ts'
import { clusteredEmbedders } from '../clustered-embedder.ts'

/** Each after what it refers to. */
const tables = ['repository', 'source_file', 'file', 'knowledge_base', 'symbol', 'edge', 'term', 'corpus']

/**
 * Makes an empty tenant's index the same as another's, row for row, its statistics included: sooner than indexing again. The
 * search indexes are built as after a first indexing.
 */
export async function copyTenant(raw: Client, from: TenantDb, to: TenantDb): Promise<void> {
  const { space } = clusteredEmbedders.primary
  await beginBulk(to, space)
  await raw.query(`delete from "${to.schema}".corpus`)
  for (const table of tables) await raw.query(`insert into "${to.schema}".${table} overriding system value select * from "${from.schema}".${table}`)
  for (const table of ['symbol', 'edge']) {
    await raw.query(`select setval(pg_get_serial_sequence('"${to.schema}".${table}', 'id'), (select coalesce(max(id), 1) from "${to.schema}".${table}))`)
  }
  await endBulk(to, space)
}
