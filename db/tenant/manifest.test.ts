import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db, TenantDb } from '../index.ts'
import { createTestRepository } from '../testing/create-repository.ts'
import { makeFile } from '../testing/make-file.ts'
import { createTestTenant, openTestDb } from '../testing/open-test-db.ts'
import { readChunks } from './chunks.ts'
import { finishSync } from './manifest.ts'
import { moveFiles } from './move-files.ts'
import { writeFiles } from './write-files.ts'

let db: Db
let tenant: TenantDb
beforeAll(async () => {
  db = await openTestDb()
  tenant = await createTestTenant(db)
})
afterAll(() => db.close())

const [first, second, third] = ['1', '2', '3'].map((digit) => digit.repeat(40)) as [string, string, string]

async function citedByPath(repositoryId: string): Promise<Record<string, string | null>> {
  const ids = await tenant.transaction((tx) => tx.query<{ id: string }>('select id from knowledge_base where repository_id = $1 and gone_at is null', [repositoryId]))
  return Object.fromEntries((await readChunks(tenant, ids.map(({ id }) => id))).map(({ path, sha }) => [path, sha]))
}

test('a file is cited at the commit it was written at until a sync ends, and then at the one the index equals', async () => {
  const context = await createTestRepository(tenant)
  const { repositoryId } = context
  const at = (sha: string) => ({ ...context, sha })
  await writeFiles(tenant, at(first), [makeFile('a.ts', ['one']), makeFile('b.ts', ['two']), makeFile('c.ts', ['three'])])
  expect(await citedByPath(repositoryId)).toEqual({ 'a.ts': first, 'b.ts': first, 'c.ts': first })
  await finishSync(tenant, repositoryId, first, 'any')

  // A sync that is cut off, and one to another commit that goes on after it.
  await writeFiles(tenant, at(second), [makeFile('a.ts', ['one more'])])
  expect(await citedByPath(repositoryId)).toEqual({ 'a.ts': second, 'b.ts': first, 'c.ts': first })
  await moveFiles(tenant, repositoryId, third, [{ from: 'b.ts', to: 'd.ts', stem: 'd', tokens: { from: ['b', 'ts'], to: ['d', 'ts'] }, subjects: [] }])
  expect(await citedByPath(repositoryId)).toEqual({ 'a.ts': second, 'd.ts': third, 'c.ts': first })
  await finishSync(tenant, repositoryId, third, 'any')
  expect(await citedByPath(repositoryId)).toEqual({ 'a.ts': third, 'd.ts': third, 'c.ts': third })

  // Back to a commit that files were written at before: they are as they were there.
  await writeFiles(tenant, at(second), [makeFile('c.ts', ['three more'])])
  expect(await citedByPath(repositoryId)).toEqual({ 'a.ts': second, 'd.ts': third, 'c.ts': second })
})

test('the end of a sync writes no file, however many were written', async () => {
  const own = await createTestTenant(db)
  const context = await createTestRepository(own)
  await writeFiles(own, context, Array.from({ length: 40 }, (_, at) => makeFile(`src/part-${at}.ts`, ['words'])))
  const places = () => own.transaction((tx) => tx.query('select id, ctid::text, xmin::text from file where repository_id = $1 order by id', [context.repositoryId]))
  const before = await places()
  await finishSync(own, context.repositoryId, context.sha, 'any')
  expect(await places()).toEqual(before)
})
