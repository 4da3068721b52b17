import { expect, test } from 'vitest'
import { toAge } from './age.ts'

test('tells ages in words, never more than has passed', () => {
  const [minute, hour] = [60_000, 3_600_000]
  expect([0, 5.9 * minute, 59.9 * minute, 3 * hour, 72 * hour].map(toAge)).toEqual(['just now', '5 min ago', '59 min ago', '3 h ago', '3 d ago'])
})
