import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { openDb, type TenantDb } from '#db/index.ts'
import { createTenant } from '#db/shared/tenants.ts'
import { addRepository } from '#db/tenant/repositories.ts'
import type { Repository } from '#db/tenant/repository.ts'
import { indexSource } from '#server/indexing/index-changes.ts'
import { createLog } from '#server/log.ts'
import { lexicalEmbedders } from '#server/models/lexical.ts'
import type { SearchParts } from '#server/retrieval/search.ts'
import { createGitSource } from '#server/sources/git.ts'
import type { Source } from '#server/sources/source.ts'

export type EvalIndex = {
  parts: SearchParts
  tenant: TenantDb
  repository: Repository
  source: Source
  /** Makes the index equal to the tree at a commit, the checkout's head for null; only what differs is read. */
  moveTo(sha: string | null): Promise<void>
  close(): Promise<void>
}

/** An index of one checkout in an embedded store of its own, gone with `close`. */
export async function openIndex(dir: string): Promise<EvalIndex> {
  const folder = await mkdtemp(join(tmpdir(), 'nura-eval-'))
  const db = await openDb({ url: null, dataDir: folder, encryptionKey: null, poolSize: 4 })
  const close = async () => {
    await db.close()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const source = createGitSource(dir)
    const tenant = await db.tenant((await createTenant(db, { slug: 'eval', name: 'eval' })).id)
    const repository = await addRepository(tenant, { name: basename(dir), source: 'git', location: dir })
    const parts = { db, embedders: lexicalEmbedders }
    const log = createLog({ level: 'silent', process: 'eval' })
    return {
      parts,
      tenant,
      repository,
      source,
      async moveTo(sha) {
        const standing: Source =
          sha === null ? source : { ...source, head: async (signal) => ({ ...(await source.head(signal)), sha }) }
        await indexSource({ embedders: lexicalEmbedders, log }, tenant, repository, standing)
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Text of the index under its lines, 1-based and inclusive. */
export type IndexedChunk = { path: string; startLine: number; endLine: number; scope: string[]; content: string }

/** All that is live in the index, in the order of paths and lines. */
export async function readIndexed(tenant: TenantDb): Promise<IndexedChunk[]> {
  return tenant.transaction((tx) =>
    tx.query<IndexedChunk>(
      `select source_path as path, start_line as "startLine", end_line as "endLine", scope, content from knowledge_base where gone_at is null order by source_path, start_line`,
    ),
  )
}
