import { expect, test } from 'vitest'
import { enough, evidenceStrength } from './evidence-strength.ts'
import { toQuery } from './query.ts'

const passages = [
  {
    path: 'src/session.ts',
    scope: ['Session'],
    content: 'export class Session { signCookie(cookie: string): string { return hmac(cookie) } }',
  },
  { path: 'src/routes.ts', scope: [], content: 'export function register(route: Route) { routes.push(route) }' },
]
const held = new Map([
  ['cookie', 4],
  ['sign', 3],
  ['rout', 20],
  ['regist', 9],
  ['session', 6],
  ['handl', 40],
])
const strength = (question: string) => evidenceStrength(toQuery(question), passages, { chunks: 200, held })

test('what the passages speak of is enough', () => {
  expect(strength('where are cookies signed?')).toMatchObject({ value: 1, missing: [], isEnough: true })
  expect(strength('what does signCookie do?').isEnough).toBe(true)
})

test('a name that nothing speaks of is not, and it is named', () => {
  expect(strength('where do we handle Stripe sessions?')).toMatchObject({ isEnough: false, missing: ['Stripe', 'handle'] })
  expect(strength('where do we register routes in Kubernetes?').value).toBeLessThan(
    strength('where do we register routes?').value,
  )
})

test('the passage that stands first counts, not whichever happens to hold the words', () => {
  const [first, second] = passages
  const of = (given: typeof passages) => evidenceStrength(toQuery('where are cookies signed?'), given, { chunks: 200, held }).value
  expect(of([first!, second!])).toBe(1)
  expect(of([second!, first!])).toBeLessThan(enough)
})

test('a plain word that no chunk holds may be another word for one; a name is no other', () => {
  const [plain, name] = [strength('where do we sign parcels?'), strength('where do we sign Parcels?')]
  expect(plain).toMatchObject({ missing: ['parcels'], isEnough: true })
  expect(name).toMatchObject({ missing: ['Parcels'], isEnough: false })
})

test('words scattered over passages count less than the same words together', () => {
  const apart = evidenceStrength(toQuery('where are session cookies registered?'), passages, { chunks: 200, held })
  const together = evidenceStrength(toQuery('where are session cookies signed?'), passages, { chunks: 200, held })
  expect(apart.value).toBeLessThan(together.value)
})

test('half of a word counts for less than the word', () => {
  const config = [{ path: 'a.ts', scope: [], content: 'configuration of all' }]
  const of = (question: string) => evidenceStrength(toQuery(question), config, { chunks: 10, held: new Map() }).value
  expect(of('config')).toBeGreaterThan(0)
  expect(of('config')).toBeLessThan(of('configuration'))
})

test('a part of a name is not the name', () => {
  const auth = [{ path: 'auth.ts', scope: [], content: 'auth os' }]
  expect(evidenceStrength(toQuery('where is OAuth?'), auth, { chunks: 10, held: new Map() }).value).toBe(0)
})

test('no passages, or no words, are no evidence', () => {
  expect(evidenceStrength(toQuery('where are cookies signed?'), [], { chunks: 200, held })).toMatchObject({
    value: 0,
    isEnough: false,
  })
  expect(strength('???')).toEqual({ value: 0, missing: [], isEnough: false })
})
