import { expect, test } from 'vitest'
import { count, countLines, rankBm25 } from './bm25.ts'

test('the rarer word decides, and a path counts as text', () => {
  const pieces = [count('a.ts', 'parser token token'), count('b.ts', 'token stream'), count('c.ts', 'token')]
  expect(rankBm25(pieces, 'parser token')[0]).toBe('a.ts')
  expect(rankBm25(pieces, 'nothing of it')).toEqual([])
  expect(rankBm25(countLines('src/stream.ts', 'x'), 'stream')).toEqual(['src/stream.ts'])
})

test('a file counts by its best piece', () => {
  const lines = [...Array.from({ length: 60 }, () => 'filler'), 'needle']
  expect(countLines('a.ts', lines.join('\n'))).toHaveLength(2)
  expect(rankBm25([...countLines('a.ts', lines.join('\n')), count('b.ts', `needle ${'filler '.repeat(30)}`)], 'needle')[0]).toBe(
    'a.ts',
  )
})
