import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Db } from '#db/index.ts'
import { grantSource } from '#db/tenant/grants.ts'
import { findRepository, updateRepository } from '#db/tenant/repositories.ts'
import { readCredentials } from '#db/tenant/source-credentials.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { readServerConfig } from '#server/config.ts'
import { createCore } from '#server/create-core.ts'
import type { Core } from '#server/create-core.ts'
import { confluenceCredentials, startFakeConfluence } from '#server/testing/fake-confluence.ts'
import type { FakeConfluence } from '#server/testing/fake-confluence.ts'
import { jiraCredentials, startFakeJira, toAdf } from '#server/testing/fake-jira.ts'
import type { FakeJira } from '#server/testing/fake-jira.ts'
import { notionCredentials, startFakeNotion, toBlocks } from '#server/testing/fake-notion.ts'
import type { FakeNotion } from '#server/testing/fake-notion.ts'
import { openTestServer, signToken } from '#server/testing/open-test-server.ts'
import type { TestServer } from '#server/testing/open-test-server.ts'
import { sweepSources } from './sweep-sources.ts'
import { syncRepository } from './sync-repository.ts'
import { jobContract } from './testing/job-contract.ts'

let db: Db
let server: TestServer
let core: Core
let confluence: FakeConfluence
let jira: FakeJira
let notion: FakeNotion
beforeAll(async () => {
  ;[db, confluence, jira, notion] = await Promise.all([openTestDb(), startFakeConfluence(), startFakeJira(), startFakeNotion()])
  server = await openTestServer(db)
  const hosts = [confluence, jira, notion].map(({ url }) => new URL(url).host)
  core = createCore({ ...server.parts, config: { ...readServerConfig({}), sourceHosts: hosts }, githubConfig: null })
  Object.assign(server.parts, { answer: core.answer, search: core.search, openSource: core.openSource })
})
afterAll(async () => {
  await server.close()
  await Promise.all([db.close(), confluence.close(), jira.close(), notion.close()])
})

const never = new AbortController().signal

async function open() {
  const tenant = await createTestTenant(db)
  async function call(method: string, path: string, body?: object) {
    const headers = { authorization: `Bearer ${await signToken(tenant)}`, 'content-type': 'application/json' }
    const response = await fetch(server.url + path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) })
    const text = await response.text()
    return { status: response.status, text, json: JSON.parse(text) as Record<string, unknown> }
  }
  const sync = (id: unknown) => syncRepository.run({ tenantId: tenant.id, repositoryId: String(id) }, { ...server.parts, ...core } as never, { attempt: 1, lastAttempt: true, signal: never })
  const find = async (question: string, more: object = {}) => (await call('POST', '/v1/search', { question, limit: 5, ...more })).json.passages as { path: string; content: string; contentType: string }[]
  return { tenant, call, sync, find }
}

const toConfluence = () => ({ source: 'confluence', url: confluence.base, place: 'ENG', ...confluenceCredentials, audience: 'tenant' })
const toJira = () => ({ source: 'jira', url: jira.url, place: 'SHOP', ...jiraCredentials, audience: 'tenant' })

