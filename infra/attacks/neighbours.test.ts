import { expect, test } from 'vitest'
import { neighbours } from './neighbours.ts'

test('T33, T34: a tenant that floods, or whose Slack hangs, keeps nobody else waiting and is told so once', async () => {
  const figures = await neighbours.run({ seed: 1, long: false, say: () => undefined })
  expect(figures.filter(({ holds }) => !holds)).toEqual([])
  expect(figures).toHaveLength(5)
}, 300_000)
