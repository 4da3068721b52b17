import { randomUUID } from 'node:crypto'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { slackEvent, say, toRequest } from '#bot/testing/slack-event.ts'
import { createFakeWorkspace } from '#bot/testing/fake-slack-methods.ts'
import { readTestServer } from '#db/testing/config.ts'
import { toTenantStart } from '#server/cache/cache-key.ts'
import { routes } from '#server/routes/index.ts'
import { until } from '../testing/until.ts'
import { startTenants, toMark, toQuestion } from './start-tenants.ts'
import type { AttackTenant, TenantsDeployment } from './start-tenants.ts'
import { askForCanaries } from './tenants.ts'

/** Whole processes start and are waited for here, on machines that do other things too. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

let nura: TenantsDeployment
/** Who attacks, and whose things are wanted. */
let ada: AttackTenant
let bob: AttackTenant
beforeAll(async () => {
  nura = await startTenants(3)
  ;[ada, bob] = nura.tenants as [AttackTenant, AttackTenant]
})
afterAll(() => nura?.close())

test("T1: asked by everybody at once for what others' sources hide, nothing of theirs is in any answer, prompt, trace, log or cache", async () => {
  const figures = await askForCanaries(nura, { seed: 1, say: () => undefined }, { answers: 18, atOnce: 6 })
  expect(figures.filter(({ holds }) => !holds)).toEqual([])
})

describe('T2: ids of another tenant', () => {
  type Ids = { id: string; key: string; answer: string; repository: string; library: string }
  type Attempt = { path: string; body?: unknown }
  const at = (path: string, body?: unknown): Attempt => ({ path, ...(body === undefined ? {} : { body }) })

  /** Each route that is given something of a tenant's, with it in every place that takes it; else why nothing of another's fits. */
  const attempts: Record<string, ((ids: Ids) => Attempt[]) | string> = {
    'POST /v1/ask': ({ answer, repository }) => [at('/v1/ask', { question: 'what is it?', retell: answer }), at('/v1/ask', { question: 'what is it?', repository })],
    'POST /v1/search': ({ repository }) => [at('/v1/search', { question: 'what is it?', repository })],
    'GET /v1/repositories/:id': ({ id }) => [at(`/v1/repositories/${id}`)],
    'DELETE /v1/repositories/:id': ({ id }) => [at(`/v1/repositories/${id}`)],
    'GET /v1/documents': ({ id, library }) => [at(`/v1/documents?after=${id}`), at(`/v1/documents?library=${library}`)],
    'GET /v1/documents/:id': ({ id }) => [at(`/v1/documents/${id}`)],
    'DELETE /v1/documents/:id': ({ id }) => [at(`/v1/documents/${id}`)],
    'GET /v1/threads/:key': ({ key }) => [at(`/v1/threads/${encodeURIComponent(key)}`)],
    'GET /v1/answers/:id': ({ id }) => [at(`/v1/answers/${id}`)],
    'DELETE /v1/answers/:id': ({ id }) => [at(`/v1/answers/${id}`)],
    'POST /v1/answers/:id/feedback': ({ id }) => [at(`/v1/answers/${id}/feedback`, { verdict: 'down' })],
    'GET /v1/config': ({ key }) => [at(`/v1/config?thread=${encodeURIComponent(key)}`)],
    'PATCH /v1/threads/:key': 'notes a thread of the caller under any key',
    'POST /v1/repositories': 'connects what the operator allows by its address; ids are made, not given',
    'POST /v1/documents': 'names a library of the caller, which is made when it is not there',
    'GET /v1/suggestions': 'names people and channels of a platform, not things of a tenant',
    'POST /v1/github/connections': 'gives no id',
    'GET /v1/usage': 'names a day',
    'GET /github/setup': 'takes a signed state, which names its tenant',
    'GET /github/link': 'takes a signed state, which names its tenant',
    'POST /github/link': 'takes a signed state, which names its tenant',
    'POST /github/webhooks': 'takes a signed delivery',
  }

  test('every route that takes anything is among those that are tried', () => {
    const taking = routes.filter((route) => route.params ?? route.query ?? route.body ?? route.upload).map(({ method, path }) => `${method} ${path}`)
    expect(taking.filter((route) => !(route in attempts))).toEqual([])
  })

  test('are answered like ids that nobody has, on every route, and what they name stands as it was', async () => {
    const key = `api:${randomUUID()}`
    const asked = JSON.parse((await nura.call(bob, 'POST', '/v1/ask', { question: toQuestion(bob.setting, ''), thread: key })).text) as { answerId: string; answer: string }
    expect(asked.answer).toContain(bob.canary)
    const given = await nura.call(bob, 'POST', '/v1/documents?name=secret.md&library=of-bob', `# Secret\n\n${bob.canary}`, { 'content-type': 'text/markdown' })
    const document = (JSON.parse(given.text) as { id: string }).id
    const [repository] = (JSON.parse((await nura.call(bob, 'GET', '/v1/repositories')).text) as { repositories: { id: string; name: string }[] }).repositories
    const theirs = { repositories: repository!.id, documents: document, answers: asked.answerId }
    const before = await picture(key)

    const unlike: string[] = []
    for (const [route, toAttempts] of Object.entries(attempts)) {
      if (typeof toAttempts === 'string') continue
      const [method, path] = route.split(' ') as [string, string]
      const kind = (Object.keys(theirs) as (keyof typeof theirs)[]).find((each) => path.includes(`/${each}`)) ?? 'answers'
      const real = toAttempts({ id: theirs[kind], key, answer: asked.answerId, repository: repository!.name, library: 'of-bob' })
      const unknown = toAttempts({ id: randomUUID(), key: `api:${randomUUID()}`, answer: randomUUID(), repository: 'no/such', library: 'no-such' })
      for (const [index, { path: tried, body }] of real.entries()) {
        const [seen, expected] = [await nura.call(ada, method, tried, body), await nura.call(ada, method, unknown[index]!.path, unknown[index]!.body)]
        const [a, b] = [seen, expected].map(({ status, text }) => `${status} ${withoutOwn(text, [...Object.values(theirs), repository!.name, 'of-bob', key, 'no/such', 'no-such'])}`)
        if (a !== b || seen.text.includes(bob.canary)) unlike.push(`${route}: ${a} instead of ${b}`)
      }
    }
    expect(unlike).toEqual([])
    expect(await picture(key)).toEqual(before)

    /** What B has, as B sees it. */
    async function picture(thread: string): Promise<unknown> {
      const seen = [`/v1/threads/${encodeURIComponent(thread)}`, `/v1/answers/${asked.answerId}`, `/v1/repositories`, '/v1/documents'].map((path) => nura.call(bob, 'GET', path))
      return (await Promise.all(seen)).map(({ status, text }) => `${status} ${text.replace(/"(state|updatedAt|indexedAt|indexedSha|chunks|files|pages|unread)":("[^"]*"|\[[^\]]*\]|[^,}]*)/g, '')}`)
    }
  })

  /** What differs between any two answers: the reference, the time it took, what was asked for. */
  function withoutOwn(text: string, names: string[]): string {
    const own = names.reduce((left, name) => left.replaceAll(name, '…'), text)
    return own.replace(/"(ref|answerId|trace)":"[^"]*"/g, '').replace(/"timings":\{[^}]*\}/g, '').replace(/api:[0-9a-f-]{36}/g, '…')
  }
})

