import type { Transaction } from '../transaction.ts'
import { toSpaceLiteral, toVectorIndexName } from './space.ts'

export type VectorColumns = { vector: string; model: string }

/** Memory and workers for building indexes in this transaction. */
export async function prepareBuild(tx: Transaction): Promise<void> {
  for (const setting of await buildSettings(tx)) await tx.query(`set local ${setting}`)
}

const mb = 1024 * 1024
/** What any server has to spare for a build. */
const leastMemory = 256 * mb
/** A vector and its neighbours in the graph that is being built, with room to spare. */
const bytesOfChunk = 6 * 1024

/**
 * What to `set` before an index is built. A graph that outgrows its memory is written row by row, several times slower: a large one
 * may have what the server's operator gives to maintenance, or half of what is given to pages where that is more. No more is set than
 * the tenant's chunks need, as a parallel build takes all of it from the start.
 */
export async function buildSettings(tx: Transaction): Promise<string[]> {
  const [server] = await tx.query<{ version: string; maintenance: string; pages: string; chunks: number }>(
    `select extversion as version, pg_size_bytes(current_setting('maintenance_work_mem')) as maintenance, pg_size_bytes(current_setting('shared_buffers')) as pages, chunks
     from pg_extension, corpus where extname = 'vector'`,
  )
  const { version, maintenance, pages, chunks } = server!
  const most = Math.max(leastMemory, Number(maintenance), Number(pages) / 2)
  const memory = Math.max(64 * mb, Math.min(most, chunks * bytesOfChunk))
  // Parallel builds of pgvector before 0.8.4 overflow a buffer.
  return [`maintenance_work_mem to '${Math.floor(memory / 1024)}kB'`, ...(isBefore(version, [0, 8, 4]) ? ['max_parallel_maintenance_workers to 0'] : [])]
}

/** What follows `create index NAME`. */
export function toVectorIndex(space: string, { vector, model }: VectorColumns): string {
  return `on knowledge_base using hnsw (${vector} vector_cosine_ops) with (m = 16, ef_construction = 64) where ${model} = ${toSpaceLiteral(space)} and gone_at is null`
}

/** Builds a space's HNSW index over these columns where it is not there; one of its name that lies on others gives way. */
export async function buildVectorIndex(tx: Transaction, space: string, columns: VectorColumns): Promise<void> {
  const name = toVectorIndexName(space)
  const standing = await indexesOn(tx, [columns.vector])
  if (standing.includes(name)) return
  await tx.query(`drop index if exists ${name}`)
  await tx.query(`create index ${name} ${toVectorIndex(space, columns)}`)
}

/** Names of the indexes of `knowledge_base` that have one of these columns as a key; `broken` those too whose building was cut off. */
export async function indexesOn(tx: Transaction, columns: string[], broken: 'broken' | null = null): Promise<string[]> {
  const rows = await tx.query<{ name: string }>(
    `select distinct c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid
     join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey::int2[])
     where i.indrelid = 'knowledge_base'::regclass and a.attname = any($1::text[]) and (i.indisvalid or $2)`,
    [columns, broken !== null],
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
