import type { TenantDb } from '../tenant-db.ts'
import { toStorable } from '../text.ts'

/** A small file of a repository that says how Nura is to treat the others; kept whole, by its blob. */
export type SourceFile = { path: string; blobSha: string; content: string }

/** Replaces what is kept of a repository. */
export async function keepSourceFiles(tenant: TenantDb, repositoryId: string, files: SourceFile[]): Promise<void> {
  const rows = files.map(({ content, ...file }) => ({ ...file, content: toStorable(content) }))
  await tenant.transaction(async (tx) => {
    await tx.execute('delete from source_file where repository_id = $1', [repositoryId])
    await tx.execute(
      'insert into source_file (repository_id, path, blob_sha, content) select $1, given.* from unnest($2::text[], $3::text[], $4::text[]) as given',
      [repositoryId, rows.map(({ path }) => path), rows.map(({ blobSha }) => blobSha), rows.map(({ content }) => content)],
    )
  })
}

export function readSourceFiles(tenant: TenantDb, repositoryId: string): Promise<SourceFile[]> {
  return tenant.transaction((tx) =>
    tx.query<SourceFile>('select path, blob_sha as "blobSha", content from source_file where repository_id = $1 order by path', [repositoryId]),
  )
}
