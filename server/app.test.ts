import { once } from 'node:events'
import { connect } from 'node:net'
import { createParser } from 'eventsource-parser'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Db, TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { remember } from '#db/shared/readers.ts'
import { saveAnswer } from '#db/tenant/answers.ts'
import { grantSource } from '#db/tenant/grants.ts'
import { addRepository, listRepositories, updateRepository } from '#db/tenant/repositories.ts'
import { saveThread } from '#db/tenant/threads.ts'
import { saveModelCalls } from '#db/tenant/usage.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import type { AnswerPart } from './answer-part.ts'
import { answerOf, doneParts, openTestServer, signToken } from './testing/open-test-server.ts'
import type { TestServer } from './testing/open-test-server.ts'

let db: Db
let acme: TenantDb
let other: TenantDb
let server: TestServer

beforeAll(async () => {
  db = await openTestDb()
  acme = await createTestTenant(db, 'acme')
  other = await createTestTenant(db, 'other')
  server = await openTestServer(db)
})
afterAll(async () => {
  await server.close()
  await db.close()
})

async function call(method: string, path: string, options: { body?: unknown; as?: TenantDb | null; headers?: Record<string, string>; at?: TestServer } = {}) {
  const { body, as = acme, headers = {}, at = server } = options
  const token = as && (await signToken(as))
  const response = await fetch(at.url + path, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: text.startsWith('{') ? JSON.parse(text) : undefined }
}

function readEvents(text: string): { event: string | undefined; data: unknown }[] {
  const events: { event: string | undefined; data: unknown }[] = []
  createParser({ onEvent: ({ event, data }) => events.push({ event, data: JSON.parse(data) }) }).feed(text)
  return events
}

async function withServer(overrides: Parameters<typeof openTestServer>[1], run: (at: TestServer) => Promise<void>): Promise<void> {
  const at = await openTestServer(db, overrides)
  try {
    await run(at)
  } finally {
    await at.close()
  }
}

