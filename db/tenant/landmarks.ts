import type { TenantDb } from '../tenant-db.ts'

/** A definition that much of the code leans on, or a heading of a document near the root. */
export type Landmark = { kind: string; name: string; container: string | null; path: string; repositoryId: string; uses: number }

/** The names that most other files use and that have one definition, most used first. */
export function findLandmarks(tenant: TenantDb, repositoryIds: string[], limit: number): Promise<Landmark[]> {
  if (repositoryIds.length === 0) return Promise.resolve([])
  return tenant.transaction((tx) =>
    tx.query<Landmark>(
      `with popular as (
         select repository_id, target, count(distinct file_id)::int as uses from edge
         where repository_id = any($1::uuid[]) and kind in ('call', 'reference') and length(target) between 5 and 40
         group by 1, 2 order by 3 desc, 2 limit 300
       )
       select min(symbol.kind) as kind, name, min(container) as container, min(path) as path, popular.repository_id as "repositoryId", uses
       from popular join symbol on symbol.name = target and symbol.repository_id = popular.repository_id join file on file.id = file_id
       where symbol.kind in ('function', 'method', 'class', 'interface') and path !~* '(^|[/._-])(tests?|spec|fixtures?|examples?|docs?|vendor|bench)([/._-]|$)'
       group by name, popular.repository_id, uses having count(*) = 1 order by uses desc, name limit $2`,
      [repositoryIds, limit],
    ),
  )
}

/** Headings of documents, those nearest the root first. */
export function findHeadings(tenant: TenantDb, repositoryIds: string[], limit: number): Promise<Landmark[]> {
  if (repositoryIds.length === 0) return Promise.resolve([])
  return tenant.transaction((tx) =>
    tx.query<Landmark>(
      `select symbol.kind, name, container, path, symbol.repository_id as "repositoryId", 0 as uses from symbol join file on file.id = file_id
       where symbol.kind = 'heading' and symbol.repository_id = any($1::uuid[]) and container is not null and length(name) between 6 and 60
       order by length(path) - length(replace(path, '/', '')), path !~* 'readme', path, start_line limit $2`,
      [repositoryIds, limit],
    ),
  )
}