test('T7: a thread is its tenant’s own, and hostile keys are keys like any other or refused', async () => {
  const key = `shared:${randomUUID()}`
  await nura.call(bob, 'POST', '/v1/ask', { question: toQuestion(bob.setting, ''), thread: key })
  const from = nura.openai.requests.length
  for (const thread of [key, bob.id, `${bob.slug}:${key}`, '*', '%', "'; select 1", '../..']) {
    const { status, text } = await nura.call(ada, 'POST', '/v1/ask', { question: 'And what was said about it before?', thread })
    expect([status, text.includes(bob.canary), text.includes(bob.setting)], thread).toEqual([200, false, false])
  }
  expect(JSON.stringify(nura.openai.requests.slice(from).map(({ body }) => body))).not.toMatch(new RegExp(`${bob.canary}|${bob.setting}`))
  for (const thread of ['', null, 7, {}, ['a'], 'x'.repeat(301), 'x'.repeat(1_000_000)]) {
    const { status, text } = await nura.call(ada, 'POST', '/v1/ask', { question: 'what?', thread })
    expect([status, text.includes(bob.canary)], (JSON.stringify(thread) ?? '').slice(0, 20)).toEqual([expect.toSatisfy((is: number) => is >= 400 && is < 500), false])
  }
  for (const thread of [bob.id, '%00', '%2e%2e', '*', 'x'.repeat(301)]) {
    const { status, text } = await nura.call(ada, 'GET', `/v1/threads/${thread}`)
    if (status !== 200) expect(status).toSatisfy((is: number) => is >= 400 && is < 500)
    expect(text).not.toContain(bob.canary)
  }
})

