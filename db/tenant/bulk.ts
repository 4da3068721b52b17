import { storeOf } from '../store.ts'
import type { TenantDb } from '../tenant-db.ts'
import { runTransaction } from '../transaction.ts'
import { lockCorpus } from './corpus.ts'
import { rebuildWeights } from './rebuild-weights.ts'
import { toSpaceLiteral, toVectorIndexName } from './space.ts'

/** Beyond so many live rows, going without the index costs its readers more than the writer gains. */
const smallCorpus = 2_000
const buildTimeoutMs = 30 * 60_000

/**
 * Takes the HNSW index of `space` away while a first index is written: loading rows and building once is several times
 * faster than inserting into it. A tenant that has many rows already keeps its index. `endBulk` must follow.
 */
export async function beginBulk(tenant: TenantDb, space: string): Promise<void> {
  const literal = toSpaceLiteral(space)
  await asOwner(tenant, async (tx) => {
    await lockCorpus(tx)
    const [live] = await tx.query<{ rows: number }>(
      `select count(*)::int as rows from (select 1 from knowledge_base where embedding_model = ${literal} and gone_at is null limit ${smallCorpus}) as head`,
    )
    if (live!.rows < smallCorpus) await tx.query(`drop index if exists ${toVectorIndexName(space)}`)
  })
}

/** Brings weights up to date where the mean lengths have moved, then builds the HNSW index of `space` unless it is there. */
export async function endBulk(tenant: TenantDb, space: string): Promise<void> {
  const literal = toSpaceLiteral(space)
  await rebuildWeights(tenant)
  await asOwner(tenant, async (tx) => {
    await lockCorpus(tx)
    const [extension] = await tx.query<{ version: string }>(`select extversion as version from pg_extension where extname = 'vector'`)
    // Parallel builds of pgvector before 0.8.4 overflow a buffer.
    if (isBefore(extension!.version, [0, 8, 4])) await tx.query('set local max_parallel_maintenance_workers to 0')
    await tx.query(`set local maintenance_work_mem to '256MB'`)
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
