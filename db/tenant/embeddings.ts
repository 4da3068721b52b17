import type { TenantDb } from '../tenant-db.ts'
import { lockCorpus } from './corpus.ts'

/** Vectors that the tenant has already, by chunk key, also of chunks that are gone but not yet purged. */
export async function findEmbeddings(tenant: TenantDb, space: string, keys: string[]): Promise<Map<string, number[]>> {
  if (keys.length === 0) return new Map()
  const rows = await tenant.transaction((tx) =>
    tx.query<{ key: string; embedding: string }>(
      'select distinct on (chunk_key) chunk_key as key, embedding::text from knowledge_base where embedding_model = $1 and chunk_key = any($2::text[])',
      [space, [...new Set(keys)]],
    ),
  )
  return new Map(rows.map(({ key, embedding }) => [key, JSON.parse(embedding) as number[]]))
}

/** Deletes for good the chunks that have been gone since before `olderThan`, and terms that nothing holds any more. @returns how many chunks */
export function purgeGone(tenant: TenantDb, olderThan: Date): Promise<number> {
  return tenant.transaction(async (tx) => {
    // A change of space writes to gone rows too; whoever comes second waits instead of meeting it half-way.
    await lockCorpus(tx)
    // Unused terms find nothing and cost a row; to look for them after every push would cost one all the terms of the tenant.
    await tx.execute('delete from term where chunks <= 0 and files <= 0')
    return tx.execute('delete from knowledge_base where gone_at < $1', [olderThan])
  })
}
