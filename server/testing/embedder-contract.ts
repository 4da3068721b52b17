import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toSpaceLiteral } from '#db/tenant/space.ts'
import type { Embedder, EmbeddingCall } from '../models/embedder.ts'
import type { VectorFault } from './fake-vectors.ts'

/** What a provider can do to one request, and what the embedder must make of it. */
const faults = {
  'a server that never answers': { code: 'model-unavailable', retryable: true },
  'a server that is slow': { code: 'model-unavailable', retryable: true },
  'a rate limit of 30 s': { code: 'model-unavailable', retryable: true },
  'a server in trouble': { code: 'model-unavailable', retryable: true },
  'a server that is starting': { code: 'model-cold', retryable: true },
  'a refused key': { code: 'bad-model', retryable: false },
  'a model that is not there': { code: 'bad-model', retryable: false },
  'a connection that is cut': { code: 'model-unavailable', retryable: true },
  'a body that cannot be read': { code: 'model-unavailable', retryable: true },
  'vectors of another length': { code: 'wrong-dimensions', retryable: false },
  'a vector with a value that is no number': { code: 'bad-vectors', retryable: true },
  'a vector of zeros': { code: 'bad-vectors', retryable: true },
  'a vector too few': { code: 'bad-vectors', retryable: true },
} as const

/** Names of the faults of the contract. */
export type EmbedderFault = keyof typeof faults

/** Those that every provider words alike. */
export const commonFaults = {
  'a server that never answers': { kind: 'hang' },
  'a server that is slow': { kind: 'slow', ms: 3_000 },
  'a connection that is cut': { kind: 'cut' },
  'a body that cannot be read': { kind: 'malformed' },
  'vectors of another length': { kind: 'dimensions', count: 768 },
  'a vector with a value that is no number': { kind: 'nan' },
  'a vector of zeros': { kind: 'zero' },
  'a vector too few': { kind: 'short' },
} as const satisfies Partial<Record<EmbedderFault, VectorFault>>

type Deadlines = { query: number; document: number }
/** What only a deadline ends, and a deadline that a test can wait for; whatever else is asked may take the time of a busy machine. */
const endless = new Set<string>(['a server that never answers', 'a server that is slow'] satisfies EmbedderFault[])
const hastyDeadlines: Deadlines = { query: 700, document: 700 }
const patientDeadlines: Deadlines = { query: 60_000, document: 60_000 }

/** The faults of an embedder behind a network: `cause` makes the fake of its provider do one to every request from now on, null ends it. */
export type EmbedderRig = {
  cause(fault: EmbedderFault | null): void
  /** Requests that reached the fake. */
  calls(): number
  /** Requests that the embedder gave up. */
  aborted(): number
}

/**
 * The whole test of an embedder, held to its limits as every process holds it but without its gate. `open` opens it with these
 * deadlines, against a fake of its provider where it has one.
 */
