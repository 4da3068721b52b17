import { storeOf } from '../store.ts'
import type { TenantDb } from '../tenant-db.ts'
import { runTransaction } from '../transaction.ts'
import { lockCorpus } from './corpus.ts'
import { rebuildWeights } from './rebuild-weights.ts'
import { toSpaceLiteral, toVectorIndexName } from './space.ts'

/** Beyond so many live rows, going without the index costs its readers more than the writer gains. */
const smallCorpus = 2_000
const buildTimeoutMs = 30 * 60_000

/** The GIN indexes of the newest migration, whose upkeep is most of what a row costs. */
const lexicalIndexes = {
  knowledge_base_lex: 'on knowledge_base using gin (lex) with (fastupdate = off) where gone_at is null',
  file_lex: 'on file using gin (lex) with (fastupdate = off)',
}

/**
 * Takes the search indexes away while a first index is written: loading rows and building once is several times faster
 * than inserting into them. A tenant that has many rows already keeps its own. `endBulk` must follow, also after a failure.
 */
export async function beginBulk(tenant: TenantDb, space: string): Promise<void> {
  const literal = toSpaceLiteral(space)
  await asOwner(tenant, async (tx) => {
    await lockCorpus(tx)
    const [live] = await tx.query<{ rows: number }>(
      `select count(*)::int as rows from (select 1 from knowledge_base where embedding_model = ${literal} and gone_at is null limit ${smallCorpus}) as head`,
    )
    if (live!.rows >= smallCorpus) return
    for (const index of [toVectorIndexName(space), ...Object.keys(lexicalIndexes)]) await tx.query(`drop index if exists ${index}`)
  })
}

/** Brings weights up to date where the mean lengths have moved, then builds the search indexes that are not there. */
export async function endBulk(tenant: TenantDb, space: string): Promise<void> {
  const literal = toSpaceLiteral(space)
  await rebuildWeights(tenant)
  await asOwner(tenant, async (tx) => {
    await lockCorpus(tx)
    const [extension] = await tx.query<{ version: string }>(`select extversion as version from pg_extension where extname = 'vector'`)
    // Parallel builds of pgvector before 0.8.4 overflow a buffer.
    if (isBefore(extension!.version, [0, 8, 4])) await tx.query('set local max_parallel_maintenance_workers to 0')
    await tx.query(`set local maintenance_work_mem to '256MB'`)
    for (const [index, definition] of Object.entries(lexicalIndexes)) await tx.query(`create index if not exists ${index} ${definition}`)
    await tx.query(
      `create index if not exists ${toVectorIndexName(space)} on knowledge_base using hnsw (embedding vector_cosine_ops) with (m = 16, ef_construction = 64)
       where embedding_model = ${literal} and gone_at is null`,
    )
  })
  // Outside the build's transaction: fresh statistics decide whether the new indexes are used.
  await asOwner(tenant, (tx) => tx.query('analyze knowledge_base, file, term, symbol, edge'))
}

/** A tenant's role may not alter its tables, so this runs with the owner's rights on the tenant's schema. */
function asOwner<T>(tenant: TenantDb, run: Parameters<typeof runTransaction<T>>[2]): Promise<T> {
  return runTransaction(storeOf(tenant), { role: null, schema: tenant.schema }, run, { statementTimeoutMs: buildTimeoutMs })
}

function isBefore(version: string, wanted: number[]): boolean {
  const parts = version.split('.').map(Number)
  for (let at = 0; at < wanted.length; at++) {
    const difference = (parts[at] ?? 0) - wanted[at]!
    if (difference !== 0) return difference < 0
  }
  return false
}
