import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Db, TenantDb } from '../index.ts'
import { createTestTenant, openTestDb } from '../testing/open-test-db.ts'
import { saveAnswer, saveFeedback } from './answers.ts'
import { fatesOfCited, readThumbsDown, turnsBefore } from './thumbs-down.ts'
import { saveThread } from './threads.ts'

let db: Db
let tenant: TenantDb
beforeAll(async () => void (db = await openTestDb()))
beforeEach(async () => void (tenant = await createTestTenant(db)))
afterAll(() => db.close())

const save = (question: string, thread: string | null = null) =>
  saveAnswer(tenant, {
    thread, asker: 'slack:T1:U1', question, agent: 'dev', markdown: `${question} [1].`, abstained: false, trace: {}, usage: {}, asked: { audience: { kind: 'tenant' } },
    citations: [{ n: 1, repository: 'acme/shop', path: 'a.ts' }], citedChunks: [{ n: 1, chunkId: randomUUID(), chunkKey: 'k' }],
  })
const judge = (id: string, by: string, verdict: 'up' | 'down', reason: string | null = null) => saveFeedback(tenant, id, { by, verdict, reason })

test('an answer is told once, with how many found it bad and why, and not who; the newest first, as many as are wanted', async () => {
  const [first, second] = [await save('first'), await save('second')]
  await judge(first, 'a', 'down', 'wrong')
  await judge(first, 'b', 'down', 'incomplete')
  await judge(first, 'c', 'down', 'wrong')
  await judge(first, 'd', 'up', 'good')
  await judge(second, 'a', 'down')
  await judge(await save('third'), 'a', 'up')
  const told = await readThumbsDown(tenant, 10)
  expect(told).toMatchObject([
    { id: second, question: 'second', people: 1, reasons: [], thread: null },
    { id: first, question: 'first', people: 3, reasons: ['incomplete', 'wrong'], asked: { audience: { kind: 'tenant' } } },
  ])
  expect(Object.keys(told[0]!)).not.toContain('asker')
  expect(await readThumbsDown(tenant, 1)).toMatchObject([{ id: second }])
  expect(await readThumbsDown(await createTestTenant(db), 10)).toEqual([])
})

test('the turns before an answer are those of its thread that are kept, oldest first', async () => {
  const key = 'slack:T1:C1:1.1'
  await saveThread(tenant, { key, surface: 'slack' })
  const turns = [await save('one', key), await save('two', key), await save('three', key), await save('four', key)]
  await save('elsewhere')
  await tenant.transaction((tx) => tx.execute('update answer set expires_at = now() where id = $1', [turns[0]]))
  expect((await turnsBefore(tenant, turns[3]!, 9)).map(({ question }) => question)).toEqual(['two', 'three'])
  expect((await turnsBefore(tenant, turns[3]!, 1)).map(({ question }) => question)).toEqual(['three'])
  expect(await turnsBefore(tenant, turns[1]!, 9)).toEqual([])
})

test('what is cited of a repository that is not there is gone with it', async () => {
  expect(await fatesOfCited(tenant, await save('where?'))).toEqual(new Map([[1, 'repository-gone']]))
})
