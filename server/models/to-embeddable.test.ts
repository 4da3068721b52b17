import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toEmbeddable, toRequests } from './to-embeddable.ts'

describe('toEmbeddable', () => {
  test('is within its bytes, well-formed, without NUL, and never nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), fc.integer({ min: 4, max: 60 }), (text, most) => {
        const made = toEmbeddable(text, most)
        expect(Buffer.byteLength(made)).toBeLessThanOrEqual(Math.max(most, 1))
        expect(made.isWellFormed()).toBe(true)
        expect(made).not.toContain('\0')
        expect(made.trim()).not.toBe('')
      }),
    )
  })

  test('is the text itself where that fits, and else its beginning, cut between characters', () => {
    expect(toEmbeddable('export const a = 1\n', 8_000)).toBe('export const a = 1\n')
    expect(toEmbeddable('ééééé', 5)).toBe('éé')
    expect(toEmbeddable('a👍b', 4)).toBe('a')
    expect(toEmbeddable(' \n', 10)).toBe('.')
  })
})

describe('toRequests', () => {
  test('keeps every item in its order, and to what a request may hold', () => {
    const most = { texts: 3, characters: 20 }
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 30 })), (texts) => {
        const requests = toRequests(texts, most, (text) => text)
        expect(requests.flat()).toEqual(texts)
        for (const request of requests) {
          expect(request.length).toBeGreaterThan(0)
          expect(request.length).toBeLessThanOrEqual(most.texts)
          if (request.length > 1) expect(request.join('').length).toBeLessThanOrEqual(most.characters)
        }
      }),
    )
  })
})
