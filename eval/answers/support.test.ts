import { expect, test } from 'vitest'
import { leastSupport, rarityIn, support } from './support.ts'

const sign = { path: 'src/cookie.ts', scope: [], content: 'export function signCookie(value: string) { return hmac(value) }' }
const route = { path: 'src/route.ts', scope: [], content: 'export function addRoute(path: string) { routes.push(path) }' }
const rarity = rarityIn([sign, route, { path: 'src/main.ts', scope: [], content: 'export function main() {}' }])

test('a passage supports what it says, in other forms of its words, and not what another one says', () => {
  const sentence = 'The function `signCookie` in `src/cookie.ts` (line 1) signs the value by hmac.'
  expect(support(sentence, [sign], rarity)).toBe(1)
  expect(support(sentence, [route], rarity)).toBeLessThan(leastSupport)
  expect(support(sentence, [], rarity)).toBe(0)
})

test('words that are everywhere support little, and what is made up costs most', () => {
  expect(support('The function is an export', [route], rarity)).toBe(1)
  const told = support('`signCookie` signs the value', [sign], rarity)
  expect(support('`signCookie` signs the value with a certificate from Kubernetes', [sign], rarity)).toBeLessThan(told)
  expect(support('The function exports Kubernetes', [sign], rarity)).toBeLessThan(leastSupport)
  expect(support('It is.', [sign], rarity)).toBe(1)
})
