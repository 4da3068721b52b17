import type { TenantDb } from '../tenant-db.ts'
import { toTermHash } from './terms.ts'

/** What lexical search weighs words by: how many live chunks and files there are and hold each term hash, and their mean lengths. */
export type TermStatistics = Record<'chunks' | 'files', { documents: number; held: Map<number, number>; meanLength: number }>

export async function readStatistics(tenant: TenantDb, tokens: string[]): Promise<TermStatistics> {
  const hashes = [...new Set(tokens.map(toTermHash))]
  return tenant.transaction(async (tx) => {
    const [corpus] = await tx.query<{ chunks: number; files: number; meanChunkLength: number; meanFileLength: number }>(
      'select chunks, files, mean_chunk_length as "meanChunkLength", mean_file_length as "meanFileLength" from corpus',
    )
    const terms = await tx.query<{ hash: number; chunks: number; files: number }>('select hash, chunks, files from term where hash = any($1::int[])', [hashes])
    const { chunks = 0, files = 0, meanChunkLength = 0, meanFileLength = 0 } = corpus ?? {}
    return {
      chunks: { documents: chunks, held: new Map(terms.map((term) => [term.hash, term.chunks])), meanLength: meanChunkLength },
      files: { documents: files, held: new Map(terms.map((term) => [term.hash, term.files])), meanLength: meanFileLength },
    }
  })
}

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