describe('a space of Confluence', () => {
  it('is connected, indexed, cited by title and address, followed and forgotten', async () => {
    const { tenant, call, sync, find } = await open()
    const page = confluence.add('Escalation', '<h1>When to page</h1><p>Page the on-call engineer when checkout errors pass five percent.</p>')
    confluence.pages.get(confluence.add('Layoffs', '<p>Canary of the board.</p>'))!.readers.push('ceo')
    const added = await call('POST', '/v1/repositories', toConfluence())
    expect(added).toMatchObject({ status: 202, json: { name: 'confluence/ENG', source: 'confluence', place: 'ENG', contentType: 'business', audience: 'tenant', state: 'new' } })
    expect(server.queued.at(-1)).toMatchObject({ name: 'sync-repository', payload: { repositoryId: added.json.id } })
    await sync(added.json.id)

    const { json: shown } = await call('GET', `/v1/repositories/${String(added.json.id)}`)
    expect(shown).toMatchObject({ state: 'ready', error: null, files: 1, skipped: { restricted: 1 }, indexedSha: expect.stringMatching(/^[0-9a-f]{40}$/) as string })
    const { json: answer } = await call('POST', '/v1/ask', { question: 'When do we page the on-call engineer?', agent: 'pm' })
    expect(answer.citations).toMatchObject([{ repository: 'confluence/ENG', path: 'Escalation', title: 'Escalation', url: null, changedAt: expect.any(String) as string }])
    expect(JSON.stringify(await find('Canary of the board, layoffs'))).not.toMatch(/Canary|Layoffs/)
    expect(await find('on-call engineer')).toMatchObject([{ contentType: 'business' }])

    // Only what changed is asked for.
    confluence.change(page, { storage: '<p>Page the on-call engineer when checkout errors pass seven percent.</p>' })
    confluence.calls.length = 0
    await sync(added.json.id)
    expect(confluence.calls.filter((one) => one.includes('body.storage'))).toHaveLength(1)
    expect((await find('on-call engineer'))[0]?.content).toContain('seven percent')
    confluence.calls.length = 0
    await sync(added.json.id)
    expect(confluence.calls.filter((one) => one.includes('body.storage'))).toEqual([])

    // A page that is closed from now on is gone from what is searched.
    confluence.pages.get(page)!.readers.push('ceo')
    await sync(added.json.id)
    expect(await find('on-call engineer')).toEqual([])
    expect((await findRepository(tenant, String(added.json.id)))?.lookedAt).not.toBeNull()
    expect((await call('DELETE', `/v1/repositories/${String(added.json.id)}`)).status).toBe(202)
  })

  it('keeps its token encrypted, and shows it to nobody', async () => {
    const { tenant, call } = await open()
    const added = await call('POST', '/v1/repositories', toConfluence())
    const [row] = await tenant.transaction((tx) => tx.query('select * from repository'))
    expect(JSON.stringify(row)).not.toContain(confluenceCredentials.token)
    expect(await readCredentials(tenant, String(added.json.id))).toEqual(confluenceCredentials)
    const listed = await call('GET', '/v1/repositories')
    expect(added.text + listed.text + server.lines.join('')).not.toContain(confluenceCredentials.token)
    // A row that is carried to another tenant does not open there.
    const other = await open()
    const theirs = await other.call('POST', '/v1/repositories', toConfluence())
    await other.tenant.transaction((tx) => tx.execute('update repository set credentials = $1', [row!.credentials]))
    await expect(readCredentials(other.tenant, String(theirs.json.id))).rejects.toMatchObject({ code: 'secret-unreadable' })
  })

  it('is not connected when it cannot be read, and says what to grant', async () => {
    const { call } = await open()
    const refused = async (change: object) => (await call('POST', '/v1/repositories', { ...toConfluence(), ...change })).json.error
    expect(await refused({ place: 'BOARD' })).toMatchObject({ code: 'source-forbidden', field: 'place', message: expect.stringMatching(/BOARD.*"View"/) as string })
    expect(await refused({ token: 'wrong' })).toMatchObject({ code: 'source-unauthorized', field: 'token' })
    expect(await refused({ url: 'https://127.0.0.1:1' })).toMatchObject({ code: 'source-inside' })
    expect(await refused({ url: 'http://wiki.example.com' })).toMatchObject({ code: 'bad-source-url' })
    expect(await refused({ audience: undefined })).toMatchObject({ code: 'bad-input', field: 'audience', message: expect.stringMatching(/everyone in the tenant/) as string })
    expect(await refused({ place: undefined })).toMatchObject({ code: 'bad-input', field: 'place' })
    expect(await refused({ source: 'sharepoint' })).toMatchObject({ code: 'bad-input', field: 'source' })
    expect((await call('GET', '/v1/repositories')).json).toEqual({ repositories: [] })
  })

  it('answers only whom it is granted to, when its admin says so', async () => {
    const { tenant, call, sync, find } = await open()
    confluence.add('Granted', '<p>The vault code rotates on Mondays.</p>')
    const { json } = await call('POST', '/v1/repositories', { ...toConfluence(), audience: 'granted' })
    await sync(json.id)
    expect(await find('vault code rotates')).toEqual([])
    await db.control((tx) => tx.execute(`insert into reader (tenant_id, kind, id, surface) values ($1, 'channel', 'slack:T1:C1', 'slack')`, [tenant.id]))
    await grantSource(tenant, String(json.id), { kind: 'channel', id: 'slack:T1:C1' })
    expect(await find('vault code rotates', { audience: { kind: 'channel', id: 'slack:T1:C1' } })).toMatchObject([{ path: 'Granted' }])
  })
})