test('T5: the same bytes from two tenants are two calls of the model, from one of them again none', async () => {
  const question = toQuestion('the setting', toMark(5))
  const calls = async (tenant: AttackTenant) => {
    const from = nura.openai.requests.length
    const { text } = await nura.call(tenant, 'POST', '/v1/ask', { question })
    expect(text).toContain(tenant.canary)
    return nura.openai.requests.length - from
  }
  expect([await calls(ada), await calls(bob)]).toEqual([1, 1])
  for (const tenant of [ada, bob]) await until(`the answer of ${tenant.id} to be kept`, async () => (await calls(tenant)) === 0)
})

test('T6: what one channel was answered is asked anew in another, and for the whole tenant', async () => {
  const question = toQuestion('the setting', toMark(6))
  const hits = async () => Number((await (await fetch(`${nura.url}/metrics`)).text()).match(/nura_cache_total\{cache="answer",outcome="hit"\} (\d+)/)?.[1] ?? 0)
  const before = await hits()
  for (const audience of [{ kind: 'channel', id: 'slack:T1:CPRIVATE' }, { kind: 'channel', id: 'slack:T1:CPUBLIC' }, { kind: 'person', id: 'slack:T1:U1' }, { kind: 'tenant' }, { kind: 'public' }]) {
    expect((await nura.call(ada, 'POST', '/v1/ask', { question, audience })).status).toBe(200)
  }
  expect(await hits()).toBe(before)
})

describe.skipIf(readTestServer() === null)('on Redis', () => {
  test('T5: every key of the cache begins as one of the tenants does', async () => {
    const redis = new Redis(nura.redisUrl!)
    const keys = (await redis.keys('*')).filter((key) => !/^nura:/.test(key))
    redis.disconnect()
    expect(keys.length).toBeGreaterThan(0)
    expect(keys.filter((key) => !nura.tenants.some(({ id }) => key.startsWith(`nura-cache:${toTenantStart(id)}`)))).toEqual([])
  })

  test('T8: a job that is pushed to Redis by hand is buried unread and counted, and nothing of the tenant changes', async () => {
    const [{ id }] = (JSON.parse((await nura.call(bob, 'GET', '/v1/repositories')).text) as { repositories: { id: string }[] }).repositories as [{ id: string }]
    const redis = new Redis(nura.redisUrl!, { maxRetriesPerRequest: null })
    const pushed = { 'sync-repository': { tenantId: ada.id, repositoryId: id }, 'forget-repository': { tenantId: bob.id, repositoryId: id } }
    for (const [name, payload] of Object.entries(pushed)) {
      const queue = new Queue(name, { connection: redis, prefix: 'nura' })
      await queue.add(name, payload, { attempts: 5 })
      await queue.add(name, { body: JSON.stringify(payload), mac: 'AAAA' }, { attempts: 5 })
      await queue.close()
    }
    const forged = /nura_jobs_total\{job="(?:sync|forget)-repository",outcome="forged"\} 2/g
    await until('the forged jobs to be counted', async () => ((await (await fetch(`${nura.url}/metrics`)).text()).match(forged) ?? []).length === 2)
    redis.disconnect()
    expect((await nura.call(bob, 'GET', `/v1/repositories/${id}`)).text).toContain('"state":"ready"')
    expect(nura.nura.output()).toContain('was not queued by this deployment')
  })
})

test('T43: a thousand tenants and workspaces that nobody has get the same refusal and add no series to the metrics', async () => {
  const series = async () => (await (await fetch(`${nura.url}/metrics`)).text()).split('\n').filter((line) => /^nura_/.test(line)).length
  const askAs = (id: string) => nura.call({ id }, 'GET', '/v1/repositories')
  const sendAs = async (team: string) => {
    const workspace = createFakeWorkspace()
    workspace.teamId = team
    const mention = say(workspace, { text: `<@${workspace.botUserId}> hello` })
    return (await fetch(`${nura.url}/slack/events`, toRequest(nura.signingSecret, slackEvent(workspace, mention, 'app_mention')))).status
  }
  const [first, sent] = [await askAs(randomUUID()), await sendAs('T0NOBODY')]
  const before = await series()
  const seen = new Set<string>()
  for (let at = 0; at < 500; at += 20) {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, each) => askAs((at + each) % 2 ? randomUUID() : `nobody-${at + each}`)))
    for (const { status, text } of answers) seen.add(`${status} ${text.replace(/"ref":"[^"]*"/, '')}`)
    const statuses = await Promise.all(Array.from({ length: 20 }, (_, each) => sendAs(`T0NOBODY${at + each}`)))
    for (const status of statuses) seen.add(`slack ${status}`)
  }
  expect([...seen].toSorted()).toEqual([`404 ${first.text.replace(/"ref":"[^"]*"/, '')}`, `slack ${sent}`])
  expect(await series()).toBe(before)
})
