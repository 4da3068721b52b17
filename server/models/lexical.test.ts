import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { embedderContract } from '../testing/embedder-contract.ts'
import { lexicalEmbedder } from './lexical.ts'

embedderContract('without a model', () => lexicalEmbedder)

async function embed(...texts: string[]): Promise<number[][]> {
  return lexicalEmbedder.embed(texts, 'document')
}

function cosine([a, b]: number[][]): number {
  return a!.reduce((sum, value, index) => sum + value * b![index]!, 0)
}

describe('the lexical embedder', () => {
  test('gives a unit vector of 1024 dimensions for any text, and the same one again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 200 }), async (text) => {
        const [vector, again] = await embed(text, text)
        expect(vector).toHaveLength(1024)
        expect(Math.hypot(...vector!)).toBeCloseTo(1, 6)
        expect(again).toEqual(vector)
      }),
    )
  })

  test('keeps the order of a batch', async () => {
    const batch = await embed('cart total', 'webhook signature')
    expect(batch).toEqual([(await embed('cart total'))[0], (await embed('webhook signature'))[0]])
  })

  test('finds shared words, parts of identifiers and stems near, other texts far', async () => {
    const question = 'where do we verify webhook signatures'
    const near = cosine(await embed(question, 'export function verifyWebhookSignature(body: string) { return hmac(body) }'))
    const far = cosine(await embed(question, 'class ShoppingCart { total(items) { return items.sum() } }'))
    expect(near).toBeGreaterThan(0.3)
    expect(far).toBeLessThan(0.15)
  })

  test('brings words with one root together by their letters', async () => {
    expect(cosine(await embed('authorize', 'authorization'))).toBeGreaterThan(cosine(await embed('authorize', 'pagination')) + 0.05)
  })

  test('stops when asked to', async () => {
    await expect(lexicalEmbedder.embed(['text'], 'query', AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
  })
})
