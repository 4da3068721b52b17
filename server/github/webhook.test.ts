import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Db } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { claim, fail, finish, purge } from '#db/shared/inbox.ts'
import { openTestDb } from '#db/testing/open-test-db.ts'
import { inboxDays } from '../retention.ts'
import { openGithubRig } from '../testing/open-github-rig.ts'
import type { GithubRig } from '../testing/open-github-rig.ts'
import { openTestServer } from '../testing/open-test-server.ts'
import type { FakeRepository } from '../testing/fake-github/fake-repository.ts'
import { createWebhook } from './webhook.ts'

let db: Db
let rig: GithubRig
let app: FakeRepository
beforeAll(async () => {
  db = await openTestDb()
  rig = await openGithubRig(db)
  app = await rig.fake.addRepository({ installation: rig.installation, name: 'app', files: { 'a.ts': 'const a = 1\n' } })
  await rig.settle()
  rig.fake.deliveries.auto = false
})
afterAll(async () => {
  await rig.close()
  await db.close()
})

const rows = async () => (await db.control((tx) => tx.query<{ rows: number }>('select count(*)::int as rows from inbox')))[0]!.rows
const push = async () => rig.fake.payloads.push(app, { ref: 'refs/heads/main', before: '0'.repeat(40), after: await app.git('rev-parse', 'main') })

async function post(event: { headers: Record<string, string>; rawBody: Buffer }, headers: Record<string, string | undefined> = {}, body: Uint8Array<ArrayBuffer> | ReadableStream = new Uint8Array(event.rawBody)) {
  const sent = Object.entries({ ...event.headers, ...headers }).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const response = await fetch(rig.hookUrl, { method: 'POST', headers: Object.fromEntries(sent), body, ...(body instanceof ReadableStream ? { duplex: 'half' } : {}) } as RequestInit)
  return { status: response.status, json: (await response.json()) as { stored?: number; error?: { code: string } } }
}

describe('the signature', () => {
  it('is over the bytes as they came', async () => {
    const text = JSON.stringify(await push()).replace('{', '{ "odd": "\\u003c", "number": 1.0,')
    const event = rig.fake.event('push', text)
    expect(await post(event)).toEqual({ status: 202, json: { stored: 1 } })
  })

  it.each([
    ['a byte was changed', {}, (bytes: Buffer) => Buffer.from(bytes.toString().replace('"ref"', '"Ref"'))],
    ['there is none', { 'x-hub-signature-256': undefined }],
    ['it is SHA-1 alone', { 'x-hub-signature-256': undefined, 'x-hub-signature': 'sha1=0000000000000000000000000000000000000000' }],
    ['SHA-1 stands where SHA-256 belongs', { 'x-hub-signature-256': 'sha1=0000000000000000000000000000000000000000' }],
    ['it is cut short', { 'x-hub-signature-256': 'sha256=' }],
    ['the body is no text', {}, () => Buffer.from([0xff, 0xfe, 0x00])],
    ['the body is empty', {}, () => Buffer.alloc(0)],
  ])('is refused when %s, and nothing is kept', async (_, headers, change?: (bytes: Buffer) => Buffer) => {
    const before = { rows: await rows(), queued: rig.queued.length }
    const event = rig.fake.event('push', await push())
    const answer = await post(event, headers, new Uint8Array(change?.(event.rawBody) ?? event.rawBody))
    expect([answer.status, answer.json.error?.code]).toEqual([401, 'unauthorized'])
    expect({ rows: await rows(), queued: rig.queued.length }).toEqual(before)
  })

  it('of another secret, or checked with an empty one, is refused', async () => {
    const event = rig.fake.event('push', await push(), { secret: 'another' })
    expect((await post(event)).status).toBe(401)
    const github = { ...rig.github, config: { ...rig.github.config, webhookSecret: '' } }
    const take = createWebhook({ db, github, enqueue: async () => undefined, log: rig.server.parts.log, tenant: 'x' })
    await expect(take({ headers: event.headers, bytes: event.rawBody })).rejects.toMatchObject({ code: 'unauthorized' })
  })
})

