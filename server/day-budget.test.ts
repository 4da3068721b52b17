import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db } from '#db/index.ts'
import { saveModelCalls } from '#db/tenant/usage.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { isBudgetSpent } from './day-budget.ts'

let db: Db
beforeAll(async () => void (db = await openTestDb()))
afterAll(() => db.close())

test('a day’s budget is spent by the tokens of that day, of one tenant, read and written', async () => {
  const [tenant, other] = await Promise.all([createTestTenant(db), createTestTenant(db)])
  const call = { answerId: null, agent: 'dev', provider: 'openai', model: 'openai:gpt-4.1', outcome: 'answered', inputTokens: 700, outputTokens: 300, costUsd: 0, milliseconds: 5 }
  await saveModelCalls(tenant, [call])
  expect(await isBudgetSpent(tenant, 1_001)).toBe(false)
  expect(await isBudgetSpent(tenant, 1_000)).toBe(true)
  expect(await isBudgetSpent(other, 1)).toBe(false)
  expect(await isBudgetSpent(tenant, null)).toBe(false)
})

test('the next day starts with a new one', async () => {
  const tenant = await createTestTenant(db)
  await saveModelCalls(tenant, [{ answerId: null, agent: 'dev', provider: 'openai', model: 'openai:gpt-4.1', outcome: 'answered', inputTokens: 10, outputTokens: 0, costUsd: 0, milliseconds: 5 }])
  const today = new Date()
  const justAfterMidnight = new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate() + 1, 0, 0, 1))
  expect(await isBudgetSpent(tenant, 10, today)).toBe(true)
  expect(await isBudgetSpent(tenant, 10, justAfterMidnight)).toBe(false)
})
