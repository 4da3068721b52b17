import { LRUCache } from 'lru-cache'
import type { Cache } from '../cache/cache.ts'
import { toCacheKey } from '../cache/cache-key.ts'
import type { Embedder } from './embedder.ts'
import { lexicalEmbedder } from './lexical.ts'
import { queriesLastMs } from '../retention.ts'

/** Gives an embedder that remembers the questions of one tenant; see `createQueryCache`. */
export type CacheQueries = (embedder: Embedder, tenantId: string) => Embedder

/** Vectors of questions that a process keeps at hand, some 8 kB each. */
const mostAtHand = 500

/**
 * Remembers vectors of questions, each for the tenant that asked: how long an answer takes must tell nobody what others ask.
 * Documents are not remembered here, because the index holds their vectors.
 *
 * A vector has the precision of a 32-bit float, remembered or not, so that a question finds the same every time.
 */
export function createQueryCache(cache: Cache): CacheQueries {
  const atHand = new LRUCache<string, number[]>({ max: mostAtHand, ttl: queriesLastMs })
  return (embedder, tenantId) => {
    // Made in this process faster than any cache answers.
    if (embedder.space === lexicalEmbedder.space) return embedder

    async function read(text: string): Promise<number[] | null> {
      const key = toKey(text)
      const near = atHand.get(key.text)
      if (near) return near
      const vector = fromValue(await cache.get(key), embedder.dimensions)
      if (vector) atHand.set(key.text, vector)
      return vector
    }

    function keep(text: string, vector: number[]): number[] {
      const key = toKey(text)
      const floats = Float32Array.from(vector)
      const rounded = Array.from(floats)
      atHand.set(key.text, rounded)
      void cache.set(key, Buffer.from(floats.buffer).toString('base64'), queriesLastMs)
      return rounded
    }

    const toKey = (text: string) => toCacheKey('query-embedding', tenantId, [embedder.space, text])
    return {
      ...embedder,
      async embed(texts, kind, signal) {
        if (kind !== 'query') return embedder.embed(texts, kind, signal)
        signal?.throwIfAborted()
        const known = await Promise.all(texts.map(read))
        const missing = texts.filter((_, at) => known[at] === null)
        const made = missing.length > 0 ? await embedder.embed(missing, kind, signal) : []
        return known.map((vector, at) => vector ?? keep(texts[at]!, made.shift()!))
      },
    }
  }
}

/** Null for what is no vector of that many finite numbers. */
function fromValue(value: string | null, dimensions: number): number[] | null {
  if (value === null) return null
  const bytes = Buffer.from(value, 'base64')
  if (bytes.length !== dimensions * Float32Array.BYTES_PER_ELEMENT) return null
  // A buffer may begin anywhere in the memory it shares; a Float32Array may not.
  const vector = Array.from(new Float32Array(Uint8Array.from(bytes).buffer))
  return vector.every(Number.isFinite) ? vector : null
}