describe('POST /v1/ask', () => {
  it('answers in JSON with the fields that outside promises', async () => {
    const { status, json } = await call('POST', '/v1/ask', { body: { question: 'where?' } })
    expect(status).toBe(200)
    expect(json).toMatchObject({ answer: 'It is in `verify` [1].', agent: 'dev', abstained: false, usage: { costUsd: 0 }, timings: { total: 5 }, trace: 'trace-of-the-answer' })
    expect(json.citations).toEqual([{ n: 1, repository: 'acme/app', path: 'src/a.ts', startLine: 3, endLine: 9, sha: 'a'.repeat(40), url: null }])
  })

  it('streams status, citation, token and done, and says that nothing may buffer it', async () => {
    const { headers, text } = await call('POST', '/v1/ask', { body: { question: 'where?' }, headers: { accept: 'text/event-stream' } })
    expect(headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(headers.get('cache-control')).toContain('no-transform')
    expect(readEvents(text).map(({ event }) => event)).toEqual(['status', 'citation', 'token', 'done'])
    expect(readEvents(text).at(-1)?.data).toMatchObject({ answerId: expect.any(String), agent: 'dev', abstained: false })
  })

  it('sends the first event while the answer is still being written', async () => {
    const gate = Promise.withResolvers<void>()
    async function* slow(): AsyncGenerator<AnswerPart> {
      yield doneParts[0] as AnswerPart
      await gate.promise
      yield* doneParts.slice(1)
    }
    await withServer({ answer: slow }, async (at) => {
      const response = await fetch(`${at.url}/v1/ask`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${await signToken(acme)}` },
        body: JSON.stringify({ question: 'where?' }),
      })
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
      let seen = ''
      while (!seen.includes('event: status')) seen += (await reader.read()).value ?? ''
      expect(seen).not.toContain('event: done')
      gate.resolve()
      for (let read = await reader.read(); !read.done; read = await reader.read()) seen += read.value
      expect(seen).toContain('event: done')
    })
  })

  it('aborts the run when the caller hangs up', async () => {
    const aborted = Promise.withResolvers<unknown>()
    async function* endless(_: TenantDb, __: unknown, signal: AbortSignal): AsyncGenerator<AnswerPart> {
      yield doneParts[0] as AnswerPart
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))).catch((reason: unknown) => {
        aborted.resolve(reason)
        throw reason
      })
    }
    await withServer({ answer: endless }, async (at) => {
      const hangUp = new AbortController()
      const response = await fetch(`${at.url}/v1/ask`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${await signToken(acme)}` },
        body: JSON.stringify({ question: 'where?' }),
        signal: hangUp.signal,
      })
      await response.body!.getReader().read()
      hangUp.abort()
      expect(await aborted.promise).toMatchObject({ code: 'hung-up' })
    })
  })

  it.each([
    ['an error part', () => answerOf([{ kind: 'error', code: 'model-unavailable', message: 'All models are away.', retryable: true, ref: 'ABC123' }]), 503, 'model-unavailable'],
    ['a throw', () => breaks(new NuraError('audience-unknown', 'Cannot check.', { retryable: true })), 503, 'audience-unknown'],
    ['a bug', () => breaks(new TypeError('secret detail')), 500, 'internal'],
    ['an end without done', () => answerOf([]), 500, 'internal'],
  ])('turns %s into one error, on both ways', async (_, answer, status, code) => {
    await withServer({ answer }, async (at) => {
      const plain = await call('POST', '/v1/ask', { body: { question: 'q' }, at })
      expect(plain.status).toBe(status)
      expect(plain.json.error).toMatchObject({ code, retryable: true, ref: expect.stringMatching(/^[0-9A-F]{6}$/) })
      expect(plain.text).not.toContain('secret detail')
      const streamed = await call('POST', '/v1/ask', { body: { question: 'q' }, at, headers: { accept: 'text/event-stream' } })
      const events = readEvents(streamed.text)
      expect(events.map(({ event }) => event)).toEqual(['error'])
      expect(events[0]?.data).toMatchObject({ code })
      const { ref } = z.object({ ref: z.string() }).parse(events[0]?.data)
      expect(at.lines.some((line) => line.includes(ref))).toBe(true)
    })
  })

  it.each([
    [{}, 'question'],
    [{ question: '   ' }, 'question'],
    [{ question: 'x'.repeat(8_001) }, 'question'],
    [{ question: 'x'.repeat(100_000) }, 'question'],
    [{ question: 7 }, 'question'],
    [{ question: 'q', agent: 'nobody' }, 'agent'],
    [{ question: 'q', audience: { kind: 'everyone' } }, 'audience.kind'],
    [{ question: 'q', tenant: 'other' }, 'tenant'],
    [{ question: 'q', context: [{ author: 'a', text: 'b' }] }, 'context.0.trusted'],
  ])('refuses %j and names the field', async (body, field) => {
    const { status, json } = await call('POST', '/v1/ask', { body })
    expect(status).toBe(400)
    expect(json.error).toMatchObject({ field, retryable: false })
  })

  it.each([
    ['{', 400, 'bad-json'],
    ['', 400, 'bad-json'],
    ['[]', 400, 'bad-input'],
    ['{"question":"a","__proto__":{"agent":"pm"}}', 400, 'bad-json'],
    ['['.repeat(10_000), 400, 'bad-json'],
    [`{"question":"a\\u0000b"}`, 400, 'bad-json'],
    [`{"question":"${'x'.repeat(300 * 1024)}"}`, 413, 'body-too-large'],
  ])('refuses the body %.40s with %i', async (body, status, code) => {
    const answered = await call('POST', '/v1/ask', { body })
    expect(answered.status).toBe(status)
    expect(answered.json.error.code).toBe(code)
  })

  it('takes nothing but JSON, which a web page cannot send without asking', async () => {
    const answered = await call('POST', '/v1/ask', { body: '{"question":"q"}', headers: { 'content-type': 'text/plain' } })
    expect(answered.status).toBe(415)
  })
})

function breaks(error: Error): AsyncIterable<AnswerPart> {
  return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) }
}

