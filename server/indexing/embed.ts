import type { TenantDb } from '#db/index.ts'
import { findEmbeddings } from '#db/tenant/embeddings.ts'
import type { Embedder } from '../models/embedder.ts'
import { lexicalEmbedder } from '../models/lexical.ts'
import { toRequests } from '../models/to-embeddable.ts'
import type { MadeVectors } from './made-vectors.ts'

export type Vectors = { vectors: Map<string, number[]>; embedded: number }

/** Characters of one call, so that what a failing one loses is little. */
const callCharacters = 100_000
/** One on its way while the model is at the other. More would make questions wait, which the same server embeds. */
const callsAtOnce = 2

export type EmbedOptions = {
  /** Vectors that were made before and may not be written yet, by chunk key. */
  made: ReadonlyMap<string, number[]>
  /** Outlives the run. */
  kept?: MadeVectors | undefined
  signal?: AbortSignal | undefined
}

/**
 * A vector for each key: one that the tenant has already wherever it can, else a new one.
 * @param texts embedded text by chunk key
 */
export async function embedMissing(embedder: Embedder, tenant: TenantDb, texts: ReadonlyMap<string, string>, { made, kept, signal }: EmbedOptions): Promise<Vectors> {
  const vectors = new Map<string, number[]>()
  for (const key of texts.keys()) {
    const vector = made.get(key) ?? kept?.find(tenant.id, key)
    if (vector) vectors.set(key, vector)
  }
  for (const [key, vector] of await findEmbeddings(tenant, embedder.space, [...texts.keys()].filter((key) => !vectors.has(key)))) vectors.set(key, vector)
  const missing = [...texts].filter(([key]) => !vectors.has(key))
  const batches = toRequests(missing, { texts: embedder.maxBatch, characters: callCharacters }, ([, text]) => text)
  await inLanes(batches, async (batch) => {
    const embedded = await embedder.embed(batch.map(([, text]) => text), 'document', signal)
    const fresh = batch.map(([key], index) => [key, embedded[index]!] as const)
    // Those that cost nothing are sooner made anew than kept.
    if (embedder.space !== lexicalEmbedder.space) kept?.keep(tenant.id, fresh)
    for (const [key, vector] of fresh) vectors.set(key, vector)
  })
  return { vectors, embedded: missing.length }
}

/** Runs items in order, a few at once. After a failure nothing is begun any more, and what runs is waited for: it is paid for. */
async function inLanes<Item>(items: Item[], run: (item: Item) => Promise<void>): Promise<void> {
  const rest = items.values()
  const failures: unknown[] = []
  async function lane(): Promise<void> {
    for (const item of rest) {
      await run(item).catch((error: unknown) => failures.push(error))
      if (failures.length > 0) return
    }
  }
  await Promise.all(Array.from({ length: callsAtOnce }, lane))
  if (failures.length > 0) throw failures[0]
}
