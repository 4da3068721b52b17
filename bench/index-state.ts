import type { TenantDb } from '#db/index.ts'
import { citedSha } from '#db/tenant/manifest.ts'

/** All that an index says of one repository, and of the tenant's terms, as rows of text by table; ids and times left out. */
export type IndexState = ReadonlyMap<string, readonly string[]>

/** Rows that one side has and the other has not. */
export type Difference = { table: string; missing: string[]; unexpected: string[] }

/**
 * What must be the same in two indexes of one tree. Left out is what may differ: ids, times, and the mean lengths that weights
 * were made with, which follow only once they have moved by a quarter.
 */
const queries: Record<string, string> = {
  repository: `select indexed_sha, state from repository where id = $1`,
  'file (path, stem, blob, skip reason, …)': `
    select path, stem, blob_sha, size, language, f.content_type, skip_reason, chunker_version, token_length, md5(lex::text),
      ${citedSha} as cited_at
    from file f join repository r on r.id = repository_id where repository_id = $1`,
  'chunk (path, key, lines, scope, …)': `
    select source_path, ordinal, chunk_key, start_line, end_line, scope, md5(content), content_type, metadata, embedding_model, token_length, md5(lex::text),
      (select path from file where file.id = file_id) as file
    from knowledge_base where repository_id = $1 and gone_at is null`,
  symbol: `
    select path, name, name_lower, container, kind, md5(signature), md5(doc), start_line, end_line
    from symbol join file on file.id = file_id where symbol.repository_id = $1`,
  edge: `select path, from_symbol, kind, target, line from edge join file on file.id = file_id where edge.repository_id = $1`,
  'term (chunks and files that hold it)': `select hash, chunks, files from term where $1::uuid is not null and (chunks <> 0 or files <> 0)`,
  corpus: `select chunks, files, chunk_tokens, file_tokens from corpus where $1::uuid is not null`,
}

export async function readIndexState(tenant: TenantDb, repositoryId: string): Promise<IndexState> {
  return tenant.transaction(async (tx) => {
    const state = new Map<string, string[]>()
    for (const [table, query] of Object.entries(queries)) {
      const rows = await tx.query<{ row: string }>(`select row_to_json(told)::text as row from (${query}) told`, [repositoryId])
      state.set(table, rows.map(({ row }) => row))
    }
    return state
  })
}

/** The keys of all chunks that the tenant ever held and that are not purged yet: what has a vector and costs none again. */
export async function readChunkKeys(tenant: TenantDb): Promise<Set<string>> {
  const rows = await tenant.transaction((tx) => tx.query<{ key: string }>(`select distinct embedding_model || ' ' || chunk_key as key from knowledge_base`))
  return new Set(rows.map(({ key }) => key))
}

/** @returns nothing when both are the same; rows count as often as they are there. */
export function compareStates(is: IndexState, shouldBe: IndexState): Difference[] {
  return [...shouldBe].flatMap(([table, rows]) => {
    const missing = without(rows, is.get(table) ?? [])
    const unexpected = without(is.get(table) ?? [], rows)
    return missing.length + unexpected.length > 0 ? [{ table, missing, unexpected }] : []
  })
}

function without(rows: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>()
  for (const row of others) left.set(row, (left.get(row) ?? 0) + 1)
  return rows.filter((row) => {
    const count = left.get(row) ?? 0
    left.set(row, count - 1)
    return count <= 0
  })
}