describe('who may call', () => {
  it.each([
    ['no token', () => Promise.resolve('')],
    ['another secret', () => signToken(acme, { secret: 'another-secret-of-more-than-32-bytes' })],
    ['another audience', () => signToken(acme, { aud: 'slack' })],
    ['another algorithm', () => signToken(acme, { alg: 'HS512' })],
    ['an expired token', () => signToken(acme, { expiresIn: -120 })],
    ['a token that lives too long', () => signToken(acme, { expiresIn: 3_600 })],
    ['no tenant', () => signToken(acme, { tenant: undefined })],
    ['a tenant that is no text', () => signToken(acme, { tenant: { $ne: '' } })],
    ['alg none', async () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify({ aud: 'nura', tenant: acme.id, sub: 'x', exp: 4e9 })).toString('base64url')}.`],
  ])('refuses %s with the same 401', async (_, token) => {
    const { status, json, headers } = await call('GET', '/v1/repositories', { as: null, headers: { authorization: `Bearer ${await token()}` } })
    expect(status).toBe(401)
    expect(headers.get('www-authenticate')).toBe('Bearer')
    const { ref: _ref, ...error } = json.error
    expect(error).toEqual({ code: 'unauthorized', message: expect.stringContaining('HS256'), retryable: false })
  })

  it('takes a tenant by its id or short name, and a clock that is a little off', async () => {
    for (const token of [await signToken(acme, { tenant: 'acme' }), await signToken(acme, { expiresIn: -30 })]) {
      expect((await call('GET', '/v1/repositories', { as: null, headers: { authorization: `Bearer ${token}` } })).status).toBe(200)
    }
  })

  it('answers one and the same 404 to what is unknown, malformed or another tenant’s', async () => {
    const id = await saveAnswer(other, { asker: 'a', question: 'q', agent: 'dev', markdown: 'm', abstained: false, citations: [], trace: {}, usage: {}, thread: null, citedChunks: [] })
    const unknown = '00000000-0000-4000-8000-000000000000'
    const nobody = await signToken(acme, { tenant: unknown })
    const answers = [
      await call('GET', `/v1/answers/${id}`),
      await call('DELETE', `/v1/answers/${id}`),
      await call('POST', `/v1/answers/${id}/feedback`, { body: { verdict: 'up' } }),
      await call('GET', `/v1/answers/${unknown}`),
      await call('GET', '/v1/answers/not-an-id'),
      await call('GET', '/v1/repositories/1%00'),
      await call('DELETE', `/v1/repositories/${unknown}`),
      await call('GET', '/v1/threads/nobody%27s'),
      await call('GET', '/v1/nothing/here'),
      await call('GET', '/v1/repositories', { as: null, headers: { authorization: `Bearer ${nobody}` } }),
    ]
    for (const { status, json } of answers) {
      const { ref: _ref, ...error } = json.error
      expect([status, error]).toEqual([404, { code: 'not-found', message: expect.any(String), retryable: false }])
    }
    expect(new Set(answers.map(({ json }) => json.error.message)).size).toBe(1)
    expect((await call('GET', `/v1/answers/${id}`, { as: other })).status).toBe(200)
  })

  it('in local mode answers this machine alone, by its own names', async () => {
    const local = await createTestTenant(db, 'local')
    await withServer({ config: { ...server.parts.config, serviceSecret: null } }, async (at) => {
      const { port } = new URL(at.url)
      const ask = (headers: Record<string, string>) => rawStatus(Number(port), headers)
      expect(await ask({ host: `localhost:${port}` })).toBe(200)
      expect(await ask({ host: `127.0.0.1:${port}` })).toBe(200)
      expect(await ask({ host: `[::1]:${port}` })).toBe(200)
      expect(await ask({ host: `rebound.example:${port}` })).toBe(403)
      expect(await ask({ host: 'localhost.example' })).toBe(403)
      expect(await ask({ host: `localhost:${port}`, origin: 'https://evil.example' })).toBe(403)
      expect(await ask({ host: `localhost:${port}`, origin: `http://localhost:${port}` })).toBe(200)
      expect(local.slug).toBe('local')
    })
  })

  it('shows metrics and docs without a token to this machine alone, also where a tunnel leads to it', async () => {
    const { port } = new URL(server.url)
    for (const path of ['/metrics', '/docs']) {
      expect(await rawStatus(Number(port), { host: `localhost:${port}` }, path)).toBe(200)
      const elsewhere: Record<string, string>[] = [{ host: 'nura.example.com' }, { host: `localhost:${port}`, 'x-forwarded-for': '203.0.113.7' }, { host: `localhost:${port}`, forwarded: 'for=203.0.113.7' }, { host: `localhost:${port}`, origin: 'https://evil.example' }]
      for (const headers of elsewhere) {
        expect(await rawStatus(Number(port), headers, path), JSON.stringify(headers)).toBe(401)
      }
    }
  })

  it('shows metrics and docs on a public host only to who has a token', async () => {
    const config = { ...server.parts.config, host: '0.0.0.0', metricsToken: 'a-token-of-an-operator-that-is-long-enough' }
    await withServer({ config }, async (at) => {
      for (const path of ['/metrics', '/docs']) {
        expect((await call('GET', path, { as: null, at })).status).toBe(401)
        expect((await call('GET', path, { as: null, at, headers: { authorization: 'Bearer a-token-of-somebody-else' } })).status).toBe(401)
        expect((await call('GET', path, { at })).status).toBe(200)
        expect((await call('GET', path, { as: null, at, headers: { authorization: `Bearer ${config.metricsToken}` } })).status).toBe(200)
      }
      expect((await call('GET', '/healthz', { as: null, at })).status).toBe(200)
    })
  })
})

