import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db, TenantDb } from '../index.ts'
import { createTestTenant, openTestDb } from '../testing/open-test-db.ts'
import { accept, acceptWhere, claim, countWithoutOutcome, fail, findByAnswer, finish, pendingInThread, purge, read, releaseClaims, renew, reopen, saveDelivery, unfinished } from './inbox.ts'

let db: Db
let tenant: TenantDb
let count = 0
beforeAll(async () => {
  db = await openTestDb()
  tenant = await createTestTenant(db)
})
afterAll(() => db.close())

const event = (overrides: { tenantId?: string; eventKey?: string; threadKey?: string; payload?: unknown } = {}) => ({
  tenantId: tenant.id, surface: 'slack', kind: 'message', eventKey: `event-${++count}`, threadKey: `thread-${count}`, payload: { text: 'hello' }, ...overrides,
})

test('an event that comes many times at once is one row', async () => {
  const same = event()
  const accepted = await Promise.all(Array.from({ length: 10 }, () => accept(db, same)))
  expect(accepted.filter(({ isNew }) => isNew)).toHaveLength(1)
  expect(new Set(accepted.map(({ id }) => id)).size).toBe(1)
})

test('a payload comes back as it was, save NUL characters, which PostgreSQL does not store', async () => {
  const { id } = await accept(db, event({ payload: { text: 'a\0b \\u0000 "q" ☃ 😀', list: [1, null, { deep: true }] } }))
  expect((await read(db, id))!.payload).toEqual({ text: 'a\ufffdb \\u0000 "q" ☃ 😀', list: [1, null, { deep: true }] })
  expect(await read(db, '00000000-0000-4000-8000-000000000000')).toBeNull()
})

test('of many who claim a row one wins', async () => {
  const { id } = await accept(db, event())
  const claims = await Promise.all(Array.from({ length: 8 }, () => claim(db, id)))
  expect(claims.filter((attempt) => attempt !== false)).toEqual([1])
})

test('a claim that is not renewed passes to the next, and the one before can write no more', async () => {
  const { id } = await accept(db, event())
  expect(await claim(db, id)).toBe(1)
  expect(await claim(db, id)).toBe(false)
  expect(await claim(db, id, { staleMs: 0 })).toBe(2)
  for (const late of [() => saveDelivery(db, id, 1, {}), () => renew(db, id, 1), () => finish(db, id, 1, 'answered'), () => fail(db, id, 1, 'x'), () => reopen(db, id, 1)]) {
    await expect(late()).rejects.toMatchObject({ code: 'stale-attempt' })
  }
  await saveDelivery(db, id, 2, { messages: ['1'] })
  await renew(db, id, 2)
  await finish(db, id, 2, 'answered')
  expect(await read(db, id)).toMatchObject({ state: 'done', outcome: 'answered', attempts: 2, delivery: { messages: ['1'] } })
  expect(await claim(db, id, { staleMs: 0 })).toBe(false)
  await expect(finish(db, id, 2, 'again')).rejects.toMatchObject({ code: 'stale-attempt' })
})

test('a row that is given back is taken again with the next attempt', async () => {
  const { id } = await accept(db, event())
  await claim(db, id)
  await reopen(db, id, 1, 'model away')
  expect(await read(db, id)).toMatchObject({ state: 'accepted', error: 'model away' })
  expect(await claim(db, id)).toBe(2)
  await fail(db, id, 2, 'gave up')
  expect(await read(db, id)).toMatchObject({ state: 'failed', outcome: 'failed', error: 'gave up' })
})

test('a thread lists its unfinished rows in the order they came', async () => {
  const threadKey = 'ordered'
  const ids: string[] = []
  for (let at = 0; at < 4; at++) ids.push((await accept(db, event({ threadKey }))).id)
  await claim(db, ids[1]!)
  await claim(db, ids[0]!)
  await finish(db, ids[0]!, 1, 'answered')
  expect((await pendingInThread(db, threadKey)).map(({ id }) => id)).toEqual(ids.slice(1))
})

