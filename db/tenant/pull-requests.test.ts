import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db, TenantDb } from '../index.ts'
import { createTestRepository } from '../testing/create-repository.ts'
import { createTestTenant, openTestDb } from '../testing/open-test-db.ts'
import { findPullRequest, listOpenPullRequests, savePullRequest } from './pull-requests.ts'
import { findRepositoryByExternalId, updateRepository } from './repositories.ts'
import { keepSourceFiles, readSourceFiles } from './source-files.ts'

let db: Db
let tenant: TenantDb
beforeAll(async () => {
  db = await openTestDb()
  tenant = await createTestTenant(db)
})
afterAll(() => db.close())

test('a pull request is one row: what is not given stays, and ids beyond 32 bits come back as numbers', async () => {
  const { repositoryId } = await createTestRepository(tenant)
  const first = await savePullRequest(tenant, { repositoryId, number: 7, headSha: 'a'.repeat(40), author: 'ada', draft: true })
  expect(first).toMatchObject({ state: 'open', draft: true, skipped: false, commentId: null, summary: null })
  expect(first.marker).toMatch(/^[0-9a-f-]{36}$/)
  const summary = { sha: 'a'.repeat(40), markdown: 'It changes `x`.', covered: 3, total: 4 }
  const second = await savePullRequest(tenant, { repositoryId, number: 7, commentId: 9_876_543_210, summary, draft: false })
  expect(second).toMatchObject({ headSha: 'a'.repeat(40), author: 'ada', marker: first.marker, commentId: 9_876_543_210, summary, draft: false })
  expect(await savePullRequest(tenant, { repositoryId, number: 7, summary: null })).toMatchObject({ summary: null, commentId: 9_876_543_210 })
  expect(await findPullRequest(tenant, repositoryId, 8)).toBeNull()
})

test('closed pull requests are not among the open ones', async () => {
  const { repositoryId } = await createTestRepository(tenant)
  for (const number of [3, 1, 2]) await savePullRequest(tenant, { repositoryId, number, headSha: 'b'.repeat(40) })
  await savePullRequest(tenant, { repositoryId, number: 2, state: 'closed' })
  expect((await listOpenPullRequests(tenant, repositoryId)).map(({ number }) => number)).toEqual([1, 3])
})

test('the files that steer Nura are replaced as a whole', async () => {
  const { repositoryId } = await createTestRepository(tenant)
  await keepSourceFiles(tenant, repositoryId, [{ path: '.nura.yml', blobSha: 'a', content: 'ignore: []\0' }, { path: 'CODEOWNERS', blobSha: 'b', content: '* @ada' }])
  await keepSourceFiles(tenant, repositoryId, [{ path: 'CODEOWNERS', blobSha: 'c', content: '* @bob' }])
  expect(await readSourceFiles(tenant, repositoryId)).toEqual([{ path: 'CODEOWNERS', blobSha: 'c', content: '* @bob' }])
  await keepSourceFiles(tenant, repositoryId, [])
  expect(await readSourceFiles(tenant, repositoryId)).toEqual([])
})

test('a repository is found by the id that GitHub gave it, whatever its name', async () => {
  const { repositoryId } = await createTestRepository(tenant, { source: 'github', location: 'acme/shop', externalId: 8_123_456_789, installationId: 51 })
  await updateRepository(tenant, repositoryId, { name: `acme/${randomUUID()}`, settings: { ignore: ['x'] } })
  expect(await findRepositoryByExternalId(tenant, 8_123_456_789)).toMatchObject({ id: repositoryId, externalId: 8_123_456_789, installationId: 51, settings: { ignore: ['x'] } })
  expect(await findRepositoryByExternalId(tenant, 1)).toBeNull()
})
