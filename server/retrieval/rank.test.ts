import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toQuery } from './query.ts'
import { rank, type CandidateChunk, type CandidateFile, type FileEdge } from './rank.ts'
import { selectPassages } from './select-passages.ts'
import { weightsOf } from './weights.ts'

const neutral = { code: 1, documentation: 1, business: 1 }
const where = weightsOf(toQuery('where is the parser?'), null)
const file = (fileId: string, path: string, legs: CandidateFile['legs'] = {}): CandidateFile => ({
  fileId,
  repositoryId: 'r',
  path,
  contentType: 'code',
  tokenLength: 300,
  legs,
})
const chunk = (chunkId: string, fileId: string, legs: CandidateChunk['legs']): CandidateChunk => ({
  chunkId,
  fileId,
  ordinal: Number(chunkId.at(-1)) || 0,
  legs,
})
const order = (input: {
  files: CandidateFile[]
  chunks: CandidateChunk[]
  edges?: FileEdge[]
  weights?: typeof where
  profile?: typeof neutral
}) => rank({ weights: where, profile: neutral, edges: [], ...input }).map(({ chunkId }) => chunkId)

test('a source comes before an equal test', () => {
  const files = [file('t', 'src/parser.test.ts'), file('s', 'src/parser.ts')]
  expect(order({ files, chunks: [chunk('t1', 't', { bm25: 9 }), chunk('s1', 's', { bm25: 9 })] })).toEqual(['s1', 't1'])
})

test('a question about tests lifts them, and a profile lifts documents', () => {
  const files = [file('t', 'src/parser.test.ts'), file('s', 'src/parser.ts')]
  const chunks = [chunk('t1', 't', { bm25: 9 }), chunk('s1', 's', { bm25: 6 })]
  expect(order({ files, chunks, weights: weightsOf(toQuery('which tests cover the parser?'), null) })[0]).toBe('t1')
  const mixed = [file('c', 'src/a.ts'), { ...file('d', 'src/b.ts'), contentType: 'business' as const }]
  const same = [chunk('c1', 'c', { bm25: 9 }), chunk('d1', 'd', { bm25: 9 })]
  expect(order({ files: mixed, chunks: same, profile: { code: 0.6, documentation: 1, business: 1.4 } })[0]).toBe('d1')
})

test('a long file does not crowd out the next one, but a clear win stays', () => {
  const files = [file('a', 'src/a.ts'), file('b', 'src/b.ts')]
  const close = [...Array.from({ length: 16 }, (_, at) => chunk(`a${at}`, 'a', { bm25: 10 - at / 10 })), chunk('b1', 'b', { bm25: 9 })]
  expect(order({ files, chunks: close }).indexOf('b1')).toBe(11)
  const far = [chunk('a1', 'a', { bm25: 10 }), chunk('a2', 'a', { bm25: 10 }), chunk('b1', 'b', { bm25: 1 })]
  expect(order({ files, chunks: far })).toEqual(['a1', 'a2', 'b1'])
})

test('a weak part of the best file comes before a stronger part of another in a program, not in prose', () => {
  const files = (contentType: CandidateFile['contentType']) => [{ ...file('a', 'a', { file: 9 }), contentType }, { ...file('b', 'b', { file: 3 }), contentType }]
  const chunks = [chunk('a1', 'a', { bm25: 10 }), chunk('a2', 'a', { bm25: 4 }), chunk('b1', 'b', { bm25: 5 })]
  expect(order({ files: files('code'), chunks })).toEqual(['a1', 'a2', 'b1'])
  expect(order({ files: files('business'), chunks })).toEqual(['a1', 'b1', 'a2'])
})

test('prose is lifted where one passage of it holds more of the words than any part of a program, and stands back where it holds fewer', () => {
  const files = [...['a', 'b', 'c'].map((id) => file(id, `src/${id}.ts`)), { ...file('page', 'docs/page.md'), contentType: 'documentation' as const }]
  const weights = { ...where, prior: { ...where.prior, docs: 0.4 } }
  const programs = (best: number) => [chunk('a1', 'a', { bm25: best }), chunk('a2', 'a', { bm25: best / 2 }), chunk('b1', 'b', { bm25: best * 0.9 }), chunk('c1', 'c', { bm25: best * 0.6 })]
  const place = (best: number, page: number) => order({ files, weights, chunks: [...programs(best), chunk('page1', 'page', { bm25: page })] }).indexOf('page1')
  expect([18, 14, 12, 10, 8].map((page) => place(10, page))).toEqual([0, 0, 1, 3, 4])
  expect(order({ files: files.slice(3), weights, chunks: [chunk('page1', 'page', { bm25: 3 })] })).toEqual(['page1'])
})

