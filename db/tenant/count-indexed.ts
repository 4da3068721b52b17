import type { TenantDb } from '../tenant-db.ts'

/** What the index holds of one repository. `skipped` counts files by the reason for leaving them out. */
export type Indexed = { files: number; chunks: number; skipped: Record<string, number> }

/** Counts by repository id; a repository that holds nothing yet is absent. */
export async function countIndexed(tenant: TenantDb, repositoryIds: string[]): Promise<Map<string, Indexed>> {
  const counts = new Map<string, Indexed>()
  const of = (id: string) => {
    const known = counts.get(id) ?? { files: 0, chunks: 0, skipped: {} }
    counts.set(id, known)
    return known
  }
  await tenant.transaction(async (tx) => {
    const files = await tx.query<{ id: string; reason: string | null; count: number }>(
      'select repository_id as id, skip_reason as reason, count(*)::int as count from file where repository_id = any($1::uuid[]) group by 1, 2',
      [repositoryIds],
    )
    for (const { id, reason, count } of files) {
      if (reason === null) of(id).files = count
      else of(id).skipped[reason] = count
    }
    const chunks = await tx.query<{ id: string; count: number }>(
      'select repository_id as id, count(*)::int as count from knowledge_base where gone_at is null and repository_id = any($1::uuid[]) group by 1',
      [repositoryIds],
    )
    for (const { id, count } of chunks) of(id).chunks = count
  })
  return counts
}
