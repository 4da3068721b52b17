import type { TenantDb } from '../tenant-db.ts'
import { toTermHash } from './terms.ts'

/** How many live chunks the tenant has, and how many of them hold each token; 0 for a token that none holds. */
export async function readFrequencies(
  tenant: TenantDb,
  tokens: string[],
): Promise<{ chunks: number; held: Map<string, number> }> {
  const hashes = new Map([...new Set(tokens)].map((token) => [token, toTermHash(token)]))
  return tenant.transaction(async (tx) => {
    const [corpus] = await tx.query<{ chunks: number }>('select chunks from corpus')
    const rows = await tx.query<{ hash: number; chunks: number }>('select hash, chunks from term where hash = any($1::int[])', [
      [...hashes.values()],
    ])
    const byHash = new Map(rows.map(({ hash, chunks }) => [hash, chunks]))
    return { chunks: corpus?.chunks ?? 0, held: new Map([...hashes].map(([token, hash]) => [token, byHash.get(hash) ?? 0])) }
  })
}
