import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db, TenantDb } from '../index.ts'
import { createTestTenant, openTestDb } from '../testing/open-test-db.ts'
import { buildSettings } from './vector-index.ts'

let db: Db
let tenant: TenantDb

beforeAll(async () => {
  db = await openTestDb()
  tenant = await createTestTenant(db)
})
afterAll(() => db.close())

/** What a build of so many chunks may take where the operator gives so much to maintenance. */
const memoryFor = (chunks: number, maintenance: string) =>
  tenant.transaction(async (tx) => {
    await tx.query('update corpus set chunks = $1', [chunks])
    await tx.query(`set local maintenance_work_mem to '${maintenance}'`)
    return (await buildSettings(tx)).find((setting) => setting.startsWith('maintenance_work_mem'))
  })

test.each([
  [100, '256MB', '64MB', 'a small index takes little'],
  [1_000_000, '16MB', '256MB', 'a large one what any server has to spare'],
  [1_000_000, '700MB', '700MB', 'or what its operator gives, which is never lowered'],
  [100_000, '1GB', `${(100_000 * 6) / 1024}MB`, 'but no more than its chunks need'],
])('a build of %i chunks with %s for maintenance takes %s: %s', async (chunks, maintenance, expected) => {
  expect(await memoryFor(chunks, maintenance)).toBe(`maintenance_work_mem to '${Math.floor(Number.parseFloat(expected) * 1024)}kB'`)
})
