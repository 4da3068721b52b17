import { describe, expect, test } from 'vitest'
import { findSecrets, mergeSecrets } from './find-secrets.ts'
import type { Secret } from './find-secrets.ts'

const join = (...parts: string[]) => parts.join('')
const secret = (start: number, end: number, kind = 'Secret'): Secret => ({ start, end, kind })

function orders<T>(list: readonly T[]): T[][] {
  return list.length === 0 ? [[]] : list.flatMap((first, at) => orders(list.toSpliced(at, 1)).map((rest) => [first, ...rest]))
}

describe('finds', () => {
  const key = join('AKIA', 'QX7MZP2LRT5VKD3N')
  const other = join('AKIA', 'B4WJ6HYC2GSNFE7U')

  test('of one detector are all told, with where they start and end', () => {
    expect(findSecrets(`${key} ${other}`)).toEqual([secret(0, 20, 'AWS'), secret(21, 41, 'AWS')])
  })

  test.each([
    ['all that matches', '', key, '', 'AWS'],
    ['what the detector captures', 'see postgres://shop:', join('q7Zk', '2mVx'), '@db.acme.dev/shop', 'Password'],
    ['the second capture of two', 'password is ', join('Zebra-', '7x9Q'), '', 'Password'],
    ['the first capture of two', 'password: "', join('Zebra-', '7x9Q'), '"', 'Password'],
  ])('are %s', (_, before, found, after, kind) => {
    expect(findSecrets(before + found + after)).toEqual([secret(before.length, before.length + found.length, kind)])
  })

  test.each(['const token = await getToken(request)', join('password: "', 'Changeme-7x"')])('of a text without secrets are none: %s', (text) => {
    expect(findSecrets(text)).toEqual([])
  })
})

describe('merging', () => {
  test.each<[name: string, secrets: Secret[], merged: Secret[]]>([
    ['nothing', [], []],
    ['what lies apart', [secret(0, 3, 'A'), secret(5, 9, 'B'), secret(12, 14, 'C')], [secret(0, 3, 'A'), secret(5, 9, 'B'), secret(12, 14, 'C')]],
    ['what only touches', [secret(0, 3, 'A'), secret(3, 5, 'B'), secret(5, 6, 'C')], [secret(0, 3, 'A'), secret(3, 5, 'B'), secret(5, 6, 'C')]],
    ['what overlaps in a chain', [secret(0, 4, 'A'), secret(3, 7, 'B'), secret(6, 9, 'C'), secret(20, 30, 'D')], [secret(0, 9, 'A'), secret(20, 30, 'D')]],
    ['what lies inside', [secret(0, 20, 'A'), secret(2, 4, 'B'), secret(6, 8, 'C')], [secret(0, 20, 'A')]],
    ['what starts together: the longest names it', [secret(2, 4, 'B'), secret(2, 9, 'A'), secret(2, 6, 'C')], [secret(2, 9, 'A')]],
    ['what is empty', [secret(0, 0, 'A'), secret(1, 3, 'B'), secret(3, 3, 'C'), secret(5, 5, 'D')], [secret(1, 3, 'B')]],
    ['what holds an empty one', [secret(0, 4, 'A'), secret(2, 2, 'B')], [secret(0, 4, 'A')]],
    ['numbers of different lengths', [secret(9, 10, 'A'), secret(80, 90, 'B'), secret(100, 105, 'C'), secret(1000, 1001, 'D')], [secret(9, 10, 'A'), secret(80, 90, 'B'), secret(100, 105, 'C'), secret(1000, 1001, 'D')]],
  ])('%s', (_, secrets, merged) => {
    for (const order of orders(secrets)) expect(mergeSecrets(order)).toEqual(merged)
  })

  test('covers what the finds cover, in any order, and changes none of them', () => {
    const secrets = Object.freeze([secret(4, 9), secret(0, 2), secret(8, 12), secret(30, 31), secret(2, 3)].map((each) => Object.freeze(each)))
    const covered = (list: readonly Secret[]) => Array.from({ length: 40 }, (_, at) => list.some(({ start, end }) => start <= at && at < end))
    for (const order of orders(secrets)) {
      const merged = mergeSecrets(order)
      expect(covered(merged)).toEqual(covered(secrets))
      for (const [at, { start }] of merged.entries()) expect(start).toBeGreaterThanOrEqual(merged[at - 1]?.end ?? 0)
    }
  })
})