describe('a project of Jira', () => {
  it('that answers 500 for an hour keeps its index, says since when, and catches up', async () => {
    const { tenant, call, sync, find } = await open()
    const issue = jira.add('Checkout times out', toAdf('The gateway times out after nine seconds.'))
    const { json } = await call('POST', '/v1/repositories', toJira())
    await sync(json.id)
    expect(await find('gateway times out')).toMatchObject([{ path: 'SHOP-1 Checkout times out' }])

    jira.fault = { kind: 'status', status: 500 }
    jira.change(issue, { description: toAdf('The gateway times out after twelve seconds.') })
    await expect(sync(json.id)).rejects.toMatchObject({ code: 'source-unavailable', retryAt: expect.any(Date) as Date })
    const since = (await findRepository(tenant, String(json.id)))!.failingSince
    const anHourAgo = new Date(Date.now() - 3_600_000)
    await updateRepository(tenant, String(json.id), { failingSince: anHourAgo })
    await expect(sync(json.id)).rejects.toMatchObject({ code: 'source-unavailable' })
    expect(since).not.toBeNull()
    const told = `Jira does not answer (HTTP 500) since ${anHourAgo.toISOString().slice(0, 16).replace('T', ' ')} UTC. What was indexed before still answers`
    expect((await call('GET', `/v1/repositories/${String(json.id)}`)).json).toMatchObject({ state: 'ready', error: expect.stringContaining(told) as string, files: 1 })
    expect((await find('gateway times out'))[0]?.content).toContain('nine seconds')

    jira.fault = null
    await sync(json.id)
    expect((await call('GET', `/v1/repositories/${String(json.id)}`)).json).toMatchObject({ state: 'ready', error: null })
    expect((await findRepository(tenant, String(json.id)))?.failingSince ?? null).toBeNull()
    expect((await find('gateway times out'))[0]?.content).toContain('twelve seconds')
  })

  it('that breaks off in the middle of a first sync goes on after what was read', async () => {
    const { call, sync } = await open()
    for (let at = 0; at < 120; at++) jira.add(`Story ${at}`, toAdf(`This is story number ${at}.`))
    const { json } = await call('POST', '/v1/repositories', toJira())
    // The listing is two calls, and the first fifty issues are one.
    jira.fault = { kind: 'status', status: 503, match: /\/comment|search/, times: 0 }
    let searches = 0
    const real = jira.calls.push.bind(jira.calls)
    jira.calls.push = (line: string) => {
      if (line.includes('search') && ++searches === 4) jira.fault = { kind: 'status', status: 503, times: 1 }
      return real(line)
    }
    await expect(sync(json.id)).rejects.toMatchObject({ code: 'source-unavailable' })
    const before = (await call('GET', `/v1/repositories/${String(json.id)}`)).json.files as number
    expect(before).toBeGreaterThanOrEqual(50)
    jira.calls.push = real
    jira.fault = null
    jira.calls.length = 0
    await sync(json.id)
    const { files } = (await call('GET', `/v1/repositories/${String(json.id)}`)).json as { files: number }
    expect(files).toBe(jira.issues.size)
    // Two for the listing, and as many as are left by fifties.
    expect(jira.calls.filter((line) => line.includes('search'))).toHaveLength(Math.ceil(files / 100) + Math.ceil((files - before) / 50))
  })
})

it('a workspace of Notion is connected with a token alone', async () => {
  const { call, sync, find } = await open()
  notion.add('Onboarding', toBlocks('New people get a badge on their first day.'))
  const { json, status } = await call('POST', '/v1/repositories', { source: 'notion', url: notion.url, ...notionCredentials, audience: 'tenant', contentType: 'documentation' })
  expect({ status, name: json.name }).toEqual({ status: 202, name: 'notion' })
  await sync(json.id)
  expect(await find('badge first day')).toMatchObject([{ path: 'Onboarding', contentType: 'documentation' }])
})

describe('what was granted later is found by the clock', () => {
  it('looks again when the last look is old, at what failed too', async () => {
    const { tenant, call, sync } = await open()
    const { json } = await call('POST', '/v1/repositories', toConfluence())
    const id = String(json.id)
    confluence.space = null
    await sync(id)
    expect((await call('GET', `/v1/repositories/${id}`)).json).toMatchObject({ state: 'failed', error: expect.stringMatching(/Give that account the permission "View"/) as string })
    const queued: string[] = []
    const enqueue = async (_: string, payload: { repositoryId: string }) => void queued.push(payload.repositoryId)
    const sweep = () => sweepSources.run({}, { ...server.parts, enqueue } as never, { attempt: 1, lastAttempt: true, signal: never })
    await sweep()
    expect(queued).not.toContain(id)
    await updateRepository(tenant, id, { lookedAt: new Date(Date.now() - 16 * 60_000) })
    await sweep()
    expect(queued).toContain(id)
    confluence.space = 'ENG'
    await sync(id)
    expect((await call('GET', `/v1/repositories/${id}`)).json).toMatchObject({ state: 'ready', error: null })
  })
})

jobContract(sweepSources, async () => {
  const { tenant, call } = await open()
  const { json } = await call('POST', '/v1/repositories', toConfluence())
  await updateRepository(tenant, String(json.id), { state: 'ready', lookedAt: null })
  const queued = new Set<string>()
  const enqueue = async (name: string, payload: { tenantId: string }) => void (payload.tenantId === tenant.id && queued.add(name))
  return { payload: {}, parts: { ...server.parts, enqueue } as never, picture: async () => [...queued] }
})
