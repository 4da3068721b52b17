import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Db, TenantDb } from '#db/index.ts'
import { saveModelCalls } from '#db/tenant/usage.ts'
import type { ModelCall } from '#db/tenant/usage.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { tellUsage } from './tell-usage.ts'

let db: Db
let acme: TenantDb
let other: TenantDb
const toCall = (change: Partial<ModelCall>): ModelCall => ({ answerId: null, agent: 'dev', provider: 'openai', model: 'openai:gpt-4.1', outcome: 'answered', inputTokens: 1_500, outputTokens: 200, costUsd: 0.0046, milliseconds: 5, ...change })

beforeAll(async () => {
  db = await openTestDb()
  ;[acme, other] = await Promise.all([createTestTenant(db, 'acme'), createTestTenant(db, 'other')])
  await saveModelCalls(acme, [toCall({}), toCall({ estimated: true }), toCall({ agent: 'pm', model: 'openai:gpt-5', costUsd: 1 })])
  await saveModelCalls(other, [toCall({ costUsd: 0 })])
})
afterAll(() => db.close())

it('tells every tenant apart, with a total', async () => {
  const today = new Date().toISOString().slice(0, 10)
  expect(await tellUsage(db, [{ id: acme.id, slug: 'acme' }, { id: other.id, slug: 'other' }], today)).toEqual([
    `What models did since ${today}, UTC:`,
    'tenant  agent  model           calls  estimated  tokens read  tokens written  cost in $',
    'acme    pm     openai:gpt-5        1          0        1,500             200     1.0000',
    'acme    dev    openai:gpt-4.1      2          1        3,000             400     0.0092',
    'other   dev    openai:gpt-4.1      1          0        1,500             200     0.0000',
    'total                              4          1        6,000             800     1.0092',
  ])
})

it('says when there is nothing, and what a day looks like', async () => {
  expect(await tellUsage(db, [{ id: acme.id, slug: 'acme' }], '2999-01-01')).toEqual(['No model was asked since 2999-01-01, UTC.'])
  for (const day of ['yesterday', '2026-02-30', '2026-1-1', '']) await expect(tellUsage(db, [], day)).rejects.toThrow('--since is a day such as')
})
