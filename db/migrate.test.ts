import { afterAll, beforeAll, expect, test } from 'vitest'
import { controlMigrations } from './shared/migrations.ts'
import { createTenant } from './shared/tenants.ts'
import { tenantMigrations } from './tenant/migrations.ts'
import type { Db } from './index.ts'
import { migrate } from './migrate.ts'
import { storeOf } from './store.ts'
import { createTestTenant, openTestDb } from './testing/open-test-db.ts'
import { runTransaction } from './transaction.ts'

let db: Db
beforeAll(async () => void (db = await openTestDb()))
afterAll(() => db.close())

const asOwner = (statement: string) => runTransaction(storeOf(db), { role: null, schema: 'nura' }, (tx) => tx.query(statement))

test('migrating again changes nothing, and a tenant made later is up to date', async () => {
  await createTestTenant(db)
  expect(await migrate(db)).toEqual([])
  await db.ready()
})

test('several that migrate at once, while tenants are made, apply each migration once', async () => {
  const lagging = await createTestTenant(db)
  await asOwner(`drop schema "${lagging.schema}" cascade`)
  await asOwner(`create schema "${lagging.schema}"; grant usage on schema "${lagging.schema}" to "${lagging.schema}"; delete from nura.migration where scope = '${lagging.schema}'`)
  const [applied, , ...made] = await Promise.all([
    Promise.all(Array.from({ length: 4 }, () => migrate(db))),
    db.ready(),
    createTenant(db, { slug: 'made-meanwhile', name: 'x' }),
    createTenant(db, { slug: 'made-meanwhile-too', name: 'x' }),
  ])
  expect(applied.flat().sort()).toEqual(tenantMigrations.map(({ name }) => `${lagging.schema}/${name}`))
  for (const { id } of made) expect(await (await db.tenant(id)).transaction((tx) => tx.query('select chunks from corpus'))).toEqual([{ chunks: 0 }])
  expect(await lagging.transaction((tx) => tx.query('select chunks from corpus'))).toEqual([{ chunks: 0 }])
})

test('a database that is older than this code is not ready, and says what to run', async () => {
  await asOwner(`delete from nura.migration where scope = 'nura' and name = '${controlMigrations[0]!.name}'`)
  await expect(db.ready()).rejects.toMatchObject({ code: 'not-migrated', message: expect.stringContaining('npm run migrate') })
  await asOwner(`insert into nura.migration (scope, name) values ('nura', '${controlMigrations[0]!.name}')`)
  await db.ready()
})
