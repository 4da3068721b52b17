import type { TenantDb } from '../tenant-db.ts'
import { readTenant } from '../transaction.ts'

export type SymbolRow = {
  id: string
  name: string
  container: string | null
  kind: string
  signature: string
  doc: string | null
  startLine: number
  endLine: number
  fileId: string
  repositoryId: string
  path: string
}

export type FileRow = { fileId: string; path: string; stem: string; repositoryId: string; language: string | null }

export const symbolColumns = `symbol.id::text, name, container, kind, signature, doc, start_line as "startLine", end_line as "endLine",
  file_id as "fileId", symbol.repository_id as "repositoryId", path`

/** Definitions by exact name in lower case, at most `limit` for each name. */
export async function searchSymbols(tenant: TenantDb, search: { names: string[]; limit: number; repositoryIds: string[] }): Promise<SymbolRow[]> {
  if (search.names.length === 0 || search.repositoryIds.length === 0) return []
  return readTenant(tenant, (tx) =>
    tx.query<SymbolRow>(
      `select found.* from unnest($1::text[]) with ordinality as wanted (wanted, place) cross join lateral (
         select ${symbolColumns} from symbol join file on file.id = file_id
         where hashtext(name_lower) = hashtext(wanted) and name_lower = wanted and symbol.repository_id = any($2::uuid[]) order by length(path), path, start_line limit $3
       ) as found order by place`,
      [[...new Set(search.names)], search.repositoryIds, search.limit],
    ),
  )
}

/** Indexed files whose path holds any of the fragments, those that hold most of them first, then the shortest path. */
export async function searchPaths(tenant: TenantDb, search: { fragments: string[]; limit: number; repositoryIds: string[] }): Promise<{ fileId: string; path: string; repositoryId: string }[]> {
  const fragments = [...new Set(search.fragments.map((fragment) => fragment.toLowerCase()).filter((fragment) => fragment !== ''))]
  if (fragments.length === 0 || search.repositoryIds.length === 0) return []
  return readTenant(tenant, (tx) =>
    tx.query(
      `select id as "fileId", path, repository_id as "repositoryId" from file, lateral (
         select count(*) as hits from unnest($1::text[]) as fragment where position(fragment in lower(path)) > 0
       ) as counted where repository_id = any($2::uuid[]) and skip_reason is null and hits > 0 order by hits desc, length(path), path limit $3`,
      [fragments, search.repositoryIds, search.limit],
    ),
  )
}

/** Files by stem: what an import or a test edge points to. */
export async function filesByStems(tenant: TenantDb, search: { stems: string[]; repositoryIds: string[] }): Promise<FileRow[]> {
  if (search.stems.length === 0 || search.repositoryIds.length === 0) return []
  return readTenant(tenant, (tx) =>
    tx.query<FileRow>(
      `select id as "fileId", path, stem, repository_id as "repositoryId", language from file
       where repository_id = any($1::uuid[]) and stem = any($2::text[]) order by path`,
      [search.repositoryIds, [...new Set(search.stems)]],
    ),
  )
}
