import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db, TenantDb } from '../index.ts'
import { createTestTenant, openTestDb } from '../testing/open-test-db.ts'
import { answersInThread, deleteAnswer, findAnswer, saveAnswer, saveFeedback, type NewAnswer } from './answers.ts'
import { deleteThread, findThread, purgeExpired, saveThread, threadLastsMs } from './threads.ts'
import { readUsage, saveModelCalls } from './usage.ts'

let db: Db
let tenant: TenantDb
beforeAll(async () => {
  db = await openTestDb()
  tenant = await createTestTenant(db)
})
afterAll(() => db.close())

const unknown = '00000000-0000-4000-8000-000000000000'
const answer = (overrides: Partial<NewAnswer> = {}): NewAnswer => ({
  thread: null, asker: 'slack:T1:U1', question: 'where?', agent: 'dev', markdown: 'There [1].', abstained: false,
  citations: [{ n: 1, path: 'a.ts' }], trace: { legs: ['bm25'] }, usage: { tokens: 3 }, citedChunks: [{ n: 1, chunkId: unknown, chunkKey: 'k' }], ...overrides,
})

test('a thread keeps what is not given anew', async () => {
  const key = 'slack:T1:C1:1.1'
  expect(await findThread(tenant, key)).toBeNull()
  expect(await saveThread(tenant, { key, surface: 'slack', subscribed: true, agent: 'pm' })).toMatchObject({ key, subscribed: true, muted: false, agent: 'pm' })
  expect(await saveThread(tenant, { key, surface: 'slack', muted: true })).toMatchObject({ subscribed: true, muted: true, agent: 'pm' })
  expect(await saveThread(tenant, { key, surface: 'slack', subscribed: false })).toMatchObject({ subscribed: false, muted: true })
  expect(await deleteThread(tenant, key)).toBe(true)
  expect(await deleteThread(tenant, key)).toBe(false)
})

test('an answer is found again whole, is replaced under its id, and takes its feedback with it', async () => {
  const id = await saveAnswer(tenant, answer())
  expect(await findAnswer(tenant, id)).toMatchObject({ id, question: 'where?', citations: [{ n: 1, path: 'a.ts' }], trace: { legs: ['bm25'] }, usage: { tokens: 3 }, threadId: null })
  await saveAnswer(tenant, answer({ id, markdown: 'Elsewhere.', abstained: true, citedChunks: [] }))
  expect(await findAnswer(tenant, id)).toMatchObject({ markdown: 'Elsewhere.', abstained: true })
  await saveFeedback(tenant, id, { by: 'slack:T1:U1', verdict: 'down', reason: 'old' })
  await saveFeedback(tenant, id, { by: 'slack:T1:U1', verdict: 'up', reason: null })
  expect(await tenant.transaction((tx) => tx.query('select verdict, reason from feedback where answer_id = $1', [id]))).toEqual([{ verdict: 'up', reason: null }])
  expect(await deleteAnswer(tenant, id)).toBe(true)
  expect(await findAnswer(tenant, id)).toBeNull()
  for (const wrong of [id, unknown, 'not-an-id', "' or true --"]) {
    expect(await findAnswer(tenant, wrong)).toBeNull()
    expect(await deleteAnswer(tenant, wrong)).toBe(false)
    await expect(saveFeedback(tenant, wrong, { by: 'u', verdict: 'up', reason: null })).rejects.toMatchObject({ code: 'unknown-answer' })
  }
})

test('the newest answers of a thread come oldest first', async () => {
  const key = 'slack:T1:C1:2.2'
  await saveThread(tenant, { key, surface: 'slack' })
  for (const markdown of ['one', 'two', 'three']) await saveAnswer(tenant, answer({ thread: key, markdown }))
  expect((await answersInThread(tenant, key, 2)).map(({ markdown }) => markdown)).toEqual(['two', 'three'])
  expect(await answersInThread(tenant, 'unknown', 2)).toEqual([])
})

test('what has outlived its time is found no more and then purged', async () => {
  const key = 'slack:T1:C1:3.3'
  await saveThread(tenant, { key, surface: 'slack' })
  const id = await saveAnswer(tenant, answer({ thread: key }))
  await tenant.transaction((tx) => tx.query(`update answer set expires_at = now() - interval '1 second' where id = $1`, [id]))
  expect(await findAnswer(tenant, id)).toBeNull()
  expect(await answersInThread(tenant, key, 5)).toEqual([])
  expect(await purgeExpired(tenant, new Date())).toEqual({ threads: 0, answers: 1 })
  expect((await purgeExpired(tenant, new Date(Date.now() + threadLastsMs + 60_000))).threads).toBeGreaterThan(0)
  expect(await findThread(tenant, key)).toBeNull()
})

test('usage is summed by agent and model since a moment, also of calls whose answer is gone', async () => {
  const call = { answerId: unknown, agent: 'dev', provider: 'extractive', model: 'default', outcome: 'ok', inputTokens: 10, outputTokens: 2, costUsd: 0.25, milliseconds: 1.6 }
  await saveModelCalls(tenant, [])
  await saveModelCalls(tenant, [call, { ...call, answerId: null, inputTokens: 5 }, { ...call, agent: 'pm', costUsd: 0 }])
  expect(await readUsage(tenant, new Date(Date.now() - 60_000))).toEqual([
    { agent: 'dev', provider: 'extractive', model: 'default', calls: 2, estimatedCalls: 0, inputTokens: 15, outputTokens: 4, costUsd: 0.5 },
    { agent: 'pm', provider: 'extractive', model: 'default', calls: 1, estimatedCalls: 0, inputTokens: 10, outputTokens: 2, costUsd: 0 },
  ])
  expect(await readUsage(tenant, new Date(Date.now() + 60_000))).toEqual([])
})
