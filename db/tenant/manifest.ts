import type { TenantDb } from '../tenant-db.ts'
import { lockCorpus, saveCorpus } from './corpus.ts'
import { rebuildWeights } from './rebuild-weights.ts'

/** What the index holds of a repository, by path: what a tree is held against. */
export async function readManifest(tenant: TenantDb, repositoryId: string): Promise<Map<string, { blobSha: string; chunkerVersion: number; skipReason: string | null }>> {
  const rows = await tenant.transaction((tx) =>
    tx.query<{ path: string; blobSha: string; chunkerVersion: number; skipReason: string | null }>(
      'select path, blob_sha as "blobSha", chunker_version as "chunkerVersion", skip_reason as "skipReason" from file where repository_id = $1',
      [repositoryId],
    ),
  )
  return new Map(rows.map(({ path, ...entry }) => [path, entry]))
}

/** The index of this repository now equals the tree at `sha`, which every file of it may be cited at. */
export async function finishSync(tenant: TenantDb, repositoryId: string, sha: string): Promise<void> {
  await tenant.transaction(async (tx) => {
    const corpus = await lockCorpus(tx)
    await tx.execute(`update repository set indexed_sha = $2, indexed_at = now(), state = 'ready', error = null where id = $1`, [repositoryId, sha])
    await tx.execute('update file set pending_sha = null where repository_id = $1 and pending_sha is not null', [repositoryId])
    await tx.execute('delete from term where chunks <= 0 and files <= 0')
    await saveCorpus(tx, corpus)
  })
  await rebuildWeights(tenant)
}
