import { toBinaryArray } from '../binary-array.ts'
import type { TenantDb } from '../tenant-db.ts'
import type { Transaction } from '../transaction.ts'
import { lockCorpus, readCorpus, saveCorpus } from './corpus.ts'
import { readVectorTypes } from './space.ts'
import { reweigh } from './terms.ts'

/** How far the true mean length may stray from the one that weights were made with. */
const drift = 0.25
const batch = 500

/**
 * Makes the BM25 weights anew once the mean length of chunks or files has moved by more than a quarter. In batches, each
 * its own transaction: a search in between sees some weights of the old mean, which shifts scores slightly and loses nothing.
 *
 * @returns whether anything was out of date.
 */
export async function rebuildWeights(tenant: TenantDb): Promise<boolean> {
  const corpus = await readCorpus(tenant)
  const means = { chunks: corpus.chunkTokens / Math.max(corpus.chunks, 1), files: corpus.fileTokens / Math.max(corpus.files, 1) }
  const [chunks, files] = [hasDrifted(corpus.meanChunkLength, means.chunks), hasDrifted(corpus.meanFileLength, means.files)]
  if (!chunks && !files) return false
  await tenant.transaction(async (tx) => {
    const locked = await lockCorpus(tx)
    if (chunks) locked.meanChunkLength = means.chunks
    if (files) locked.meanFileLength = means.files
    await saveCorpus(tx, locked)
  })
  if (chunks) await reweighAll(tenant, 'knowledge_base', 'gone_at is null', means.chunks)
  if (files) await reweighAll(tenant, 'file', 'lex is not null', means.files)
  return true
}

function hasDrifted(frozen: number, mean: number): boolean {
  return mean > 0 && Math.abs(frozen - mean) > drift * mean
}

async function reweighAll(tenant: TenantDb, table: 'knowledge_base' | 'file', live: string, mean: number): Promise<void> {
  let after = '00000000-0000-0000-0000-000000000000'
  for (;;) {
    const last = await tenant.transaction((tx) => reweighBatch(tx, table, live, mean, after))
    if (last === null) return
    after = last
  }
}

async function reweighBatch(tx: Transaction, table: string, live: string, mean: number, after: string): Promise<string | null> {
  await lockCorpus(tx)
  const rows = await tx.query<{ id: string; sparse: string; length: number; mean: number }>(
    `select id, sparse::text, token_length as length, mean_length as mean from ${table} where ${live} and id > $1 order by id limit ${batch}`,
    [after],
  )
  const stale = rows.filter((row) => row.mean !== Math.fround(mean))
  if (stale.length > 0) {
    const { sparsevec } = await readVectorTypes(tx)
    await tx.execute(
      `update ${table} set sparse = given.sparse, mean_length = $1
       from unnest($2::uuid[], $3::sparsevec[]) as given (id, sparse) where ${table}.id = given.id`,
      [mean, stale.map(({ id }) => id), toBinaryArray(sparsevec, stale.map((row) => reweigh(row.sparse, row.length, row.mean, mean)))],
    )
  }
  return rows.at(-1)?.id ?? null
}
