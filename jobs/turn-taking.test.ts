import { expect, test } from 'vitest'
import { createTurnTaking } from './turn-taking.ts'

function open(options: { last?: number } = {}) {
  let at = 1_000_000
  const priority = createTurnTaking({ paceMs: 1_000, last: 1_000, now: () => at, ...options })
  return { priority, pass: (ms: number) => void (at += ms), many: (tenant: string, count: number) => Array.from({ length: count }, () => priority(tenant)) }
}

test('what a tenant leaves at its ease is first, what it leaves beyond is further and further back', () => {
  const { priority, many, pass } = open()
  expect(many('a', 4)).toEqual([1, 2, 3, 4])
  expect(priority('b')).toBe(1)
  pass(10_000)
  expect(many('a', 2)).toEqual([1, 2])
})

test('T34: of two tenants with a backlog each is served in turn, however much the other has', () => {
  const { many } = open()
  const queue = [...many('a', 500).map((at) => ({ at, whose: 'a' })), ...many('b', 5).map((at) => ({ at, whose: 'b' }))]
  const served = queue.toSorted((one, other) => one.at - other.at).map(({ whose }) => whose)
  expect(served.slice(0, 10).filter((whose) => whose === 'b')).toHaveLength(5)
})

test('nobody is further back than the last place, and what was once a flood is forgotten', () => {
  const { priority, many, pass } = open({ last: 100 })
  expect(many('a', 10_000).at(-1)).toBe(101)
  pass(101_000)
  expect(priority('a')).toBe(1)
})