test('of a file that was found as a whole, one chunk stands for it', () => {
  const files = [file('a', 'src/a.ts', { path: 0.4 }), file('b', 'src/b.ts')]
  const chunks = [chunk('a1', 'a', {}), chunk('a2', 'a', {}), chunk('b1', 'b', { bm25: 1 }), chunk('b2', 'b', { bm25: 0.1 })]
  expect(order({ files, chunks, weights: { ...where, path: 4 } })).toEqual(['a1', 'b1', 'a2', 'b2'])
})

test('what the best file imports comes before what nothing leads to', () => {
  const files = [file('a', 'src/a.ts'), file('b', 'src/b.ts'), file('c', 'src/c.ts')]
  const chunks = [chunk('a1', 'a', { bm25: 10 }), chunk('b1', 'b', { bm25: 2 }), chunk('c1', 'c', { bm25: 2 })]
  expect(order({ files, chunks })).toEqual(['a1', 'b1', 'c1'])
  expect(order({ files, chunks, edges: [{ from: 'a', to: 'c', kind: 'import' }] })).toEqual(['a1', 'c1', 'b1'])
})

test('the order does not depend on the order of the input, and scores never rise', () => {
  const paths = ['src/a.ts', 'src/b.ts', 'test/a.test.ts', 'docs/a.md']
  const files = paths.map((path, at) => file(`f${at}`, path, at === 1 ? { file: 3 } : {}))
  const legs = fc.record(
    { bm25: fc.integer({ min: 1, max: 9 }), vector: fc.double({ min: 0, max: 1, noNaN: true }) },
    { requiredKeys: [] },
  )
  const chunks = fc
    .array(fc.tuple(fc.nat({ max: 3 }), legs), { maxLength: 12 })
    .map((all) => all.map(([of, found], at) => chunk(`c${at}`, `f${of}`, found)))
  fc.assert(
    fc.property(
      chunks.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
      ([all, shuffled]) => {
        const ranked = rank({
          weights: weightsOf(toQuery('what is it?'), 'openai:m'),
          profile: neutral,
          files,
          chunks: all,
          edges: [],
        })
        expect(
          rank({
            weights: weightsOf(toQuery('what is it?'), 'openai:m'),
            profile: neutral,
            files: [...files].reverse(),
            chunks: shuffled,
            edges: [],
          }),
        ).toEqual(ranked)
        for (const [at, { score }] of ranked.entries()) if (at > 0) expect(score).toBeLessThanOrEqual(ranked[at - 1]!.score)
      },
    ),
  )
})

test('a hashed lexical vector counts for a fraction of a learned one', () => {
  const query = toQuery('where is the parser?')
  expect(weightsOf(query, 'lexical:default').vector).toBeLessThan(weightsOf(query, 'openai:m').vector / 2)
  expect(weightsOf(query, null).vector).toBe(0)
})

test('a near copy in another file is dropped, neighbours in one file are not', () => {
  const text = Array.from({ length: 40 }, (_, at) => `word${at}`).join(' ')
  const ranked = rank({
    weights: where,
    profile: neutral,
    edges: [],
    files: [file('a', 'src/a.ts'), file('b', 'src/b.ts')],
    chunks: [chunk('a1', 'a', { bm25: 9 }), chunk('a2', 'a', { bm25: 8 }), chunk('b1', 'b', { bm25: 7 })],
  })
  const { chosen, dropped } = selectPassages(
    ranked,
    new Map([
      ['a1', text],
      ['a2', text],
      ['b1', `${text} more`],
    ]),
    10,
  )
  expect(chosen.map(({ chunkId }) => chunkId)).toEqual(['a1', 'a2'])
  expect(dropped).toEqual([{ chunkId: 'b1', path: 'src/b.ts', reason: 'repeats src/a.ts' }])
})
