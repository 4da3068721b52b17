import { describe, expect, test } from 'vitest'
import type { Reranker } from '../models/reranker.ts'

/** What a provider can do to one request, and what the reranker must make of it. */
const faults = {
  'a rate limit of 30 s': { code: 'model-unavailable', retryable: true },
  'a server in trouble': { code: 'model-unavailable', retryable: true },
  'a server that is starting': { code: 'model-cold', retryable: true },
  'a refused key': { code: 'bad-model', retryable: false },
  'a connection that is cut': { code: 'model-unavailable', retryable: true },
  'a body that cannot be read': { code: 'model-unavailable', retryable: true },
  'a score that is no number': { code: 'model-unavailable', retryable: true },
  'a score too few': { code: 'model-unavailable', retryable: true },
} as const

/** Names of the faults of the contract. */
export type RerankerFault = keyof typeof faults

export type RerankerRig = {
  cause(fault: RerankerFault | 'a server that never answers' | null): void
  calls(): number
  aborted(): number
}

/** The whole test of a reranker against a fake of its provider, which must score texts by the words they share with the question. */
export function rerankerContract(name: string, create: () => Reranker, rig: () => RerankerRig): void {
  const texts = ['nothing of that', 'the canary cart keeps lines', 'a cart', 'the canary']

  describe(`reranker ${name}`, () => {
    test('scores each text, in the order given', async () => {
      const scores = await create().rerank('canary cart lines', texts)
      expect(scores).toHaveLength(4)
      expect([0, 1, 2, 3].sort((a, b) => scores[b]! - scores[a]!)[0]).toBe(1)
      for (const score of scores) expect(score >= 0 && score <= 1).toBe(true)
      expect(await create().rerank('x', [])).toEqual([])
      expect(await create().rerank('cart', Array.from({ length: create().maxTexts }, (_, at) => `text ${at}`))).toHaveLength(create().maxTexts)
    })

    test.each([['nothing', ''], ['NUL', 'a\0b'], ['a lone surrogate', 'a\ud800'], ['100 kB', 'cart '.repeat(20_000)]])('takes %s', async (_, text) => {
      expect(await create().rerank(text, [text, 'cart'])).toHaveLength(2)
    })

    test.each(Object.entries(faults))('%s ends in one error, and the next call works', async (fault, expected) => {
      const before = rig().calls()
      rig().cause(fault as RerankerFault)
      const error = await create().rerank('canary', texts).then(() => null, (thrown: unknown) => thrown)
      rig().cause(null)
      expect(error).toMatchObject({ name: 'NuraError', ...expected })
      expect(rig().calls() - before).toBe(1)
      expect(JSON.stringify([String(error), String((error as Error).cause)])).not.toContain('canary')
      expect(await create().rerank('cart', texts)).toHaveLength(4)
    })

    test('an abort ends a call that hangs, with its reason, and the server hears of it', async () => {
      const stop = new AbortController()
      const reason = new Error('stopped meanwhile')
      const [calls, aborted] = [rig().calls(), rig().aborted()]
      rig().cause('a server that never answers')
      const ended = create().rerank('cart', texts, stop.signal).then(() => null, (thrown: unknown) => thrown)
      await expect.poll(() => rig().calls()).toBeGreaterThan(calls)
      stop.abort(reason)
      expect(await ended).toBe(reason)
      await expect.poll(() => rig().aborted()).toBeGreaterThan(aborted)
      rig().cause(null)
      await expect(create().rerank('cart', texts, AbortSignal.abort(reason))).rejects.toBe(reason)
    })
  })
}
