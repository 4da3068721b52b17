import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Db, TenantDb } from '#db/index.ts'
import { answersInThread, deleteAnswer, saveAnswer } from '#db/tenant/answers.ts'
import { deleteThread, saveThread } from '#db/tenant/threads.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import type { Cache } from './cache/cache.ts'
import { createMemoryCache } from './cache/memory-cache.ts'
import { createMetrics } from './metrics.ts'
import { countsOf } from './testing/cache-contract.ts'
import { memoryLastsMs } from './retention.ts'
import { createThreadMemory } from './thread-memory.ts'
import type { ThreadMemory } from './thread-memory.ts'

const metrics = createMetrics()
let db: Db
let tenant: TenantDb
let cache: Cache
let written: { value: string; ttlMs: number }[]
let threads: ThreadMemory
let key: string
beforeAll(async () => {
  db = await openTestDb()
  tenant = await createTestTenant(db)
})
afterAll(() => db.close())
beforeEach(async () => {
  metrics.cache.reset()
  written = []
  const memory = createMemoryCache({ metrics })
  cache = { ...memory, set: async (at, value, ttlMs) => (written.push({ value, ttlMs }), memory.set(at, value, ttlMs)) }
  threads = createThreadMemory(cache)
  key = `slack:T1:C1:${randomUUID()}`
  await saveThread(tenant, { key, surface: 'slack', agent: 'pm' })
})

async function say(question: string, markdown: string): Promise<string> {
  const row = { thread: key, asker: 'a', question, agent: 'dev', markdown, abstained: false, citations: [], trace: {}, usage: {}, citedChunks: [] }
  return await saveAnswer(tenant, row)
}
async function sayAndKeep(question: string, markdown: string): Promise<string> {
  const before = await threads.recall(tenant, key)
  const answerId = await say(question, markdown)
  threads.keep(tenant, key, before, { answerId, question, markdown, abstained: false })
  return answerId
}
const told = async (from = threads) => (await from.recall(tenant, key)).turns.map(({ markdown }) => markdown)
/** What the rows say, read without any cache. */
const rows = async () => (await answersInThread(tenant, key, 12)).map(({ markdown }) => markdown)

describe('a thread’s memory', () => {
  test('of a thread that is not known, or has no answer, is empty', async () => {
    expect(await threads.recall(tenant, 'slack:T1:C1:unknown')).toEqual({ agent: null, rows: [], turns: [] })
    expect(await threads.recall(tenant, key)).toEqual({ agent: 'pm', rows: [], turns: [] })
  })

  test('is what was kept, without the text being read again', async () => {
    await sayAndKeep('one?', 'One \0 [1].')
    await sayAndKeep('two?', 'Two.')
    expect(await threads.recall(tenant, key)).toMatchObject({ agent: 'pm', turns: [{ question: 'one?', markdown: 'One \ufffd [1].', abstained: false }, { question: 'two?', markdown: 'Two.' }] })
    // The first look-up found nothing to look up; the other two found what was kept.
    expect(await countsOf(metrics)).toEqual({ 'thread miss': 1, 'thread hit': 2 })
    expect(written).toHaveLength(2)
    expect(written.every(({ ttlMs }) => ttlMs === memoryLastsMs)).toBe(true)
  })

  test('is the newest twelve turns, kept or read', async () => {
    for (let at = 0; at < 15; at++) await sayAndKeep('q', `answer ${at}`)
    const newest = Array.from({ length: 12 }, (_, at) => `answer ${at + 3}`)
    expect(await told()).toEqual(newest)
    expect(await told(createThreadMemory(null))).toEqual(newest)
    expect((JSON.parse(written.at(-1)!.value) as { turns: unknown[] }).turns).toHaveLength(12)
    await say('q', 'answer 15')
    expect(await told()).toEqual([...newest.slice(1), 'answer 15'])
  })

  test.each<[string, () => Promise<unknown>]>([
    ['another process stored a turn', () => say('q', 'from elsewhere')],
    ['an answer was deleted', async () => deleteAnswer(tenant, (await answersInThread(tenant, key, 1))[0]!.id)],
    ['an answer was written anew', async () => saveAnswer(tenant, { ...(await answersInThread(tenant, key, 1))[0]!, thread: key, markdown: 'corrected', citedChunks: [] } as never)],
    ['an answer outlived its time', () => tenant.transaction((tx) => tx.execute(`update answer set expires_at = now() where markdown = 'Two.'`))],
    ['the thread was deleted', () => deleteThread(tenant, key)],
    ['the cache holds nonsense', async () => Object.assign(cache, { get: async () => '{"rows":1}' })],
  ])('is never older than the rows: %s', async (_, change) => {
    await sayAndKeep('one?', 'One.')
    await sayAndKeep('two?', 'Two.')
    expect(await told()).toEqual(['One.', 'Two.'])
    await change()
    expect(await told()).toEqual(await rows())
  })

  test('is never older than the rows when a write to the cache was lost', async () => {
    await sayAndKeep('one?', 'One.')
    const { set } = cache
    cache.set = async () => undefined
    await sayAndKeep('two?', 'Two.')
    cache.set = set
    expect(await told()).toEqual(['One.', 'Two.'])
  })

  test('can be taken out of the cache', async () => {
    await sayAndKeep('one?', 'One.')
    await threads.forget(tenant, key)
    expect(await cache.dropTenant(tenant.id)).toBe(0)
    expect(await told()).toEqual(['One.'])
  })
})