describe('a body', () => {
  it('above 25 MB is refused, announced or not', async () => {
    const event = rig.fake.event('push', await push())
    const piece = new Uint8Array(1024 * 1024).fill(32)
    const stream = (pieces: number) => new ReadableStream({ pull: (out) => (pieces-- > 0 ? out.enqueue(piece) : out.close()) })
    expect((await post(event, {}, new Uint8Array(25 * 1024 * 1024 + 1))).status).toBe(413)
    expect((await post(event, {}, stream(26))).status).toBe(413)
    expect((await post(event, {}, stream(24))).status).toBe(401)
  })

  it('may be a form', async () => {
    const form = new URLSearchParams({ payload: JSON.stringify(await push()) }).toString()
    const signature = `sha256=${createHmac('sha256', rig.fake.app.webhookSecret).update(form).digest('hex')}`
    const headers = { ...rig.fake.event('push', {}).headers, 'x-hub-signature-256': signature, 'content-type': 'application/x-www-form-urlencoded' }
    expect(await post({ headers, rawBody: Buffer.from(form) })).toEqual({ status: 202, json: { stored: 1 } })
    const { 'content-type': _, ...rest } = headers
    expect((await post({ headers: { ...rest, 'content-type': 'application/json' }, rawBody: Buffer.from(form) })).json.error?.code).toBe('bad-delivery')
  })

  it('of an odd shape is taken and logged, not stored', async () => {
    const event = rig.fake.event('push', { ...(await push()), ref: 7 })
    expect(await post(event)).toEqual({ status: 202, json: { stored: 0 } })
    expect(rig.server.lines.some((line) => line.includes('not the shape') && line.includes('ref'))).toBe(true)
  })

  it('of an event that does not concern us is taken and forgotten', async () => {
    const before = await rows()
    for (const name of ['star', 'check_run', 'constructor', '__proto__', '']) expect((await post(rig.fake.event(name, await push()))).json).toEqual({ stored: 0 })
    expect(await rows()).toBe(before)
  })
})

describe('a delivery', () => {
  it('is kept once, however often it comes at once', async () => {
    const event = rig.fake.event('push', await push())
    const answers = await Promise.all(Array.from({ length: 5 }, () => post(event)))
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202])
    expect(answers.reduce((sum, { json }) => sum + (json.stored ?? 0), 0)).toBe(1)
    const { id } = (await rig.rowOf(event.guid))!
    expect(rig.queued.filter(({ payload }) => (payload as { inboxId?: string }).inboxId === id)).toHaveLength(1)
  })

  it('that comes again a minute, a day and six days later is known', async () => {
    const event = rig.fake.event('push', await push())
    await post(event)
    const row = (await rig.rowOf(event.guid))!
    await finish(db, row.id, (await claim(db, row.id)) as number, 'synced')
    for (const age of ['1 minute', '25 hours', '6 days']) {
      await db.control((tx) => tx.execute(`update inbox set received_at = now() - interval '${age}', updated_at = now() - interval '${age}', done_at = now() - interval '${age}' where id = $1`, [row.id]))
      await purge(db, new Date(Date.now() - inboxDays * 86_400_000))
      expect((await post(event)).json, age).toEqual({ stored: 0 })
    }
    expect(rig.queued.filter(({ payload }) => (payload as { inboxId?: string }).inboxId === row.id)).toHaveLength(1)
  })

  it('that failed is carried out again when it is sent again', async () => {
    const event = rig.fake.event('push', await push())
    await post(event)
    const row = (await rig.rowOf(event.guid))!
    await fail(db, row.id, (await claim(db, row.id)) as number, 'internal')
    expect((await post(event)).json).toEqual({ stored: 1 })
    const again = (await rig.rowOf(event.guid))!
    // Its time begins anew: what is old is given up sooner.
    expect([again.state, again.receivedAt > row.receivedAt]).toEqual(['accepted', true])
    expect((await post(event)).json).toEqual({ stored: 0 })
  })

  it('of an installation that belongs to nobody is not kept, and the log names the fix', async () => {
    const stranger = await rig.fake.addInstallation({ account: 'stranger' })
    const before = await rows()
    expect((await post(rig.fake.event('installation', rig.fake.payloads.installation('created', stranger)))).json).toEqual({ stored: 0 })
    expect(await rows()).toBe(before)
    expect(rig.server.lines.some((line) => line.includes(`npm run tenant -- connect NAME github:${stranger.id}`))).toBe(true)
  })

  it('keeps of what people write only what is said to Nura', async () => {
    const issue = await app.openIssue({ author: 'ada', title: 'Secret title', body: 'a secret body' })
    const [idle, asked] = [await issue.comment('ada', 'the plan is secret'), await issue.comment('ada', '@nura where is a?')]
    const [first, second] = [idle, asked].map((comment) => rig.fake.event('issue_comment', rig.fake.payloads.issueComment('created', app, issue, comment)))
    expect((await post(first!)).json).toEqual({ stored: 0 })
    expect((await post(second!)).json).toEqual({ stored: 1 })
    const { payload } = (await rig.rowOf(second!.guid))!
    expect(payload).toMatchObject({ kind: 'mention', surface: 'issue', number: issue.number, commentId: asked.id, body: '@nura where is a?' })
    expect(JSON.stringify(payload)).not.toMatch(/secret/i)
  })

  it('that could not be stored is 503, so that GitHub shows it as failed', async () => {
    const control = () => Promise.reject(new NuraError('store-unavailable', 'The database does not answer.', { retryable: true }))
    const take = createWebhook({ db: { ...db, control }, github: rig.github, enqueue: async () => undefined, log: rig.server.parts.log, tenant: 'x' })
    const server = await openTestServer(db, { takeDelivery: take })
    expect(await rig.fake.deliver(`${server.url}/github/webhooks`, rig.fake.event('push', await push()))).toBe(503)
    await server.close()
  })

  it('is 404 where no App is configured', async () => {
    const server = await openTestServer(db)
    expect(await rig.fake.deliver(`${server.url}/github/webhooks`, rig.fake.event('push', await push()))).toBe(404)
    await server.close()
  })
})

