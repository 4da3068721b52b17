import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRenumbering } from './renumber.ts'

test('numbers passages in the order of their first mention, and says which are new', () => {
  const renumbering = createRenumbering()
  expect(renumbering.push('It is here [7][3].\n')).toEqual({ text: 'It is here [1][2].\n', cited: 2, first: [{ n: 1, passage: 7 }, { n: 2, passage: 3 }] })
  expect(renumbering.push('And there [3][9].')).toEqual({ text: 'And there [2][3].', cited: 2, first: [{ n: 3, passage: 9 }] })
})

test('leaves code as it is, in spans and in fences that come in pieces', () => {
  const renumbering = createRenumbering()
  expect(renumbering.push('See `list[4]` [4].\n').text).toBe('See `list[4]` [1].\n')
  expect(renumbering.push('```ts\n').text + renumbering.push('const x = list[5]\n').text + renumbering.push('```\n').text + renumbering.push('Then [5].').text).toBe('```ts\nconst x = list[5]\n```\nThen [2].')
})

test('whatever is cited, the numbers are 1, 2, 3 … without a gap', () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 5 }), { maxLength: 20 }), (lines) => {
      const renumbering = createRenumbering()
      const text = lines.map((cited) => renumbering.push(`Words ${cited.map((n) => `[${n}]`).join('')}.\n`).text).join('')
      const numbers = [...new Set([...text.matchAll(/\[(\d+)\]/g)].map(([, n]) => Number(n)))]
      expect(numbers).toEqual(numbers.map((_, at) => at + 1))
      expect([...renumbering.numbers.keys()]).toEqual([...new Set(lines.flat())])
    }),
  )
})
