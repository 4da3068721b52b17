import type { TenantDb } from '../tenant-db.ts'
import type { ChunkPlace } from './chunks.ts'

export type CandidateFileRow = {
  fileId: string
  repositoryId: string
  path: string
  stem: string
  contentType: 'code' | 'documentation' | 'business'
  tokenLength: number
}

/**
 * What ranking needs to know of the files that were found, by themselves or by their chunks, and where all their live
 * chunks are; no content is read. Files outside `repositoryIds` are left out, whoever named them.
 */
export async function readCandidates(
  tenant: TenantDb,
  found: { chunkIds: string[]; fileIds: string[]; repositoryIds: string[] },
): Promise<{ files: CandidateFileRow[]; chunks: ChunkPlace[] }> {
  if (found.repositoryIds.length === 0 || found.chunkIds.length + found.fileIds.length === 0) return { files: [], chunks: [] }
  return tenant.transaction(async (tx) => {
    const files = await tx.query<CandidateFileRow>(
      // One set of ids, found by their keys: told apart by `or`, every file of the tenant would be read.
      `with found as (select file_id as id from knowledge_base where id = any($1::uuid[]) union select unnest($2::uuid[]))
       select id as "fileId", repository_id as "repositoryId", path, stem, content_type as "contentType", token_length as "tokenLength"
       from file join found using (id) where repository_id = any($3::uuid[]) order by id`,
      [found.chunkIds, found.fileIds, found.repositoryIds],
    )
    const chunks = await tx.query<ChunkPlace>(
      `select id as "chunkId", file_id as "fileId", ordinal, start_line as "startLine", end_line as "endLine", scope, token_length as "tokenLength"
       from knowledge_base where file_id = any($1::uuid[]) and gone_at is null order by file_id, ordinal`,
      [files.map(({ fileId }) => fileId)],
    )
    return { files, chunks }
  })
}
