import { expect, test } from 'vitest'
import { lineCounts } from './line-counts.ts'

const file = (additions: number | null, deletions: number | null, change: Partial<Parameters<typeof lineCounts>[0][number]> = {}) => ({ status: 'modified' as const, left: null, additions, deletions, ...change })

test.each<[string, Parameters<typeof lineCounts>[0], string | null]>([
  ['all counted', [file(1_200, 3), file(0, 4)], '+1,200 −7'],
  ['some beyond the listing', [file(5, 0), file(null, null, { left: 'no-diff' })], 'at least +5 −0'],
  ['some that GitHub did not compare', [file(5, 0), file(0, 0, { left: 'too-large' })], 'at least +5 −0'],
  ['none', [file(0, 0, { left: 'lock-file' }), file(null, null, { left: 'no-diff' })], null],
  ['binary ones, which have no lines', [file(5, 0), file(0, 0, { left: 'binary' }), file(null, null, { left: 'binary' })], '+5 −0'],
  ['one that only moved', [file(0, 0, { status: 'renamed', left: 'lock-file' })], '+0 −0'],
])('lines: %s', (_, files, counts) => {
  expect(lineCounts(files)).toBe(counts)
})
