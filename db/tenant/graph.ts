import type { TenantDb } from '../tenant-db.ts'
import { readTenant } from '../transaction.ts'
import { symbolColumns, type SymbolRow } from './lookup.ts'

/** One edge as it was read from a file; `target` is a name, or for imports and tests a stem, resolved by whoever asks. */
export type EdgeRow = {
  kind: 'import' | 'call' | 'reference' | 'test'
  fromSymbol: string | null
  target: string
  line: number
  fileId: string
  repositoryId: string
  path: string
}

const edgeColumns = `edge.kind, from_symbol as "fromSymbol", target, line, file_id as "fileId", edge.repository_id as "repositoryId", path`

export async function symbolsInFiles(tenant: TenantDb, fileIds: string[]): Promise<SymbolRow[]> {
  if (fileIds.length === 0) return []
  return readTenant(tenant, (tx) =>
    tx.query<SymbolRow>(`select ${symbolColumns} from symbol join file on file.id = file_id where file_id = any($1::uuid[]) order by path, start_line, symbol.id`, [fileIds]),
  )
}

export async function edgesFrom(tenant: TenantDb, from: { fileIds: string[]; kinds?: EdgeRow['kind'][] }): Promise<EdgeRow[]> {
  if (from.fileIds.length === 0) return []
  return readTenant(tenant, (tx) =>
    tx.query<EdgeRow>(`select ${edgeColumns} from edge join file on file.id = file_id where file_id = any($1::uuid[]) and ($2::text[] is null or kind = any($2)) order by path, line, edge.id`, [from.fileIds, from.kinds ?? null]),
  )
}

/** Calls and references of `names`, imports and tests of `stems`; at most `limit` for each name or stem. */
export async function edgesTo(tenant: TenantDb, to: { names: string[]; stems: string[]; repositoryIds: string[]; limit: number }): Promise<EdgeRow[]> {
  if (to.repositoryIds.length === 0 || to.names.length + to.stems.length === 0) return []
  return readTenant(tenant, (tx) =>
    tx.query<EdgeRow>(
      `select found.* from (
         select target, array['call', 'reference'] as kinds from unnest($1::text[]) as target
         union all select target, array['import', 'test'] from unnest($2::text[]) as target
       ) as wanted cross join lateral (
         select ${edgeColumns} from edge join file on file.id = file_id
         where hashtext(edge.target) = hashtext(wanted.target) and edge.target = wanted.target and edge.kind = any(wanted.kinds) and edge.repository_id = any($3::uuid[]) order by path, line limit $4
       ) as found order by path, line`,
      [[...new Set(to.names)], [...new Set(to.stems)], to.repositoryIds, to.limit],
    ),
  )
}