test('the sweeper sees what has no end, and the count of turns without outcome what has had none for too long', async () => {
  const { id } = await accept(db, event())
  const sees = async (olderThanMs: number) => (await unfinished(db, { olderThanMs, limit: 1_000 })).some((row) => row.id === id)
  expect(await sees(0)).toBe(true)
  expect(await sees(60_000)).toBe(false)
  const before = await countWithoutOutcome(db, 0)
  expect(await countWithoutOutcome(db, 60_000)).toBe(0)
  await claim(db, id)
  await finish(db, id, 1, 'answered')
  expect(await sees(0)).toBe(false)
  expect(await countWithoutOutcome(db, 0)).toBe(before - 1)
})

test('T34: the sweeper takes from every tenant in turn, however many rows one of them has', async () => {
  const { id: other } = await createTestTenant(db)
  for (let at = 0; at < 12; at++) await accept(db, event())
  const late = await accept(db, event({ tenantId: other }))
  expect((await unfinished(db, { olderThanMs: 0, limit: 3 })).map(({ id }) => id)).toContain(late.id)
  await claim(db, late.id)
  await finish(db, late.id, 1, 'answered')
})

test('an event that only counts where something is known leaves nothing elsewhere', async () => {
  const threadKey = 'known'
  const told = event({ threadKey })
  expect(await acceptWhere(db, told, { thread: true })).toBeNull()
  const root = await accept(db, event({ threadKey, payload: { id: 'm1' } }))
  expect(await acceptWhere(db, event({ threadKey }), { messageId: 'm2' })).toBeNull()
  expect(await acceptWhere(db, told, { messageId: 'm1' })).toMatchObject({ isNew: true })
  const again = await acceptWhere(db, told, { thread: true })
  expect(again).toMatchObject({ isNew: false })
  expect((await pendingInThread(db, threadKey)).map(({ id }) => id)).toEqual([root.id, again!.id])
})

test('only ended rows are purged', async () => {
  const [open, done] = [await accept(db, event()), await accept(db, event())]
  await claim(db, done.id)
  await finish(db, done.id, 1, 'answered')
  expect(await purge(db, new Date(Date.now() - 60_000))).toBe(0)
  expect(await purge(db, new Date(Date.now() + 60_000))).toBeGreaterThan(0)
  expect(await read(db, done.id)).toBeNull()
  expect(await read(db, open.id)).not.toBeNull()
})

test('claims of a process that is gone are given back together', async () => {
  const { id } = await accept(db, event())
  await claim(db, id)
  await releaseClaims(db)
  expect(await claim(db, id)).toBe(2)
})

test('an event that failed and is sent again is carried out again; one that is done is not', async () => {
  const failed = event()
  const { id } = await accept(db, failed)
  await claim(db, id)
  await fail(db, id, 1, 'broken')
  expect(await accept(db, failed)).toEqual({ id, isNew: false })
  const revived = await Promise.all(Array.from({ length: 5 }, () => accept(db, failed, { revive: true })))
  expect(revived.filter(({ isNew }) => isNew)).toHaveLength(1)
  expect(await claim(db, id)).toBe(2)
  await finish(db, id, 2, 'answered')
  expect(await accept(db, failed, { revive: true })).toEqual({ id, isNew: false })
})

test('the row that shows an answer is found by it, for its own tenant alone', async () => {
  const { id } = await accept(db, event())
  await claim(db, id)
  await saveDelivery(db, id, 1, { answerId: 'an-answer' })
  expect((await findByAnswer(db, tenant.id, 'an-answer'))?.id).toBe(id)
  expect(await findByAnswer(db, '00000000-0000-4000-8000-000000000000', 'an-answer')).toBeNull()
  expect(await findByAnswer(db, tenant.id, 'another')).toBeNull()
})