describe('while GitHub and the queue hang', () => {
  it('deliveries are taken; only what may name the App otherwise is asked for again', async () => {
    const silent = createServer(() => undefined)
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const apiUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const identity = async () => (await fetch(`${apiUrl}/app`)).json() as Promise<{ id: number; slug: string; name: string }>
    const take = createWebhook({ db, github: { config: { ...rig.github.config, apiUrl }, identity }, enqueue: () => new Promise(() => undefined), log: rig.server.parts.log, tenant: 'x', identityMs: 50 })
    const server = await openTestServer(db, { takeDelivery: take })
    const issue = await app.openIssue({ author: 'ada' })
    const say = async (text: string) => rig.fake.event('issue_comment', rig.fake.payloads.issueComment('created', app, issue, await issue.comment('ada', text)))
    const statuses = []
    for (const event of [rig.fake.event('push', await push()), await say('@nura why?'), await say('plain words'), await say('@grace please')]) {
      statuses.push(await rig.fake.deliver(`${server.url}/github/webhooks`, event))
    }
    expect(statuses).toEqual([202, 202, 202, 503])
    await server.close()
    silent.closeAllConnections()
    await new Promise((resolve) => silent.close(resolve))
  })
})

it('takes the first mention after a start although GitHub takes its time to say what the App is called', async () => {
  const identity = async () => {
    await sleep(400)
    return { id: 1, slug: 'nura-of-acme', name: 'Nura of Acme' }
  }
  const take = createWebhook({ db, github: { config: rig.github.config, identity }, enqueue: async () => undefined, log: rig.server.parts.log, tenant: 'x' })
  const server = await openTestServer(db, { takeDelivery: take })
  const issue = await app.openIssue({ author: 'ada' })
  const mention = rig.fake.event('issue_comment', rig.fake.payloads.issueComment('created', app, issue, await issue.comment('ada', '@nura-of-acme why?')))
  expect(await rig.fake.deliver(`${server.url}/github/webhooks`, mention)).toBe(202)
  expect(await rig.rowOf(mention.guid)).toMatchObject({ kind: 'mention' })
  await server.close()
})
