import type { Store } from '../store.ts'
import type { Transaction } from '../transaction.ts'
import { dimensions, toSpaceLiteral, toVectorIndexName } from './space.ts'

export type VectorColumns = { vector: string; model: string }
type Kind = Store['kind']

/**
 * What is indexed of a vector. On a server that are its halves: three stand in a page where one whole vector does, and the same chunks
 * are found. The embedded store has no instruction for halves, and would build ten times as long.
 * `bytes`: of a vector and its neighbours in a graph that is being built, with room to spare.
 */
const indexing: Record<Kind, { of(vector: string): string; operators: string; bytes: number }> = {
  embedded: { of: (vector) => vector, operators: 'vector_cosine_ops', bytes: 6 * 1024 },
  postgres: { of: (vector) => `${vector}::halfvec(${dimensions})`, operators: 'halfvec_cosine_ops', bytes: 4 * 1024 },
}

/** The distance of a row to the vector that is the statement's first value, as the index knows it. */
export function toDistance(kind: Kind): string {
  const { of } = indexing[kind]
  return `${of('embedding')} <=> ${of('$1::vector')}`
}

/** Memory and workers for building indexes in this transaction. */
export async function prepareBuild(tx: Transaction, kind: Kind): Promise<void> {
  for (const setting of await buildSettings(tx, kind)) await tx.query(`set local ${setting}`)
}

const mb = 1024 * 1024
/** What any server has to spare for a build. */
const leastMemory = 256 * mb

/**
 * What to `set` before an index is built. A graph that outgrows its memory is written row by row, several times slower: a large one
 * may have what the server's operator gives to maintenance, or half of what is given to pages where that is more. No more is set than
 * the tenant's chunks need, as a parallel build takes all of it from the start.
 */
export async function buildSettings(tx: Transaction, kind: Kind): Promise<string[]> {
  const [server] = await tx.query<{ version: string; maintenance: string; pages: string; chunks: number }>(
    `select extversion as version, pg_size_bytes(current_setting('maintenance_work_mem')) as maintenance, pg_size_bytes(current_setting('shared_buffers')) as pages, chunks
     from pg_extension, corpus where extname = 'vector'`,
  )
  const { version, maintenance, pages, chunks } = server!
  const most = Math.max(leastMemory, Number(maintenance), Number(pages) / 2)
  const memory = Math.max(64 * mb, Math.min(most, chunks * indexing[kind].bytes))
  // Parallel builds of pgvector before 0.8.4 overflow a buffer.
  return [`maintenance_work_mem to '${Math.floor(memory / 1024)}kB'`, ...(isBefore(version, [0, 8, 4]) ? ['max_parallel_maintenance_workers to 0'] : [])]
}

/** What follows `create index NAME`. */
export function toVectorIndex(kind: Kind, space: string, { vector, model }: VectorColumns): string {
  return `on knowledge_base using hnsw ((${indexing[kind].of(vector)}) ${indexing[kind].operators}) with (m = 16, ef_construction = 64) where ${model} = ${toSpaceLiteral(space)} and gone_at is null`
}

/** Builds a space's HNSW index over these columns where it is not there; one of its name that lies on others gives way. */
export async function buildVectorIndex(tx: Transaction, kind: Kind, space: string, columns: VectorColumns): Promise<void> {
  const name = toVectorIndexName(space)
  const standing = await indexesOn(tx, [columns.vector])
  if (standing.includes(name)) return
  await tx.query(`drop index if exists ${name}`)
  await tx.query(`create index ${name} ${toVectorIndex(kind, space, columns)}`)
}

/** Names of the indexes of `knowledge_base` that hold one of these columns, as it is or made into something; `broken` those too whose building was cut off. */
export async function indexesOn(tx: Transaction, columns: string[], broken: 'broken' | null = null): Promise<string[]> {
  const rows = await tx.query<{ name: string }>(
    `select distinct c.relname as name from pg_attribute a
     join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = a.attrelid and d.refobjsubid = a.attnum and d.classid = 'pg_class'::regclass
     join pg_index i on i.indexrelid = d.objid join pg_class c on c.oid = i.indexrelid
     where a.attrelid = 'knowledge_base'::regclass and a.attname = any($1::text[]) and (i.indisvalid or $2)`,
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
