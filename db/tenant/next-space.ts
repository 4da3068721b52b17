import { toBinaryArray } from '../binary-array.ts'
import type { TenantDb } from '../tenant-db.ts'
import { lockCorpus } from './corpus.ts'
import { readVectorTypes, toSpaceLiteral, toVectorBytes } from './space.ts'

/** How far a change of embedding space is, in rows. `total` are those that need a vector of the next space. */
export type SpaceChange = { active: string | null; next: string | null; stale: boolean; done: number; total: number }

/** One text that is to be embedded anew; `model` and `key` name its rows as they are now. */
export type OldChunk = { model: string; key: string; content: string; scope: string[] }
export type NextVector = Pick<OldChunk, 'model' | 'key'> & { nextKey: string; vector: number[] }

/** What cannot be left behind: live chunks, and gone ones by which an answer is still to be found outdated. */
export const needed = '(gone_at is null or id in (select chunk_id from cited_chunk))'

export async function readSpaceChange(tenant: TenantDb): Promise<SpaceChange> {
  const rows = await tenant.transaction((tx) =>
    tx.query<SpaceChange>(
      `select active_space as active, next_space as next, next_stale as stale,
         (select count(*)::int from knowledge_base where ${needed}) as total,
         (select count(*)::int from knowledge_base where ${needed} and next_model = next_space) as done from corpus`,
    ),
  )
  return rows[0]!
}

/**
 * Notes the space that the tenant is to change to. It replaces one that was noted before; vectors that are there already count.
 * @returns false when the tenant is in that space; a change that was under way is given up then
 * @throws NuraError `bad-embedding-space`
 */
export function startSpaceChange(tenant: TenantDb, target: string): Promise<boolean> {
  toSpaceLiteral(target)
  return tenant.transaction(async (tx) => {
    const corpus = await lockCorpus(tx)
    if (corpus.activeSpace === target) {
      await tx.execute('update corpus set next_space = null, next_stale = next_stale or next_space is not null')
      return false
    }
    await tx.execute('update corpus set next_space = $1, next_stale = false', [target])
    return true
  })
}

/** Gives up a change under way; `clearNextSpace` removes what was made of it. @returns the space it led to, null when there was none */
export function cancelSpaceChange(tenant: TenantDb): Promise<string | null> {
  return tenant.transaction(async (tx) => {
    const { nextSpace } = await lockCorpus(tx)
    if (nextSpace !== null) await tx.execute('update corpus set next_space = null, next_stale = true')
    return nextSpace
  })
}

/** The next distinct chunks without a vector of the target, in the order of model and key, from where `after` ended. */
export function findOldChunks(tenant: TenantDb, target: string, after: Pick<OldChunk, 'model' | 'key'>, limit: number): Promise<OldChunk[]> {
  return tenant.transaction((tx) =>
    tx.query<OldChunk>(
      `select distinct on (embedding_model, chunk_key) embedding_model as model, chunk_key as key, content, scope from knowledge_base
       where (embedding_model, chunk_key) > ($2, $3) and next_model is distinct from $1 and ${needed} order by embedding_model, chunk_key limit $4`,
      [target, after.model, after.key, limit],
    ),
  )
}

/** Vectors of the target that rows with the same text have got already, by next key. */
export async function findNextVectors(tenant: TenantDb, target: string, chunks: Pick<OldChunk, 'model' | 'key'>[]): Promise<Map<string, number[]>> {
  const rows = await tenant.transaction((tx) =>
    tx.query<{ key: string; vector: string }>(
      `select distinct on (next_key) next_key as key, next_embedding::text as vector from knowledge_base
       join unnest($2::text[], $3::text[]) as given (model, key) on embedding_model = given.model and chunk_key = given.key where next_model = $1`,
      [target, chunks.map(({ model }) => model), chunks.map(({ key }) => key)],
    ),
  )
  return new Map(rows.map(({ key, vector }) => [key, JSON.parse(vector) as number[]]))
}

/**
 * Writes vectors beside those in use, to every row that has the text.
 * @returns how many rows got one; null when the tenant is no longer to change to the target, and nothing was written
 * @throws NuraError `wrong-dimensions`
 */
export function saveNextVectors(tenant: TenantDb, target: string, vectors: NextVector[]): Promise<number | null> {
  const cells = vectors.map(({ vector }) => toVectorBytes(vector))
  return tenant.transaction(async (tx) => {
    // Also keeps the writers of the index from meeting these rows in another order.
    const { nextSpace } = await lockCorpus(tx)
    if (nextSpace !== target) return null
    const types = await readVectorTypes(tx)
    return tx.execute(
      `update knowledge_base k set next_embedding = given.vector, next_model = $1, next_key = given.next_key
       from unnest($2::text[], $3::text[], $4::text[], $5::vector[]) as given (model, key, next_key, vector)
       where k.embedding_model = given.model and k.chunk_key = given.key and k.next_model is distinct from $1`,
      [target, vectors.map(({ model }) => model), vectors.map(({ key }) => key), vectors.map(({ nextKey }) => nextKey), toBinaryArray(types.vector, cells)],
    )
  })
}
