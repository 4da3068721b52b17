import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db } from './index.ts'
import { createTestTenant, openTestDb } from './testing/open-test-db.ts'
import { readTenant } from './transaction.ts'

let db: Db
beforeAll(async () => void (db = await openTestDb()))
afterAll(() => db.close())

test('a tenant is reached through its own door alone: none can be turned to another, and a copy opens nothing', async () => {
  const [acme, globex] = [await createTestTenant(db), await createTestTenant(db)]
  const where = () => readTenant(acme, (tx) => tx.query('select current_user as who, current_schema as where'))
  expect(() => Object.assign(acme, { schema: globex.schema })).toThrow(TypeError)
  expect(() => readTenant({ ...acme, schema: globex.schema }, (tx) => tx.query('select 1'))).toThrow(/Not a Db or TenantDb/)
  expect(await where()).toEqual([{ who: acme.schema, where: acme.schema }])
})
