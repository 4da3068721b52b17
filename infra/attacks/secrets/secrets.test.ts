import { expect, test } from 'vitest'
import { secrets } from './secrets.ts'

test('T15: secrets of every kind are found wherever they stand, and little else', async () => {
  const missed: string[] = []
  const figures = await secrets.run({ seed: 20_261_127, long: false, say: (line) => void missed.push(line) })
  expect(figures.filter(({ holds }) => !holds), missed.join('\n')).toEqual([])
})