/** `fetch` sets Host itself, so this one is spoken by hand. */
async function rawStatus(port: number, headers: Record<string, string>, path = '/v1/repositories'): Promise<number> {
  const socket = connect(port, '127.0.0.1')
  const lines = Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}`)
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
  const [data] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return Number(data.toString('latin1').split(' ')[1])
}

describe('repositories', () => {
  it('connects a checkout, shows it, and forgets it; each time the job is queued', async () => {
    const path = process.cwd()
    const added = await call('POST', '/v1/repositories', { body: { path, name: 'acme/app' } })
    expect(added.status).toBe(202)
    expect(added.json).toMatchObject({ name: 'acme/app', state: 'new', indexedSha: null, files: 0, chunks: 0, skipped: {} })
    expect(server.queued.at(-1)).toEqual({ name: 'sync-repository', payload: { tenantId: acme.id, repositoryId: added.json.id } })
    const again = await call('POST', '/v1/repositories', { body: { path, name: 'acme/app' } })
    expect([again.status, again.json.id]).toEqual([202, added.json.id])
    expect((await call('GET', '/v1/repositories')).json.repositories).toHaveLength(1)
    expect((await call('GET', '/v1/repositories', { as: other })).json.repositories).toEqual([])
    expect((await call('DELETE', `/v1/repositories/${added.json.id}`, { as: other })).status).toBe(404)
    const removed = await call('DELETE', `/v1/repositories/${added.json.id}`)
    expect([removed.status, removed.json.state]).toEqual([202, 'forgetting'])
    expect(server.queued.at(-1)).toMatchObject({ name: 'forget-repository' })
  })

  it('refuses what is no checkout, and where the operator does not allow folders', async () => {
    const before = await listRepositories(other)
    for (const path of ['relative/path', '/proc', '/does/not/exist']) {
      const { status, json } = await call('POST', '/v1/repositories', { as: other, body: { path } })
      expect([status, json.error.field]).toEqual([400, 'path'])
    }
    await withServer({ config: { ...server.parts.config, allowLocalRepositories: false } }, async (at) => {
      expect((await call('POST', '/v1/repositories', { as: other, at, body: { path: process.cwd() } })).status).toBe(403)
    })
    expect(await listRepositories(other)).toEqual(before)
  })

  it('accepts while the queue is away: the row is there for the sweeper', async () => {
    const enqueue = async () => {
      throw new NuraError('queue-unavailable', 'away', { retryable: true })
    }
    await withServer({ enqueue }, async (at) => {
      const { status } = await call('POST', '/v1/repositories', { as: other, at, body: { path: process.cwd(), name: 'other/app' } })
      expect(status).toBe(202)
      expect((await listRepositories(other)).map(({ name, state }) => [name, state])).toEqual([['other/app', 'new']])
    })
  })
})

describe('the rest of the API', () => {
  it('tells what is in force, and names to a channel only what it may be answered from', async () => {
    const reader = await createTestTenant(db, 'reader')
    const channel = { kind: 'channel', id: 'slack:T1:C1' } as const
    await addRepository(reader, { name: 'acme/open', source: 'git', location: '/open' })
    const secret = await addRepository(reader, { name: 'acme/secret', source: 'git', location: '/secret', audience: 'granted' })
    await updateRepository(reader, secret.id, { settings: { ignore: ['keys/**'] } })
    await remember(db, reader.id, { ...channel, surface: 'slack' })
    await saveThread(reader, { key: 'slack:T1:C1:1.0', surface: 'slack', subscribed: true })
    const asked = () => call('GET', '/v1/config?audience=channel&id=slack:T1:C1&thread=slack:T1:C1:1.0', { as: reader })
    const before = await asked()
    expect(before.status).toBe(200)
    expect(before.text).not.toContain('acme/secret')
    expect(before.json.settings).toEqual(expect.arrayContaining([
      expect.objectContaining({ name: 'Dev answers with', value: 'extractive:default', source: 'default' }),
      expect.objectContaining({ name: 'Search by meaning', value: 'lexical:default', source: 'default' }),
      expect.objectContaining({ name: 'This thread', value: 'followed', source: 'thread' }),
      expect.objectContaining({ name: 'Answered here from', value: 'acme/open', source: 'tenant' }),
    ]))
    await grantSource(reader, secret.id, channel)
    expect((await asked()).json.settings).toEqual(expect.arrayContaining([
      expect.objectContaining({ name: 'Answered here from', value: 'acme/open, acme/secret' }),
      expect.objectContaining({ name: 'Settings of acme/secret', value: 'ignore keys/**', source: '.nura.yml' }),
    ]))
    expect((await call('GET', '/v1/config', { as: other })).text).not.toContain('acme/')
    expect((await call('GET', '/v1/config?audience=channel&id=slack:T1:C9', { as: reader })).text).not.toContain('acme/')
    expect((await call('GET', '/v1/config?audience=channel')).json.error.field).toBe('id')
    expect((await call('GET', '/v1/config', { as: null })).status).toBe(401)
  })

  it('tells what models did: in all, by day, and today against the limit', async () => {
    const spender = await createTestTenant(db, 'spender')
    const made = { answerId: null, agent: 'dev', provider: 'openai', model: 'openai:gpt-4.1', outcome: 'answered', inputTokens: 1_000, outputTokens: 50, costUsd: 0.5, milliseconds: 5 }
    await saveModelCalls(spender, [made, made, made, { ...made, estimated: true }])
    await spender.transaction((tx) => tx.execute(`update model_call set created_at = created_at - interval '2 days' where id in (select id from model_call where not estimated limit 1)`))
    await withServer({ config: { ...server.parts.config, dayTokens: 5_000 } }, async (at) => {
      const { json } = await call('GET', '/v1/usage', { as: spender, at })
      expect(json).toMatchObject({ calls: 4, inputTokens: 4_000, costUsd: 2, estimatedShare: 0.25, today: { tokens: 3_150, limit: 5_000 }, rows: [{ agent: 'dev', calls: 4, estimatedCalls: 1 }] })
      expect(json.rows[0].day).toBeUndefined()
      const byDay = await call('GET', '/v1/usage?by=day', { as: spender, at })
      const toDay = (daysAgo: number) => new Date(Date.now() - daysAgo * 24 * 3_600_000).toISOString().slice(0, 10)
      expect(byDay.json.rows.map(({ day, calls }: { day: string; calls: number }) => [day, calls])).toEqual([[toDay(0), 3], [toDay(2), 1]])
      expect((await call('GET', '/v1/usage?by=hour', { as: spender, at })).json.error.field).toBe('by')
    })
  })

  it('keeps threads, feedback and usage', async () => {
    const key = 'slack:T1:C1:17.5'
    const path = `/v1/threads/${encodeURIComponent(key)}`
    expect((await call('PATCH', path, { body: { subscribed: true } })).json).toMatchObject({ key, surface: 'slack', subscribed: true, muted: false })
    expect((await call('PATCH', path, { body: { muted: true } })).json).toMatchObject({ subscribed: true, muted: true })
    expect((await call('PATCH', path, { body: {} })).status).toBe(400)
    const id = await saveAnswer(acme, { asker: 'a', question: 'q?', agent: 'dev', markdown: 'm', abstained: false, citations: [], trace: { legs: 1 }, usage: {}, thread: key, citedChunks: [] })
    expect((await call('GET', path)).json.answers).toMatchObject([{ id, question: 'q?', markdown: 'm' }])
    expect((await call('GET', path, { as: other })).status).toBe(404)
    expect((await call('GET', `/v1/answers/${id}`)).json).toMatchObject({ id, trace: { legs: 1 } })
    expect((await call('POST', `/v1/answers/${id}/feedback`, { body: { verdict: 'down', reason: 'wrong file' } })).status).toBe(204)
    expect((await call('POST', `/v1/answers/${id}/feedback`, { body: { verdict: 'sideways' } })).json.error.field).toBe('verdict')
    expect((await call('DELETE', `/v1/answers/${id}`)).status).toBe(204)
    expect((await call('GET', `/v1/answers/${id}`)).status).toBe(404)
    expect((await call('GET', '/v1/usage')).json).toMatchObject({ tenant: { id: acme.id, slug: expect.stringMatching(/^acme/) }, calls: 0, costUsd: 0, estimatedShare: 0, today: { tokens: 0, limit: null }, rows: [] })
    expect((await call('GET', '/v1/usage?since=yesterday')).json.error.field).toBe('since')
    expect((await call('GET', '/v1/suggestions?audience=channel')).json.error.field).toBe('id')
    expect((await call('GET', '/v1/suggestions')).json).toEqual({ suggestions: [] })
  })

  it('deletes a tenant with a receipt, and knows it no more', async () => {
    const doomed = await createTestTenant(db)
    const { status, json } = await call('DELETE', '/v1/tenant', { as: doomed })
    expect(status).toBe(200)
    expect(json.receipt.length).toBeGreaterThan(0)
    expect((await call('GET', '/v1/repositories', { as: doomed })).status).toBe(404)
    expect((await call('GET', '/v1/repositories')).status).toBe(200)
  })

  it('tells alive from ready', async () => {
    const readiness = { database: async () => undefined, queue: async () => Promise.reject(new NuraError('queue-evicts', 'Set maxmemory-policy to noeviction.', { retryable: true })) }
    await withServer({ readiness }, async (at) => {
      expect((await call('GET', '/healthz', { as: null, at })).json).toEqual({ status: 'alive' })
      const ready = await call('GET', '/readyz', { as: null, at })
      expect(ready.status).toBe(503)
      expect(ready.json).toEqual({ status: 'not ready', checks: { database: 'ok', queue: 'Set maxmemory-policy to noeviction.' } })
    })
    expect((await call('GET', '/readyz', { as: null })).status).toBe(200)
  })

  it('documents what it serves, from the schemas that validate', async () => {
    const { json } = await call('GET', '/openapi.json', { as: null })
    expect(json.openapi).toBe('3.1.0')
    expect(json.paths['/v1/ask'].post.requestBody.content['application/json'].schema.properties.question.maxLength).toBe(8_000)
    expect(json.paths['/v1/repositories/{id}'].get.parameters[0]).toMatchObject({ name: 'id', in: 'path', required: true })
    const { text, headers } = await call('GET', '/docs', { as: null })
    expect(headers.get('content-type')).toContain('text/html')
    for (const path of Object.keys(json.paths)) expect(text).toContain(path)
    expect(text).not.toMatch(/<script|src=|https?:\/\//)
  })

  it('exposes the promised metrics', async () => {
    const { text } = await call('GET', '/metrics', { as: null })
    for (const name of ['turns_total', 'turns_without_outcome', 'first_event_seconds', 'answer_seconds', 'retrieval_seconds', 'embedding_seconds', 'model_calls_total', 'model_cost_usd_total', 'index_lag_seconds', 'queue_depth']) {
      expect(text).toContain(`# TYPE nura_${name} `)
    }
    expect(text).toContain('nura_turns_total{surface="api",agent="dev",outcome="answered"}')
  })

  it('answers a wrong method with 405, and HEAD like GET', async () => {
    expect((await call('PUT', '/v1/ask', { body: {} })).status).toBe(405)
    expect((await fetch(`${server.url}/healthz`, { method: 'HEAD' })).status).toBe(200)
  })

  it('writes one trace on every line of a request, and neither question nor token', async () => {
    const token = await signToken(acme)
    await call('POST', '/v1/ask', { as: null, body: { question: 'where is the canary-7f3a?' }, headers: { authorization: `Bearer ${token}`, 'x-nura-trace': 'trace-12345678' } })
    const lines = server.lines.filter((line) => line.includes('trace-12345678')).map((line) => JSON.parse(line))
    expect(lines.length).toBeGreaterThanOrEqual(2)
    expect(server.lines.join('')).not.toContain('canary-7f3a')
    expect(server.lines.join('')).not.toContain(token)
  })
})
