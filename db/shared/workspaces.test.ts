import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Db } from '../index.ts'
import { openTestDb } from '../testing/open-test-db.ts'
import { listTenants } from './tenants.ts'
import { provisionTenant } from './workspaces.ts'

/** A score of schemas is made here, each with all its tables. */
vi.setConfig({ testTimeout: 300_000 })

let db: Db
beforeAll(async () => void (db = await openTestDb()))
afterAll(() => db.close())

const ids = [
  'T0123ABC', '7b0f2c1e-0000-4000-8000-000000000001', '4711', 't0123abc', 'T0123.ABC', 'T0123-ABC', 'T0123_ABC', 'T0123 ABC', '7B0F2C1E-0000-4000-8000-000000000001',
  'a"; drop schema nura cascade; --', 'public', 'pg_temp', '../..', '', '-', 'ΤO123АBC', 'ＴO123', `T${'A'.repeat(299)}`, `T${'A'.repeat(298)}B`, '%00', "'; select 1",
]

test('T4: every workspace gets a tenant of its own, whatever its id and name are, and PostgreSQL has schemas of derived names only', async () => {
  const made: string[] = []
  for (const id of ids) made.push((await provisionTenant(db, { surface: 'slack', id, name: `"; drop schema nura cascade; -- ${id}` })).id)
  expect(new Set(made).size).toBe(ids.length)
  expect((await provisionTenant(db, { surface: 'slack', id: ids[0]!, name: 'renamed' })).id).toBe(made[0])

  const tenants = await listTenants(db)
  expect(tenants).toHaveLength(ids.length)
  expect(tenants.map(({ slug }) => slug)).toEqual(expect.arrayContaining(['slack-t0123abc', 'slack-7b0f2c1e-0000-4000-8000-000000000001', 'slack-4711']))
  for (const { slug, schema } of tenants) expect([slug, schema]).toEqual([expect.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/), expect.stringMatching(/^t_[0-9a-f]{32}$/)])
  const schemas = await db.control((tx) => tx.query<{ name: string }>(`select nspname as name from pg_namespace where nspname !~ '^pg_' order by 1`))
  const others = schemas.map(({ name }) => name).filter((name) => !tenants.some(({ schema }) => schema === name))
  expect(others.filter((name) => !['bullmq', 'extensions', 'information_schema', 'nura', 'public'].includes(name))).toEqual([])
})

test('of many that provision one workspace at once all get the same tenant', async () => {
  const made = await Promise.all(Array.from({ length: 5 }, () => provisionTenant(db, { surface: 'teams', id: 'a.b', name: 'x' })))
  expect(new Set(made.map(({ id }) => id)).size).toBe(1)
})
