import type { TenantDb } from '../tenant-db.ts'
import type { Transaction } from '../transaction.ts'
import { lockCorpus, saveCorpus } from './corpus.ts'
import { rebuildWeights } from './rebuild-weights.ts'

/** What the index holds of a repository, or of some of its paths, by path: what a tree is held against. */
export async function readManifest(tenant: TenantDb, repositoryId: string, paths: string[] | null = null): Promise<Map<string, { blobSha: string; chunkerVersion: number; skipReason: string | null }>> {
  const rows = await tenant.transaction((tx) =>
    tx.query<{ path: string; blobSha: string; chunkerVersion: number; skipReason: string | null }>(
      'select path, blob_sha as "blobSha", chunker_version as "chunkerVersion", skip_reason as "skipReason" from file where repository_id = $1 and ($2::text[] is null or path = any($2))',
      [repositoryId, paths],
    ),
  )
  return new Map(rows.map(({ path, ...entry }) => [path, entry]))
}

/** Whether the index holds that many files of a repository, whatever became of them. */
export async function hasFiles(tenant: TenantDb, repositoryId: string, count: number): Promise<boolean> {
  const rows = await tenant.transaction((tx) => tx.query('select 1 from file where repository_id = $1 offset $2 limit 1', [repositoryId, count - 1]))
  return rows.length > 0
}

/**
 * What is written at `sha` is cited at it until the index equals a whole tree again, which other files are not of yet; `sha` is
 * null where something is only taken away.
 */
export async function noteUnfinished(tx: Transaction, repositoryId: string, sha: string | null): Promise<void> {
  await tx.execute(
    `update repository set indexed_rules = null, unfinished_shas = unfinished_shas || array_remove(array[$2], null)
     where id = $1 and ($2 <> all(unfinished_shas) or indexed_rules is not null)`,
    [repositoryId, sha],
  )
}

/** The commit that a file `f` of a repository `r` is cited at, in SQL. */
export const citedSha = 'case when f.pending_sha = any(r.unfinished_shas) then f.pending_sha else r.indexed_sha end'

/** The index of this repository now equals the tree at `sha` by these rules, and every file of it may be cited at it. */
export async function finishSync(tenant: TenantDb, repositoryId: string, sha: string, rules: string): Promise<void> {
  await tenant.transaction(async (tx) => {
    const corpus = await lockCorpus(tx)
    await tx.execute(`update repository set indexed_sha = $2, indexed_rules = $3, indexed_at = now(), state = 'ready', error = null, unfinished_shas = '{}' where id = $1`, [repositoryId, sha, rules])
    await saveCorpus(tx, corpus)
  })
  await rebuildWeights(tenant)
}
