import { describe, expect, test } from 'vitest'
import { toCandidates } from './candidate-terms.ts'

const documents = 500_000
const question = (...frequencies: number[]) => frequencies.map((df, at) => ({ hash: at + 1, df, documents }))

describe('what is scored for a question', () => {
  test.each([
    ['the rarest terms, up to the cap', [10, 900, 2_000, 2_500], '1 | 2 | 3', undefined],
    ['one term that is everywhere, where there is no other', [400_000], '1', undefined],
    ['two of three common terms', [20_000, 30_000, 40_000], '1 & 2 | 1 & 3', '1'],
    ['three where two are too many', [30_000, 100_000, 150_000], '1 & 2 & 3', '1'],
    ['all where even they are too many', [200_000, 300_000, 400_000], '1 & 2 & 3', '1'],
  ])('is %s', (_, frequencies, query, wider) => {
    expect(toCandidates(question(...frequencies))).toEqual(wider === undefined ? [query] : [query, wider])
  })

  test('is no more of the groups of a long question than of its rarest terms', () => {
    const [query] = toCandidates(question(...Array.from({ length: 40 }, () => 4_000)))
    expect(query.split(' | ').every((group) => /^[1-8] & [1-8]$/.test(group))).toBe(true)
  })
})
