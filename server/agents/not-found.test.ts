import { expect, test } from 'vitest'
import { webhookEvidence } from '../testing/evidence.ts'
import { writeNotFound } from './not-found.ts'

const now = new Date('2026-01-01T12:00:00Z')

test('says where it looked and how old that is, names the closest files with their numbers, and a next step', () => {
  const text = writeNotFound(webhookEvidence('Where is the tax rate?'), [{ name: 'acme/api', indexedAt: new Date('2026-01-01T11:56:00Z') }, { name: 'acme/docs', indexedAt: new Date('2026-01-01T11:59:00Z') }], now)
  expect(text).toBe(
    'I could not find this in `acme/api` and `acme/docs` (indexed 4 min ago). Closest: `src/verify.ts` [1], `src/receive.ts` [2] and `src/dispatch.ts` [3]. ' +
      'Try: name a function, file or setting the way the code spells it, or ask "What does `verifySignature` do?"',
  )
})

test('says so when there is nothing to look in', () => {
  expect(writeNotFound({ question: 'Where?', passages: [], symbols: [], relations: [] }, [], now)).toMatch(/^There is nothing indexed that I may answer from here\./)
})
