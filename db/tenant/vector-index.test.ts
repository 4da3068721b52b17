import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db, TenantDb } from '../index.ts'
import { createTestTenant, openTestDb } from '../testing/open-test-db.ts'
import { asOwner } from './as-owner.ts'
import { tenantMigrations } from './migrations.ts'
import { toVectorIndexName } from './space.ts'
import { buildSettings, buildVectorIndex, indexesOn, toVectorIndex } from './vector-index.ts'

let db: Db
let tenant: TenantDb

beforeAll(async () => {
  db = await openTestDb()
  tenant = await createTestTenant(db)
})
afterAll(() => db.close())

/** What a build of so many chunks may take where the operator gives so much to maintenance. */
const memoryFor = (kind: Db['kind'], chunks: number, maintenance: string) =>
  tenant.transaction(async (tx) => {
    await tx.query('update corpus set chunks = $1', [chunks])
    await tx.query(`set local maintenance_work_mem to '${maintenance}'`)
    return (await buildSettings(tx, kind)).find((setting) => setting.startsWith('maintenance_work_mem'))
  })

test.each([
  ['postgres', 100, '256MB', '64MB', 'a small index takes little'],
  ['postgres', 1_000_000, '16MB', '256MB', 'a large one what any server has to spare'],
  ['postgres', 1_000_000, '700MB', '700MB', 'or what its operator gives, which is never lowered'],
  ['postgres', 100_000, '1GB', `${(100_000 * 4) / 1024}MB`, 'but no more than its chunks need'],
  ['embedded', 100_000, '1GB', `${(100_000 * 6) / 1024}MB`, 'which is more where whole vectors are indexed'],
] as const)('a build on %s of %i chunks with %s for maintenance takes %s: %s', async (kind, chunks, maintenance, expected, _why) => {
  expect(await memoryFor(kind, chunks, maintenance)).toBe(`maintenance_work_mem to '${Math.floor(Number.parseFloat(expected) * 1024)}kB'`)
})

test('an index from before halves were indexed gives way to the one that searches go by', async () => {
  const [space, columns] = ['test:space', { vector: 'embedding', model: 'embedding_model' }] as const
  const { sql } = tenantMigrations.find(({ name }) => name === '0013-halves-of-vectors')!
  const own = await createTestTenant(db)
  const definitions = await asOwner(own, async (tx) => {
    const read = async () => (await tx.query<{ sql: string }>(`select indexdef as sql from pg_indexes where schemaname = current_schema and indexdef ~ 'hnsw' order by 1`)).map((row) => row.sql)
    await buildVectorIndex(tx, db.kind, space, columns)
    const wanted = await read()
    await tx.query(`drop index ${toVectorIndexName(space)}`)
    await tx.query(`create index ${toVectorIndexName(space)} ${toVectorIndex('embedded', space, columns)}`)
    for (const _ of ['once', 'again']) await tx.query(sql)
    expect(await indexesOn(tx, ['embedding'])).toEqual([toVectorIndexName(space)])
    return { wanted, standing: await read() }
  })
  expect(definitions.wanted).toHaveLength(1)
  expect(definitions.standing).toEqual(definitions.wanted)
})
