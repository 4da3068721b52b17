import type { TenantDb } from '#db/index.ts'
import { findEmbeddings } from '#db/tenant/embeddings.ts'
import type { Embedder } from '../models/embedder.ts'

export type Vectors = { vectors: Map<string, number[]>; embedded: number }

/**
 * A vector for each key: one that the tenant has already wherever it can, else a new one.
 * @param texts embedded text by chunk key
 * @param made vectors that were made before and may not be written yet, by chunk key
 */
export async function embedMissing(embedder: Embedder, tenant: TenantDb, texts: ReadonlyMap<string, string>, made: ReadonlyMap<string, number[]>, signal?: AbortSignal): Promise<Vectors> {
  const unmade = [...texts.keys()].filter((key) => !made.has(key))
  const vectors = await findEmbeddings(tenant, embedder.space, unmade)
  for (const key of texts.keys()) if (made.has(key)) vectors.set(key, made.get(key)!)
  const missing = [...texts].filter(([key]) => !vectors.has(key))
  for (let start = 0; start < missing.length; start += embedder.maxBatch) {
    const batch = missing.slice(start, start + embedder.maxBatch)
    const embedded = await embedder.embed(batch.map(([, text]) => text), 'document', signal)
    batch.forEach(([key], index) => vectors.set(key, embedded[index]!))
  }
  return { vectors, embedded: missing.length }
}