export function embedderContract(name: string, open: (deadlines: Deadlines) => Embedder, rig?: () => EmbedderRig): void {
  const create = () => open(patientDeadlines)
  const text = 'Where is canary dispatched?'
  const embed = (texts: string[]) => create().embed(texts, 'document')
  const lengthOf = (vector: number[]) => Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
  const cosine = (a: number[], b: number[]) => a.reduce((sum, value, at) => sum + value * b[at]!, 0)

  describe(`embedder ${name}`, () => {
    test('says which space it is, as the database can name it', () => {
      const { space, dimensions, maxBatch } = create()
      expect(toSpaceLiteral(space)).toBe(`'${space}'`)
      expect(dimensions).toBe(1024)
      expect(maxBatch).toBeGreaterThan(0)
    })

    test('gives a unit vector for each text, and the same for the same text', async () => {
      const [first, second, again] = await embed(['open the store', 'close the door', 'open the store'])
      for (const vector of [first, second, again]) {
        expect(vector).toHaveLength(1024)
        expect(lengthOf(vector!)).toBeCloseTo(1, 6)
      }
      expect(cosine(first!, again!)).toBeCloseTo(1, 6)
      expect(cosine(first!, second!)).toBeLessThan(0.95)
      expect(await embed([])).toEqual([])
    })

    test('keeps the order over more texts than one request holds', async () => {
      const embedder = create()
      const texts = Array.from({ length: 2 * Math.min(embedder.maxBatch, 300) + 3 }, (_, at) => `word${at} other${at}`)
      const vectors = await embedder.embed(texts, 'document')
      expect(vectors).toHaveLength(texts.length)
      for (const at of [0, 1, embedder.maxBatch - 1, texts.length - 1].filter((place) => place < texts.length)) {
        const [alone] = await embedder.embed([texts[at]!], 'document')
        expect(cosine(vectors[at]!, alone!)).toBeCloseTo(1, 6)
      }
    })

    test.each([
      ['nothing', ''], ['blanks', ' \n\t '], ['NUL', 'a\0b'], ['a lone surrogate', 'a\ud800b\udc00'], ['emoji', '👩‍👩‍👧‍👦'.repeat(3_000)],
      ['100 kB in one word', 'x'.repeat(100_000)], ['100 kB of words', 'some words '.repeat(10_000)], ['other scripts', '東京でバスに乗る。'.repeat(2_000)],
    ])('takes %s beside other texts', async (_, given) => {
      const vectors = await embed(['before', given, 'after'])
      expect(vectors).toHaveLength(3)
      for (const vector of vectors) expect(lengthOf(vector)).toBeCloseTo(1, 6)
      expect(cosine(vectors[0]!, (await embed(['before']))[0]!)).toBeCloseTo(1, 6)
    })

    test('takes any text', async () => {
      const embedder = create()
      await fc.assert(
        fc.asyncProperty(fc.array(fc.string({ unit: 'binary', maxLength: 60 }), { maxLength: 5 }), async (texts) => {
          const vectors = await embedder.embed(texts, 'query')
          expect(vectors).toHaveLength(texts.length)
          for (const vector of vectors) expect(lengthOf(vector)).toBeCloseTo(1, 6)
        }),
        { numRuns: 25 },
      )
    })

    test('ends with the reason of a signal that fired before', async () => {
      const reason = new Error('stopped before')
      await expect(create().embed([text], 'query', AbortSignal.abort(reason))).rejects.toBe(reason)
    })

    if (!rig) return

    test.each(Object.entries(faults))('%s ends in one error that tells whether waiting helps, and the next call works', async (fault, expected) => {
      const embedder = open(endless.has(fault) ? hastyDeadlines : patientDeadlines)
      const before = rig().calls()
      const heard: EmbeddingCall[] = []
      rig().cause(fault as EmbedderFault)
      const error = await embedder.embed([text, 'another'], 'document', undefined, (call) => heard.push(call)).then(() => null, (thrown: unknown) => thrown)
      rig().cause(null)
      expect(error).toMatchObject({ name: 'NuraError', ...expected })
      expect(rig().calls() - before).toBe(1)
      expect(heard).toEqual([expect.objectContaining({ outcome: 'failed', kind: 'document', failure: expect.stringContaining((error as Error).message) as string })])
      expect(JSON.stringify([String(error), String((error as Error).cause), heard])).not.toContain('canary')
      const retryAt = (error as { retryAt?: Date }).retryAt?.getTime() ?? 0
      expect(retryAt > Date.now() + 20_000).toBe(fault === 'a rate limit of 30 s')
      expect(await (endless.has(fault) ? create() : embedder).embed([text], 'document')).toHaveLength(1)
    })

    test('an abort ends a call that hangs, with its reason, and the server hears of it', async () => {
      const stop = new AbortController()
      const reason = new Error('stopped meanwhile')
      const [calls, aborted] = [rig().calls(), rig().aborted()]
      rig().cause('a server that never answers')
      const ended = create().embed([text], 'document', stop.signal).then(() => null, (thrown: unknown) => thrown)
      await expect.poll(() => rig().calls()).toBeGreaterThan(calls)
      stop.abort(reason)
      expect(await ended).toBe(reason)
      await expect.poll(() => rig().aborted()).toBeGreaterThan(aborted)
      rig().cause(null)
    })

    test('tells what a call took', async () => {
      const heard: EmbeddingCall[] = []
      await create().embed(['some words to embed', 'and more'], 'query', undefined, (call) => heard.push(call))
      expect(heard).toEqual([expect.objectContaining({ kind: 'query', outcome: 'answered', failure: null })])
      expect(heard[0]!.tokens).toBeGreaterThan(3)
      expect(heard[0]!.costUsd).toBeGreaterThanOrEqual(0)
      expect(heard[0]!.model).toMatch(/^[a-z]+:\S+$/)
    })
  })
}
