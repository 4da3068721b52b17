import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Cache } from '../cache/cache.ts'
import { createMemoryCache } from '../cache/memory-cache.ts'
import { createMetrics } from '../metrics.ts'
import { countsOf } from '../testing/cache-contract.ts'
import { createQueryCache } from './cache-embedder.ts'
import type { Embedder } from './embedder.ts'
import { lexicalEmbedder } from './lexical.ts'

/** Embeds like the lexical one, in a space of its own, and notes what it was asked. */
function createCounting(space = 'test:meaning'): Embedder & { asked: string[]; fault: Error | null } {
  const embedder: Embedder & { asked: string[]; fault: Error | null } = {
    ...lexicalEmbedder,
    space,
    asked: [],
    fault: null,
    async embed(texts, kind, signal) {
      if (embedder.fault) throw embedder.fault
      embedder.asked.push(...texts)
      return lexicalEmbedder.embed(texts, kind, signal)
    },
  }
  return embedder
}

function open() {
  const metrics = createMetrics()
  const cache = createMemoryCache({ metrics })
  return { metrics, cache, queries: createQueryCache(cache) }
}

describe('vectors of questions', () => {
  it('are made once a tenant, space and text, and shared by processes', async () => {
    const { cache, queries } = open()
    const embedder = createCounting()
    const [first] = await queries(embedder, 'a').embed(['where is it?'], 'query')
    expect(await queries(embedder, 'a').embed(['where is it?'], 'query')).toEqual([first])
    // Another process: nothing at hand, the same cache.
    expect(await createQueryCache(cache)(embedder, 'a').embed(['where is it?'], 'query')).toEqual([first])
    expect(embedder.asked).toEqual(['where is it?'])
    await queries(embedder, 'b').embed(['where is it?'], 'query')
    await queries(embedder, 'a').embed(['where is that?'], 'query')
    await queries(createCounting('test:other'), 'a').embed(['where is it?'], 'query')
    expect(embedder.asked).toEqual(['where is it?', 'where is it?', 'where is that?'])
  })

  it('come in the order of their texts, whichever of them are known', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('alpha', 'beta', 'gamma', 'delta')), fc.array(fc.constantFrom('alpha', 'beta', 'gamma', 'delta')), async (before, texts) => {
        const { queries } = open()
        const embedder = createCounting()
        await queries(embedder, 'a').embed(before, 'query')
        embedder.asked = []
        const given = await queries(embedder, 'a').embed(texts, 'query')
        const wanted = await lexicalEmbedder.embed(texts, 'query')
        expect(given).toEqual(wanted.map((vector) => Array.from(Float32Array.from(vector))))
        expect(new Set(embedder.asked).intersection(new Set(before)).size).toBe(0)
      }),
      { numRuns: 30 },
    )
  })

  it('of documents, and of an embedder that needs no call, are not kept', async () => {
    const { queries, metrics } = open()
    const embedder = createCounting()
    await queries(embedder, 'a').embed(['text'], 'document')
    await queries(embedder, 'a').embed(['text'], 'document')
    expect(embedder.asked).toEqual(['text', 'text'])
    expect(queries(lexicalEmbedder, 'a')).toBe(lexicalEmbedder)
    expect(await countsOf(metrics)).toEqual({})
  })

  it('that cannot be read are made anew', async () => {
    const values = ['', 'not base64 at all!', Buffer.alloc(4096, 0xff).toString('base64'), Buffer.alloc(4092).toString('base64')]
    for (const value of values) {
      const cache: Cache = { ...createMemoryCache({ metrics: createMetrics() }), get: async () => value }
      const embedder = createCounting()
      const [vector] = await createQueryCache(cache)(embedder, 'a').embed(['q'], 'query')
      expect(embedder.asked).toEqual(['q'])
      expect(vector!.every(Number.isFinite)).toBe(true)
    }
  })

  it('are not kept of a call that failed', async () => {
    const { queries } = open()
    const embedder = createCounting()
    embedder.fault = new Error('away')
    await expect(queries(embedder, 'a').embed(['q'], 'query')).rejects.toThrow('away')
    embedder.fault = null
    expect(await queries(embedder, 'a').embed(['q'], 'query')).toHaveLength(1)
    await expect(queries(embedder, 'a').embed(['q'], 'query', AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped')
  })
})
