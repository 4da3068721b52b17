import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Db, TenantDb } from '#db/index.ts'
import { saveAnswer } from '#db/tenant/answers.ts'
import { saveThread } from '#db/tenant/threads.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import type { Cache } from '../cache/cache.ts'
import { toCacheKey } from '../cache/cache-key.ts'
import { createMemoryCache } from '../cache/memory-cache.ts'
import { createMetrics } from '../metrics.ts'
import { createRateLimits } from '../rate-limits.ts'
import { openTestServer, signToken } from '../testing/open-test-server.ts'
import type { TestServer } from '../testing/open-test-server.ts'
import { createThreadMemory } from '../thread-memory.ts'
import type { ThreadMemory } from '../thread-memory.ts'

let db: Db
let tenant: TenantDb
let server: TestServer
let cache: Cache
let threads: ThreadMemory
let answered: number
beforeAll(async () => {
  db = await openTestDb()
  const metrics = createMetrics()
  cache = createMemoryCache({ metrics })
  threads = createThreadMemory(cache)
  server = await openTestServer(db, { metrics, threads, limits: createRateLimits({ asker: 2, channel: 3, tenant: 4 }, { door: null, metrics }), dropCached: (id) => cache.dropTenant(id) })
  const { answer } = server.parts
  server.parts.answer = (...given) => (answered++, answer(...given))
})
afterAll(async () => {
  await server.close()
  await db.close()
})
beforeEach(async () => {
  tenant = await createTestTenant(db)
  answered = 0
})

async function call(method: string, path: string, { sub = 'ada', accept = 'application/json', body }: { sub?: string; accept?: string; body?: object } = {}) {
  const headers = { authorization: `Bearer ${await signToken(tenant, { sub })}`, accept, ...(body && { 'content-type': 'application/json' }) }
  const response = await fetch(`${server.url}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: response.headers.get('content-type')?.includes('json') ? (JSON.parse(text) as never) : null }
}
const ask = (sub: string, more: object = {}, accept?: string) => call('POST', '/v1/ask', { sub, body: { question: 'where?', ...more }, ...(accept && { accept }) })
const find = (sub: string) => call('POST', '/v1/search', { sub, body: { question: 'where?' } })

describe('too many questions', () => {
  it.each(['application/json', 'text/event-stream'])('of one asker are refused before any work, with the time to come again (%s)', async (accept) => {
    expect([(await ask('ada', {}, accept)).status, (await ask('ada', {}, accept)).status]).toEqual([200, 200])
    const { status, json, headers, text } = await ask('ada', {}, accept)
    expect(status).toBe(429)
    expect(json).toEqual({ error: { code: 'too-many-requests', message: expect.stringMatching(/^You have asked 2 questions within a minute, .* Ask again in \d+ seconds\.$/), retryable: true, ref: expect.any(String) } })
    const seconds = Number(headers.get('retry-after'))
    expect(seconds).toBeGreaterThanOrEqual(1)
    expect(seconds).toBeLessThanOrEqual(60)
    expect(text).not.toContain(' at ')
    expect(answered).toBe(2)
    expect((await ask('grace', {}, accept)).status).toBe(200)
  })

  it('of one channel, and of one tenant, are refused whoever asks', async () => {
    const audience = { kind: 'channel', id: 'slack:T1:C1' }
    const inChannel = [await ask('a', { audience }), await ask('b', { audience }), await ask('c', { audience }), await ask('d', { audience })]
    expect(inChannel.map(({ status }) => status)).toEqual([200, 200, 200, 429])
    expect(inChannel[3]!.text).toContain('This channel has asked 3 questions')
    expect((await ask('e')).status).toBe(200)
    expect((await ask('f')).text).toContain('Your workspace has asked 4 questions')
    const other = tenant
    tenant = await createTestTenant(db)
    expect(other.id).not.toBe(tenant.id)
    expect((await ask('f')).status).toBe(200)
  })

  it('count searches too', async () => {
    expect([(await find('ada')).status, (await ask('ada')).status, (await find('ada')).status, (await ask('ada')).status]).toEqual([200, 200, 429, 429])
    expect((await call('GET', '/v1/repositories')).status).toBe(200)
  })

  it('are counted by limit', async () => {
    server.parts.metrics.rateLimited.reset()
    for (let times = 0; times < 4; times++) await ask('ada')
    const { text } = await call('GET', '/metrics')
    expect(text).toContain('nura_rate_limited_total{limit="asker"} 2')
    expect(text).toContain('# TYPE nura_cache_total counter')
  })
})

describe('who does not read', () => {
  it('F31: is cut off when the time of the request is over, and the answer is told to end', async () => {
    const { answer } = server.parts
    let ended = false
    let told = 0
    server.parts.deadlineMs = 400
    server.parts.answer = async function* () {
      try {
        for (;; told++) yield { type: 'token', text: 'more '.repeat(20_000) } as never
      } finally {
        ended = true
      }
    }
    try {
      const body = '{"question":"where?"}'
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
      const closed = once(socket, 'close')
      socket.on('error', () => undefined)
      socket.write(`POST /v1/ask HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer ${await signToken(tenant, { sub: 'ada' })}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
      socket.pause()
      await expect.poll(() => ended).toBe(true)
      // It went no faster than it was read: what waited was a few pieces.
      expect(told).toBeLessThan(1_000)
      socket.resume()
      await closed
    } finally {
      delete server.parts.deadlineMs
      server.parts.answer = answer
    }
  })
})

describe('what is deleted', () => {
  it('leaves the cache: the text of an answer’s thread', async () => {
    const key = `slack:T1:C1:${randomUUID()}`
    await saveThread(tenant, { key, surface: 'slack' })
    const row = { thread: key, asker: 'a', question: 'q', agent: 'dev', markdown: 'secret text', abstained: false, citations: [], trace: {}, usage: {}, citedChunks: [] }
    const [id] = [await saveAnswer(tenant, row), await saveAnswer(tenant, { ...row, thread: null })]
    await threads.recall(tenant, key)
    const kept = () => cache.get(toCacheKey('thread', tenant.id, [key]))
    expect(await kept()).toContain('secret text')
    expect((await call('DELETE', `/v1/answers/${id}`)).status).toBe(204)
    expect(await kept()).toBeNull()
    expect((await call('DELETE', `/v1/answers/${id}`)).status).toBe(404)
  })

  it('leaves the cache: everything of a tenant, and the receipt says how much', async () => {
    const other = await createTestTenant(db)
    for (const { id } of [tenant, other]) for (const part of ['1', '2']) await cache.set(toCacheKey('query-embedding', id, [part]), 'v', 60_000)
    const { json } = await call('DELETE', '/v1/tenant')
    expect((json as unknown as { receipt: object[] }).receipt).toContainEqual({ store: 'cache', table: 'entries', rows: 2 })
    expect(await cache.dropTenant(tenant.id)).toBe(0)
    expect(await cache.dropTenant(other.id)).toBe(2)
  })
})
