import type { TenantDb } from '../tenant-db.ts'

/** A folder that holds programs, at most three levels deep; `/` for the top. `files` are some of them, telling ones first. */
export type Folder = { folder: string; files: string[] }

/**
 * The folders with the most programs, the largest first. Counted where the rows are: a repository may have a hundred thousand.
 * @param telling a regular expression, as PostgreSQL and JavaScript both read it, of paths that say what their folder holds
 */
export function largestFolders(tenant: TenantDb, repositoryId: string, most: { folders: number; files: number }, telling: RegExp): Promise<Folder[]> {
  return tenant.transaction((tx) =>
    tx.query<Folder>(
      `select coalesce(nullif(array_to_string(parts[1:least(3, cardinality(parts) - 1)], '/'), ''), '/') as folder,
         (array_agg(path order by path ~ $2 desc, path))[1:${Math.floor(most.files)}] as files
       from (select path, string_to_array(path, '/') as parts from file where repository_id = $1 and skip_reason is null and content_type = 'code') as program
       group by 1 order by count(*) desc, 1 limit ${Math.floor(most.folders)}`,
      [repositoryId, telling.source],
    ),
  )
}

/** Where a repository introduces itself: the first of these kinds of path that it has; null when it has none. */
export async function findIntroduction(tenant: TenantDb, repositoryId: string, kinds: readonly RegExp[]): Promise<string | null> {
  const rows = await tenant.transaction((tx) =>
    tx.query<{ path: string }>(
      `select path from file, unnest($2::text[]) with ordinality as kind (pattern, rank)
       where repository_id = $1 and skip_reason is null and path ~* pattern order by rank, path limit 1`,
      [repositoryId, kinds.map(({ source }) => source)],
    ),
  )
  return rows[0]?.path ?? null
}
