import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db, TenantDb } from '../index.ts'
import { createTestRepository } from '../testing/create-repository.ts'
import { makeFile } from '../testing/make-file.ts'
import { createTestTenant, openTestDb } from '../testing/open-test-db.ts'
import { watchSql } from '../testing/watch-sql.ts'
import type { SentSql } from '../testing/watch-sql.ts'
import { readCandidates } from './candidates.ts'
import { writeFiles, type WriteContext } from './write-files.ts'

const files = 1_000
let db: Db
let tenant: TenantDb
let context: WriteContext

beforeAll(async () => {
  db = await openTestDb()
  tenant = await createTestTenant(db)
  context = await createTestRepository(tenant)
  for (let at = 0; at < files; at += 250) await writeFiles(tenant, context, Array.from({ length: 250 }, (_, more) => makeFile(`src/part-${at + more}.ts`, at + more === 7 ? ['some words'] : [])))
})
afterAll(() => db.close())

async function idsOf(): Promise<{ chunkIds: string[]; fileIds: string[] }> {
  return tenant.transaction(async (tx) => ({
    chunkIds: (await tx.query<{ id: string }>('select id from knowledge_base')).map(({ id }) => id),
    fileIds: (await tx.query<{ id: string }>(`select id from file where path = 'src/part-500.ts'`)).map(({ id }) => id),
  }))
}

test('files are found by themselves and by their chunks, and none outside what may be read', async () => {
  const found = await idsOf()
  const read = await readCandidates(tenant, { ...found, repositoryIds: [context.repositoryId] })
  expect(read.files.map(({ path }) => path).sort()).toEqual(['src/part-500.ts', 'src/part-7.ts'])
  expect(read.chunks.map(({ chunkId }) => chunkId)).toEqual(found.chunkIds)
  const other = await createTestRepository(tenant)
  expect(await readCandidates(tenant, { ...found, repositoryIds: [other.repositoryId] })).toEqual({ files: [], chunks: [] })
})

test('a file is found by its key, however many there are', async () => {
  const sent: SentSql[] = []
  const unwatch = watchSql(tenant, (sql) => sent.push(sql))
  await readCandidates(tenant, { ...(await idsOf()), repositoryIds: [context.repositoryId] })
  unwatch()
  const { text, values } = sent.find((sql) => sql.text.includes('"fileId", repository_id'))!
  const lines = await tenant.transaction((tx) => tx.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values))
  expect(lines.map((line) => line['QUERY PLAN']).join('\n')).toMatch(/Index Scan using file_pkey/)
})
