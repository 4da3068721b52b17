import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NuraError } from '#db/nura-error.ts'
import type { Reranker } from '../models/reranker.ts'
import type { RankedChunk } from './rank.ts'
import { rerank } from './rerank.ts'

const chunk = (chunkId: string, score: number, legs: RankedChunk['legs'] = { bm25: 1 }): RankedChunk => ({ chunkId, fileId: chunkId, path: `${chunkId}.ts`, score, legs, role: 'source', fileScore: score })
const scoring = (scores: Record<string, number>): Reranker & { asked: string[][] } => {
  const asked: string[][] = []
  return { id: 'tei:m', maxTexts: 32, asked, rerank: async (_, texts) => (asked.push(texts), texts.map((text) => scores[text.split('.ts')[0]!] ?? 0)) }
}
const textsOf = (ranked: RankedChunk[]) => new Map(ranked.map(({ chunkId }) => [chunkId, `text of ${chunkId}`]))
const run = (reranker: Reranker, ranked: RankedChunk[], texts = textsOf(ranked)) => rerank(reranker, { query: 'where?', ranked, texts })
const ids = ({ ranked }: { ranked: RankedChunk[] }) => ranked.map(({ chunkId }) => chunkId)

describe('rerank', () => {
  test('lifts what the reranker finds better, and reads path and text', async () => {
    const reranker = scoring({ a: 0.1, b: 0.2, c: 0.9 })
    const found = await run(reranker, [chunk('a', 10), chunk('b', 9), chunk('c', 7)])
    expect(ids(found)).toEqual(['c', 'b', 'a'])
    expect(found.told).toEqual({ model: 'tei:m', texts: 3, fault: null })
    expect(reranker.asked[0]![0]).toBe('a.ts\ntext of a')
  })

  test('keeps what the question names by its name or path before what only reads well', async () => {
    const scores = { named: 0.05, other: 0.95 }
    for (const legs of [{ symbol: 1 }, { path: 1 }]) expect(ids(await run(scoring(scores), [chunk('named', 10, legs), chunk('other', 6)]))).toEqual(['named', 'other'])
    expect(ids(await run(scoring(scores), [chunk('named', 10), chunk('other', 6)]))).toEqual(['other', 'named'])
  })

  test.each([
    ['an error', () => Promise.reject(new NuraError('model-cold', 'tei:m is starting.')), 'tei:m is starting.'],
    ['an error of its own', () => Promise.reject(new Error('canary')), 'The reranker failed.'],
  ])('leaves the order as it was after %s, and says so', async (_, fail, fault) => {
    const ranked = [chunk('a', 10), chunk('b', 9)]
    const found = await run({ id: 'tei:m', maxTexts: 32, rerank: fail }, ranked)
    expect(found.ranked).toBe(ranked)
    expect(found.told.fault).toBe(fault)
  })

  test('ends with the reason of its signal', async () => {
    const reason = new Error('stop')
    const ranked = [chunk('a', 10), chunk('b', 9)]
    const failing: Reranker = { id: 'm', maxTexts: 32, rerank: (_, __, signal) => Promise.reject(signal?.reason as Error) }
    await expect(rerank(failing, { query: '', ranked, texts: textsOf(ranked), signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })

  test('loses nothing, adds nothing, and its scores fall', async () => {
    const score = fc.double({ min: 0, max: 1, noNaN: true })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(score, score, fc.boolean(), fc.boolean()), { maxLength: 50 }), async (given) => {
        const ranked = given.map(([own, , isNamed], at) => chunk(`c${at}`, own + 0.001, isNamed ? { symbol: 1 } : { bm25: 1 })).sort((a, b) => b.score - a.score)
        const texts = new Map([...textsOf(ranked)].filter(([id]) => given[Number(id.slice(1))]![3]))
        const found = await run(scoring(Object.fromEntries(given.map(([, other], at) => [`c${at}`, other]))), ranked, texts)
        expect(ids(found).toSorted()).toEqual(ranked.map(({ chunkId }) => chunkId).toSorted())
        found.ranked.forEach((each, at) => expect(each.score).toBeLessThanOrEqual(found.ranked[at - 1]?.score ?? Infinity))
      }),
    )
  })
})
