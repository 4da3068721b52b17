import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db, TenantDb } from '../index.ts'
import { storeOf } from '../store.ts'
import { readTestServer } from '../testing/config.ts'
import { createTestRepository, testSpace } from '../testing/create-repository.ts'
import { makeChunk, makeFile, makeVector } from '../testing/make-file.ts'
import { createTestTenant, openTestDb } from '../testing/open-test-db.ts'
import { runTransaction } from '../transaction.ts'
import { beginBulk, endBulk } from './bulk.ts'
import { findOldChunks, readSpaceChange, saveNextVectors, startSpaceChange } from './next-space.ts'
import { searchVector, toVectorQuery } from './search.ts'
import { toVectorIndexName } from './space.ts'
import { buildNextIndexes, clearNextSpace, switchSpace } from './switch-space.ts'
import { writeFiles, type WriteContext } from './write-files.ts'

const target = 'test:target'
const rows = readTestServer() ? 5_000 : 500

let db: Db
let tenant: TenantDb
let context: WriteContext
beforeAll(async () => {
  db = await openTestDb()
  tenant = await createTestTenant(db)
  context = await createTestRepository(tenant)
  await beginBulk(tenant, testSpace)
  for (let at = 0; at < rows; at += 500) {
    const chunks = Array.from({ length: 500 }, (_, offset) => ({ ...makeChunk(`row ${at + offset}`, offset), tokens: ['row'] }))
    await writeFiles(tenant, context, [makeFile(`src/${at}.ts`, [], { chunks, tokens: ['row'] })])
  }
  await endBulk(tenant, testSpace)
}, 300_000)
afterAll(() => db.close())

async function fill(of: TenantDb, space: string): Promise<number> {
  let filled = 0
  for (;;) {
    const chunks = await findOldChunks(of, space, { model: '', key: '' }, 256)
    if (chunks.length === 0) return filled
    filled += (await saveNextVectors(of, space, chunks.map(({ model, key, content }) => ({ model, key, nextKey: `next ${key}`, vector: makeVector(`next ${content}`) }))))!
  }
}

const explain = async (space: string) => {
  const { text, values, settings } = toVectorQuery(tenant, { space, vector: makeVector('next row 7'), limit: 10, repositoryIds: [] }, 'all')
  const lines = await runTransaction(storeOf(tenant), { role: tenant.schema, schema: tenant.schema }, (tx) => tx.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values), { settings })
  return lines.map((line) => line['QUERY PLAN']).join('\n')
}

test('the index that was built beside is the one that searches go by after the switch', async () => {
  expect(await explain(testSpace)).toContain(`Index Scan using ${toVectorIndexName(testSpace)}`)
  await startSpaceChange(tenant, target)
  expect(await switchSpace(tenant, target)).toBe('missing')
  expect(await fill(tenant, target)).toBe(rows)
  expect(await switchSpace(tenant, target)).toBe('missing')
  await buildNextIndexes(tenant, target)
  expect(await explain(testSpace)).toContain(`Index Scan using ${toVectorIndexName(testSpace)}`)
  expect(await switchSpace(tenant, 'test:another')).toBe('replaced')
  expect(await switchSpace(tenant, target)).toBe('switched')
  for (const when of ['before', 'after'] as const) {
    expect(await explain(target), when).toContain(`Index Scan using ${toVectorIndexName(target)}`)
    const hits = await searchVector(tenant, { space: target, vector: makeVector('next row 7'), limit: 10, repositoryIds: [context.repositoryId] })
    expect(hits[0]!.score).toBeCloseTo(1, 5)
    await clearNextSpace(tenant)
  }
  expect(await readSpaceChange(tenant)).toEqual({ active: target, next: null, stale: false, done: 0, total: rows })
}, 300_000)

test('columns and index of the keys are as before: no null, found by model and key', async () => {
  const columns = await tenant.transaction((tx) =>
    tx.query(`select column_name as name, is_nullable as nullable from information_schema.columns
      where table_schema = current_schema and table_name = 'knowledge_base' and column_name in ('embedding', 'embedding_model', 'chunk_key', 'next_embedding', 'next_model', 'next_key') order by 1`),
  )
  expect(columns).toEqual(['chunk_key', 'embedding', 'embedding_model', 'next_embedding', 'next_key', 'next_model'].map((name) => ({ name, nullable: name.startsWith('next') ? 'YES' : 'NO' })))
  const indexes = await tenant.transaction((tx) => tx.query<{ is: string }>(`select indexdef as is from pg_indexes where schemaname = current_schema and indexname = 'knowledge_base_key'`))
  expect(indexes[0]!.is).toContain('(embedding_model, chunk_key)')
})

test('what is written in the space that was left is refused', async () => {
  await expect(writeFiles(tenant, context, [makeFile('late.ts', ['late'])])).rejects.toMatchObject({ code: 'space-changed', retryable: true, retryAt: expect.any(Date) })
  await expect(searchVector(tenant, { space: testSpace, vector: makeVector('row 7'), limit: 10, repositoryIds: [context.repositoryId] })).rejects.toMatchObject({ code: 'space-changed' })
})

test.skipIf(readTestServer() === null)('while the index is built, the tenant is written to; one whose building was cut off is built anew', async () => {
  const own = await createTestTenant(db)
  const at = await createTestRepository(own)
  const chunks = Array.from({ length: 2_000 }, (_, offset) => ({ ...makeChunk(`row ${offset}`, offset), tokens: ['row'] }))
  await writeFiles(own, at, [makeFile('src/a.ts', [], { chunks, tokens: ['row'] })])
  await startSpaceChange(own, target)
  await fill(own, target)
  let [built, written] = [false, 0]
  const building = buildNextIndexes(own, target).then(() => (built = true))
  while (!built) {
    const begun = await own.transaction((tx) => tx.query(`select 1 from pg_index where indrelid = 'knowledge_base'::regclass and not indisvalid`))
    await writeFiles(own, at, [makeFile('src/b.ts', [`written ${written}`])])
    if (begun.length > 0 && !built) written++
  }
  await building
  expect(written).toBeGreaterThan(0)
  await runTransaction(storeOf(own), { role: null, schema: own.schema }, (tx) => tx.query(`update pg_index set indisvalid = false where indexrelid = '${toVectorIndexName(target)}'::regclass`))
  await fill(own, target)
  expect(await switchSpace(own, target)).toBe('missing')
  await buildNextIndexes(own, target)
  expect(await switchSpace(own, target)).toBe('switched')
}, 300_000)

test.skipIf(readTestServer() === null)('a switch does not wait for a reader for long, nor lets others wait behind it; it comes when the reader is done', async () => {
  await startSpaceChange(tenant, testSpace)
  await fill(tenant, testSpace)
  await buildNextIndexes(tenant, testSpace)
  const [holding, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const reader = tenant.transaction(async (tx) => {
    await tx.query('select count(*) from knowledge_base')
    holding.resolve()
    await done.promise
  })
  await holding.promise
  const switching = switchSpace(tenant, testSpace)
  let answered = 0
  for (; answered < 20; answered++) await searchVector(tenant, { space: target, vector: makeVector('next row 7'), limit: 10, repositoryIds: [context.repositoryId] })
  done.resolve()
  await reader
  expect(await switching).toBe('switched')
}, 300_000)
