import { storeOf } from '../store.ts'
import type { TenantDb } from '../tenant-db.ts'
import { asOwner } from './as-owner.ts'
import { lockCorpus } from './corpus.ts'
import { rebuildWeights } from './rebuild-weights.ts'
import { toSpaceLiteral, toVectorIndexName } from './space.ts'
import { buildVectorIndex, prepareBuild } from './vector-index.ts'

/** Beyond so many live rows, going without the index costs its readers more than the writer gains. */
const smallCorpus = 2_000

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
  // One table in each transaction: a reader may hold either and wait for the other.
  await dropIndexes(tenant, space, [toVectorIndexName(space), 'knowledge_base_lex'])
  await dropIndexes(tenant, space, ['file_lex'])
}

async function dropIndexes(tenant: TenantDb, space: string, indexes: string[]): Promise<void> {
  const literal = toSpaceLiteral(space)
  await asOwner(tenant, async (tx) => {
    const { activeSpace } = await lockCorpus(tx)
    // The index of a space that the tenant is not in is somebody else's work.
    if (activeSpace !== null && activeSpace !== space) return
    const [live] = await tx.query<{ rows: number }>(
      `select count(*)::int as rows from (select 1 from knowledge_base where embedding_model = ${literal} and gone_at is null limit ${smallCorpus}) as head`,
    )
    if (live!.rows >= smallCorpus) return
    for (const index of indexes) await tx.query(`drop index if exists ${index}`)
  })
}

/** Brings weights up to date where the mean lengths have moved, then builds the search indexes that are not there. */
export async function endBulk(tenant: TenantDb, space: string): Promise<void> {
  await rebuildWeights(tenant)
  const { kind } = storeOf(tenant)
  await asOwner(tenant, async (tx) => {
    const { activeSpace } = await lockCorpus(tx)
    await prepareBuild(tx, kind)
    for (const [index, definition] of Object.entries(lexicalIndexes)) await tx.query(`create index if not exists ${index} ${definition}`)
    // Switched while the index was written: rows of the space it was begun in are not compared any more.
    await buildVectorIndex(tx, kind, activeSpace ?? space, { vector: 'embedding', model: 'embedding_model' })
  })
  // Outside the build's transaction: fresh statistics decide whether the new indexes are used.
  await asOwner(tenant, (tx) => tx.query('analyze knowledge_base, file, term, symbol, edge'))
}
