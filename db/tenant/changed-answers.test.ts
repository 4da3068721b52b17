import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db, TenantDb } from '../index.ts'
import { createTestRepository } from '../testing/create-repository.ts'
import { makeFile } from '../testing/make-file.ts'
import { createTestTenant, openTestDb } from '../testing/open-test-db.ts'
import { findAnswer, saveAnswer } from './answers.ts'
import { markAnswerTold, markChangedAnswers, untoldAnswers } from './changed-answers.ts'

import { saveThread } from './threads.ts'
import { moveFiles } from './move-files.ts'
import { removeFiles, writeFiles } from './write-files.ts'
import type { WriteContext } from './write-files.ts'

let db: Db
let tenant: TenantDb
let context: WriteContext
const sha = 'c'.repeat(40)
beforeAll(async () => {
  db = await openTestDb()
  tenant = await createTestTenant(db)
  context = await createTestRepository(tenant)
  await writeFiles(tenant, context, [makeFile('a.ts', ['alpha one', 'alpha two']), makeFile('b.ts', ['beta one'])])
})
afterAll(() => db.close())

/** An answer that cites the live chunk with this text. */
async function cite(text: string, thread: string | null = null): Promise<string> {
  const [chunk] = await tenant.transaction((tx) =>
    tx.query<{ id: string; key: string }>('select id, chunk_key as key from knowledge_base where content = $1 and gone_at is null', [text]),
  )
  const citedChunks = [{ n: 1, chunkId: chunk!.id, chunkKey: chunk!.key }]
  if (thread !== null) await saveThread(tenant, { key: thread, surface: 'slack' })
  return saveAnswer(tenant, { thread, asker: 'slack:T:U', question: 'q', agent: 'dev', markdown: 'm', abstained: false, citations: [], trace: {}, usage: {}, citedChunks })
}

test('an answer is marked once, when something it cites is gone, and told of until it is told', async () => {
  const [one, two] = [await cite('alpha one', 'slack:T:C:1'), await cite('alpha two')]
  expect(await markChangedAnswers(tenant, context.repositoryId, sha)).toEqual([])
  await writeFiles(tenant, context, [makeFile('a.ts', ['alpha changed', 'alpha two'])])
  expect(await markChangedAnswers(tenant, context.repositoryId, sha)).toEqual([one])
  expect(await markChangedAnswers(tenant, context.repositoryId, 'd'.repeat(40))).toEqual([])
  expect((await findAnswer(tenant, one))!.changedSha).toBe(sha)
  expect((await findAnswer(tenant, two))!.changedSha).toBeNull()
  expect(await untoldAnswers(tenant, 10)).toEqual([{ id: one, thread: 'slack:T:C:1', changedSha: sha }])
  await markAnswerTold(tenant, one)
  expect(await untoldAnswers(tenant, 10)).toEqual([])
})

test('what moved, or stands elsewhere in the repository too, has not changed', async () => {
  await writeFiles(tenant, context, [makeFile('c.ts', ['gamma']), makeFile('d.ts', ['delta']), makeFile('copy.ts', ['delta'])])
  await cite('gamma')
  await cite('delta')
  await moveFiles(tenant, context.repositoryId, sha, [{ from: 'c.ts', to: 'moved/c.ts', stem: 'moved/c' }])
  await removeFiles(tenant, context.repositoryId, ['d.ts'])
  expect(await markChangedAnswers(tenant, context.repositoryId, sha)).toEqual([])
  await removeFiles(tenant, context.repositoryId, ['copy.ts', 'moved/c.ts'])
  expect(await markChangedAnswers(tenant, context.repositoryId, sha)).toHaveLength(2)
})

test('a file deleted takes the answers of its own repository only', async () => {
  const other = await createTestRepository(tenant)
  await writeFiles(tenant, other, [makeFile('e.ts', ['epsilon'])])
  const id = await cite('epsilon')
  await removeFiles(tenant, other.repositoryId, ['e.ts'])
  expect(await markChangedAnswers(tenant, context.repositoryId, sha)).toEqual([])
  expect(await markChangedAnswers(tenant, other.repositoryId, sha)).toEqual([id])
})
