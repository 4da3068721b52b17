import type { TenantDb } from '../tenant-db.ts'

/** Ids of the live chunks that hold these lines, in the order of the places; a place without a chunk is left out. */
export async function chunksAt(tenant: TenantDb, places: { repositoryId: string; path: string; line: number }[]): Promise<string[]> {
  if (places.length === 0) return []
  const rows = await tenant.transaction((tx) =>
    tx.query<{ chunkId: string }>(
      `select found.id as "chunkId" from unnest($1::uuid[], $2::text[], $3::int[]) with ordinality as wanted (repository_id, path, line, place)
       join file f on f.repository_id = wanted.repository_id and f.path = wanted.path
       cross join lateral (
         select k.id from knowledge_base k where k.file_id = f.id and k.gone_at is null and wanted.line between k.start_line and k.end_line
         order by k.end_line - k.start_line limit 1
       ) as found order by place`,
      [places.map(({ repositoryId }) => repositoryId), places.map(({ path }) => path), places.map(({ line }) => line)],
    ),
  )
  return [...new Set(rows.map(({ chunkId }) => chunkId))]
}
