import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db, TenantDb } from '../index.ts'
import { createTestRepository } from '../testing/create-repository.ts'
import { makeFile } from '../testing/make-file.ts'
import { createTestTenant, openTestDb } from '../testing/open-test-db.ts'
import { findIntroduction, largestFolders } from './outline.ts'
import { writeFiles } from './write-files.ts'

let db: Db
let tenant: TenantDb
beforeAll(async () => {
  db = await openTestDb()
  tenant = await createTestTenant(db)
})
afterAll(() => db.close())

async function create(paths: string[], more: Parameters<typeof makeFile>[2] = {}): Promise<string> {
  const context = await createTestRepository(tenant)
  await writeFiles(tenant, context, paths.map((path) => makeFile(path, ['words'], more)))
  return context.repositoryId
}

test('folders come with the largest first, three levels deep, and telling files before others', async () => {
  const id = await create(['main.ts', 'src/api/a.ts', 'src/api/index.ts', 'src/api/v1/deep/er/b.ts', 'src/api/v1/c.ts', 'src/api/v1/d.ts', 'src/x.ts'])
  expect(await largestFolders(tenant, id, { folders: 3, files: 2 }, /(?:^|\/)index\.[a-z]+$/)).toEqual([
    { folder: 'src/api/v1', files: ['src/api/v1/c.ts', 'src/api/v1/d.ts'] },
    { folder: 'src/api', files: ['src/api/index.ts', 'src/api/a.ts'] },
    { folder: '/', files: ['main.ts'] },
  ])
})

test('documents make no folder of programs, and another repository none of this one', async () => {
  const id = await create(['docs/a.md', 'docs/b.md'], { contentType: 'documentation' })
  expect(await largestFolders(tenant, id, { folders: 5, files: 5 }, /x/)).toEqual([])
})

test('a repository introduces itself by the first kind of path that it has', async () => {
  const kinds = [/^readme\.[a-z]+$/, /^docs\/index\.md$/]
  expect(await findIntroduction(tenant, await create(['docs/index.md', 'README.md', 'sub/readme.md']), kinds)).toBe('README.md')
  expect(await findIntroduction(tenant, await create(['docs/index.md', 'sub/readme.md']), kinds)).toBe('docs/index.md')
  expect(await findIntroduction(tenant, await create(['sub/readme.md']), kinds)).toBeNull()
})
