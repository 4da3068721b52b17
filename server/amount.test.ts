import { expect, it } from 'vitest'
import { toAmount, toChange } from './amount.ts'
import { toMoment } from './moment.ts'

it.each([
  [1204, 'count', '1,204'],
  [26.54, 'hours', '26.5 h'],
  [3, 'days', '3 d'],
  [40, 'percent', '40 %'],
  [0.04, 'hours', '0 h'],
] as const)('%d %s reads %s', (value, unit, expected) => {
  expect(toAmount(value, unit)).toBe(expected)
})

it.each([
  [12, 8, 'count', '▲ 4 from 8'],
  [4.5, 6, 'hours', '▼ 1.5 h from 6 h'],
  [4.54, 4.5, 'hours', 'same as before'],
  // As the two shown values differ, not as the exact ones do.
  [0.16, 0.04, 'days', '▲ 0.2 d from 0 d'],
  [3, null, 'count', null],
] as const)('%d after %s %s reads %s', (value, previous, unit, expected) => {
  expect(toChange({ value, previous, unit })).toBe(expected)
})

it('a moment is told in its zone, and in UTC where that is none', () => {
  expect(toMoment('2026-11-22T13:05:00Z', 'Europe/Berlin')).toBe('22 Nov 2026, 14:05 (Europe/Berlin)')
  expect(toMoment('2026-11-22T13:05:00Z', 'Nowhere/Else')).toBe('22 Nov 2026, 13:05 (UTC)')
})
