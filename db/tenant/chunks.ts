import type { TenantDb } from '../tenant-db.ts'
import { readTenant } from '../transaction.ts'
import { citedSha } from './manifest.ts'

/** A live chunk with all that a passage needs of its file and repository. */
export type ChunkRow = ChunkPlace & {
  chunkKey: string
  content: string
  contentType: 'code' | 'documentation' | 'business'
  language: string | null
  metadata: Record<string, unknown>
  repositoryId: string
  repository: string
  /** Web address of the repository, such as `https://github.com/acme/shop`; null when it has none. */
  repositoryUrl: string | null
  defaultBranch: string | null
  path: string
  stem: string
  /** Full commit id at which `path` has exactly these lines. */
  sha: string
  indexedAt: Date | null
  /** What people call a document, its own address, and when it last changed. */
  title: string | null
  url: string | null
  changedAt: Date | null
}

export type ChunkPlace = { chunkId: string; fileId: string; ordinal: number; startLine: number; endLine: number; scope: string[]; tokenLength: number }

const placeColumns = `k.id as "chunkId", k.file_id as "fileId", k.ordinal, k.start_line as "startLine", k.end_line as "endLine", k.scope, k.token_length as "tokenLength"`

/** Live chunks in the order of the ids; ids that are gone or unknown are left out. */
export async function readChunks(tenant: TenantDb, chunkIds: string[]): Promise<ChunkRow[]> {
  if (chunkIds.length === 0) return []
  return readTenant(tenant, (tx) =>
    tx.query<ChunkRow>(
      `select ${placeColumns}, k.chunk_key as "chunkKey", k.content, k.content_type as "contentType", f.language, k.metadata, k.repository_id as "repositoryId",
         r.name as repository, r.url as "repositoryUrl", r.default_branch as "defaultBranch", f.path, f.stem,
         ${citedSha} as sha, r.indexed_at as "indexedAt", f.title, f.url, f.changed_at as "changedAt"
       from unnest($1::uuid[]) with ordinality as wanted (id, place) join knowledge_base k using (id) join file f on f.id = k.file_id
       join repository r on r.id = k.repository_id where k.gone_at is null order by place`,
      [chunkIds],
    ),
  )
}
