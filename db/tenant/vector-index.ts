import type { Transaction } from '../transaction.ts'
import { toSpaceLiteral, toVectorIndexName } from './space.ts'

export type VectorColumns = { vector: string; model: string }

/** Memory and workers for building indexes in this transaction. */
export async function prepareBuild(tx: Transaction): Promise<void> {
  const [extension] = await tx.query<{ version: string }>(`select extversion as version from pg_extension where extname = 'vector'`)
  // Parallel builds of pgvector before 0.8.4 overflow a buffer.
  if (isBefore(extension!.version, [0, 8, 4])) await tx.query('set local max_parallel_maintenance_workers to 0')
  await tx.query(`set local maintenance_work_mem to '256MB'`)
}

/** Builds a space's HNSW index over these columns where it is not there; one of its name that lies on others gives way. */
export async function buildVectorIndex(tx: Transaction, space: string, columns: VectorColumns): Promise<void> {
  const name = toVectorIndexName(space)
  const standing = await indexesOn(tx, [columns.vector])
  if (standing.includes(name)) return
  await tx.query(`drop index if exists ${name}`)
  await tx.query(
    `create index ${name} on knowledge_base using hnsw (${columns.vector} vector_cosine_ops) with (m = 16, ef_construction = 64)
     where ${columns.model} = ${toSpaceLiteral(space)} and gone_at is null`,
  )
}

/** Names of the indexes of `knowledge_base` that have one of these columns as a key. */
export async function indexesOn(tx: Transaction, columns: string[]): Promise<string[]> {
  const rows = await tx.query<{ name: string }>(
    `select distinct c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid
     join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey::int2[])
     where i.indrelid = 'knowledge_base'::regclass and a.attname = any($1::text[])`,
    [columns],
  )
  return rows.map(({ name }) => name)
}

function isBefore(version: string, wanted: number[]): boolean {
  const parts = version.split('.').map(Number)
  for (let at = 0; at < wanted.length; at++) {
    const difference = (parts[at] ?? 0) - wanted[at]!
    if (difference !== 0) return difference < 0
  }
  return false
}
