import fc from 'fast-check'
import { expect, test } from 'vitest'
import { meanScores, pairedInterval, scoreRanking } from './measures.ts'

test.each([
  [['a', 'b'], ['a'], { ndcg10: 1, mrr: 1, recall5: 1, recall10: 1 }],
  [['b', 'a'], ['a'], { ndcg10: 1 / Math.log2(3), mrr: 0.5, recall5: 1, recall10: 1 }],
  [['b', 'c'], ['a'], { ndcg10: 0, mrr: 0, recall5: 0, recall10: 0 }],
  [[...'bcdefga'], ['a', 'z'], { ndcg10: 1 / Math.log2(8) / (1 + 1 / Math.log2(3)), mrr: 1 / 7, recall5: 0, recall10: 0.5 }],
])('%j for %j', (ranked, answers, expected) => {
  const scores = scoreRanking(ranked, answers)
  for (const [measure, value] of Object.entries(expected)) expect(scores[measure as keyof typeof scores]).toBeCloseTo(value)
})

test('every measure lies between 0 and 1, and all answers first give 1', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string(), { maxLength: 15 }),
      fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 5 }),
      (ranked, answers) => {
        for (const value of Object.values(scoreRanking(ranked, answers))) {
          expect(value).toBeGreaterThanOrEqual(0)
          expect(value).toBeLessThanOrEqual(1 + 1e-9)
        }
        expect(scoreRanking([...answers, ...ranked.filter((path) => !answers.includes(path))], answers).ndcg10).toBeCloseTo(1)
      },
    ),
  )
})

test('an interval holds its difference, and equal rankings differ by nothing', () => {
  expect(pairedInterval([1, 0.5, 0], [1, 0.5, 0])).toEqual({ difference: 0, low: 0, high: 0 })
  const { difference, low, high } = pairedInterval([1, 1, 0.5, 0.2, 0.9], [0.5, 0.8, 0.5, 0.4, 0.1])
  expect(difference).toBeCloseTo(0.26)
  expect(low).toBeLessThan(difference)
  expect(high).toBeGreaterThan(difference)
  expect(meanScores([]).ndcg10).toBe(0)
})
