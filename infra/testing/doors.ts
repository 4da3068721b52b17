import { createHmac, randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { SignJWT } from 'jose'
import { signAsSlack } from '#bot/testing/sign-as-slack.ts'
import { clickEvent, commandEvent, deleteEvent, editEvent, say, slackEvent, submitEvent, toEnvelope } from '#bot/testing/slack-event.ts'
import { changeActivity, clickActivity, installationActivity, messageActivity } from '#bot/testing/teams-activity.ts'
import { routes } from '#server/routes/index.ts'
import { spokenEvents } from '#server/github/read-delivery.ts'
import { mutationsOf } from '#server/testing/mutations-of.ts'
import { requestsTo } from '#server/testing/requests-to.ts'
import { send } from './send.ts'
import type { Sent } from './send.ts'
import type { EveryDoor } from './start-every-door.ts'

// Node wants to be told that JSON is JSON, which the package's own entry does not.
const examples = createRequire(import.meta.url)('@octokit/webhooks-examples/api.github.com/index.json') as { name: string; examples: Record<string, unknown>[] }[]

/** A way into a running Nura, and what may come through it. */
export type Door = {
  readonly name: string
  readonly of: 'api' | 'bot'
  /** Requests without what makes them genuine; they are drawn, and shrunk, as data. */
  readonly drafts: fc.Arbitrary<Draft>
  /** Signs what was drawn, as the other side would at this moment. */
  sign(draft: Draft): Promise<Sent>
}

/** What is sent once it is signed, and what is wrong with it beside what it says. */
export type Draft = { odd: Odd } & Sent

/** What is wrong with a request beside what it says; most have nothing wrong. */
type Odd = 'none' | 'unsigned' | 'method' | 'type' | 'encoding' | 'gzip' | 'utf-8' | 'cut' | 'chunked' | 'long header' | 'many headers' | 'accept'
const odds = fc.oneof({ weight: 6, arbitrary: fc.constant<Odd>('none') }, { weight: 1, arbitrary: fc.constantFrom<Odd>('unsigned', 'method', 'type', 'encoding', 'gzip', 'utf-8', 'cut', 'chunked', 'long header', 'many headers', 'accept') })

/** Every route of the API, every webhook with payloads as the platforms send them, and the pages of OAuth. */
export async function listDoors(nura: EveryDoor): Promise<Door[]> {
  const good = await goodRequests(nura)
  const api = routes.map((route) => {
    const headers = { 'content-type': 'application/json' }
    const fromSchema = requestsTo(route).map((each) => ({ ...each, method: route.method, headers }))
    const nearGood = (good[`${route.method} ${route.path}`] ?? []).map(({ path, body, ...rest }) => {
      const bodies = typeof body === 'object' ? mutationsOf(body).map((changed) => JSON.stringify(changed)) : fc.constant(body)
      return bodies.map((changed): Sent => ({ path, method: route.method, headers, ...rest, body: changed }))
    })
    const drawn = fc.oneof(fromSchema, ...nearGood)
    // The tenant is wanted for the other routes: whoever is to be deleted here does not exist.
    const tenant = route.path === '/v1/tenant' ? 'nobody' : 'local'
    return defineDoor(`${route.method} ${route.path}`, 'api', drawn, async () => ({ ...(route.auth === 'tenant' && { authorization: await toBearer(nura.serviceSecret, tenant) }) }))
  })
  const json = { 'content-type': 'application/json' }
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const bySlack = async ({ body = '' }: Sent) => signAsSlack(nura.signingSecret, body)
  const slack = [
    defineDoor('Slack events', 'bot', payloads(slackEvents(nura)).map((payload) => ({ ...post('/slack/events', json), body: JSON.stringify(payload) })), bySlack),
    defineDoor('Slack interactions', 'bot', payloads(slackInteractions(nura)).map((payload) => ({ ...post('/slack/events', form), body: toForm({ payload: JSON.stringify(payload) }) })), bySlack),
    defineDoor('Slack commands', 'bot', payloads([commandEvent(nura.slack.workspace, 'help'), commandEvent(nura.slack.workspace, 'ask where is the webhook?')]).map((payload) => ({ ...post('/slack/events', form), body: toForm(payload) })), bySlack),
    ...['/slack/install', '/slack/oauth_redirect'].map((path) => defineDoor(`GET ${path}`, 'bot', queries(['code', 'state', 'error']).map((query) => ({ method: 'GET', path: `${path}?${query}`, headers: { cookie: 'slack-app-oauth-state=x' } })), async () => ({}))),
  ]
  const activities = teamsActivities(nura)
  // One signature serves all: it is over the address that is named, not over the body.
  const teamsToken = `Bearer ${await nura.identity.sign({ serviceurl: nura.serviceUrl })}`
  const teams = defineDoor('Teams activities', 'bot', payloads(activities).map((payload) => ({ ...post('/api/messages', json), body: JSON.stringify(payload) })), async () => ({ authorization: teamsToken }))
  const deliveries = await githubDeliveries(nura)
  const drawn = fc.constantFrom(...deliveries).chain(({ name, payload }) => fc.tuple(fc.oneof({ weight: 9, arbitrary: fc.constant(name) }, { weight: 1, arbitrary: fc.constantFrom('', '__proto__', 'constructor', 'push') }), mutationsOf(payload)))
  const github = defineDoor('GitHub deliveries', 'api', drawn.map(([name, payload]) => ({ ...post('/github/webhooks', { ...json, 'x-github-event': name }), body: JSON.stringify(payload) })), async ({ body = '' }) => ({
    'x-github-delivery': randomUUID(),
    'x-hub-signature-256': `sha256=${createHmac('sha256', nura.github.app.webhookSecret).update(body).digest('hex')}`,
  }))
  return [...api, ...slack, teams, github]
}

type Good = { path: string; body?: object | string; headers?: Record<string, string> }

/** Requests that are answered as asked, by route: schemas alone seldom hit upon one. */
async function goodRequests(nura: EveryDoor): Promise<Record<string, Good[]>> {
  const call = async (path: string, body?: object) => {
    const headers = { 'content-type': 'application/json', authorization: await toBearer(nura.serviceSecret, 'local') }
    const { text } = await send(nura.url('api'), { method: body ? 'POST' : 'GET', path, headers, ...(body && { body: JSON.stringify(body) }) })
    return JSON.parse(text) as { answerId: string; repositories: { id: string }[] }
  }
  const question = 'where do webhooks arrive?'
  const asked = { question, thread: 'a-thread', audience: { kind: 'person', id: 'slack:T1:U1' }, timeZone: 'Europe/Berlin', context: [{ author: 'ada', text: 'see the readme', trusted: true }] }
  const { answerId } = await call('/v1/ask', { question })
  const { repositories } = await call('/v1/repositories')
  return {
    'POST /v1/ask': [{ path: '/v1/ask', body: asked }, { path: '/v1/ask', body: { question } }],
    'POST /v1/search': [{ path: '/v1/search', body: { question, limit: 3 } }],
    'GET /v1/repositories/:id': repositories.map(({ id }) => ({ path: `/v1/repositories/${id}` })),
    'POST /v1/repositories': [{ path: '/v1/repositories', body: { source: 'confluence', url: nura.serviceUrl, place: 'ENG', token: 'a-token', audience: 'tenant' } }],
    'POST /v1/documents': [{ path: '/v1/documents?name=handbook.md', body: '# Handbook\n\nHolidays are in summer.\n', headers: { 'content-type': 'text/markdown' } }],
    'GET /v1/answers/:id': [{ path: `/v1/answers/${answerId}` }],
    'POST /v1/answers/:id/feedback': [{ path: `/v1/answers/${answerId}/feedback`, body: { verdict: 'down', reason: 'wrong' } }],
    'GET /v1/threads/:key': [{ path: '/v1/threads/a-thread' }],
  }
}

function defineDoor(name: string, of: 'api' | 'bot', requests: fc.Arbitrary<Sent>, toSignature: (sent: Sent) => Promise<Record<string, string>>): Door {
  return {
    name,
    of,
    drafts: fc.tuple(requests, odds).map(([sent, odd]) => ({ odd, ...sent })),
    async sign({ odd, ...sent }) {
      // The signature is over the bytes as they go, so that what stands behind it is reached.
      const changed = spoil(sent, odd)
      return { ...changed, headers: { ...(odd === 'unsigned' ? {} : await toSignature(changed)), ...changed.headers } }
    },
  }
}

function spoil(sent: Sent, odd: Odd): Sent {
  const bytes = Buffer.from(sent.body ?? '')
  const wearing = (headers: Record<string, string>): Sent => ({ ...sent, headers: { ...sent.headers, ...headers } })
  switch (odd) {
    case 'method':
      return { ...sent, method: 'PUT' }
    case 'type':
      return wearing({ 'content-type': 'multipart/form-data; boundary=;charset=\u00ff' })
    case 'encoding':
      return wearing({ 'content-encoding': 'gzip' })
    case 'gzip':
      return { ...wearing({ 'content-encoding': 'gzip' }), body: gzipSync(bytes) }
    case 'utf-8':
      return { ...sent, body: Buffer.concat([bytes, Buffer.from([0xff, 0xfe, 0xc0])]) }
    case 'cut':
      return { ...sent, body: bytes.subarray(0, bytes.length >> 1) }
    case 'chunked':
      return { ...sent, chunked: true }
    case 'long header':
      // Node closes right after its answer to this: a body that is still on its way would never hear it.
      return { ...wearing({ 'x-long': 'x'.repeat(20_000) }), body: undefined }
    case 'many headers':
      // Of more than a hundred Node drops the rest, the host among them, and closes likewise.
      return { ...wearing(Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`x-many-${at}`, '1']))), body: undefined }
    case 'accept':
      return wearing({ accept: 'text/event-stream', traceparent: '00-zz', 'x-nura-trace': "'; drop" })
    default:
      return sent
  }
}

const post = (path: string, headers: Record<string, string>) => ({ method: 'POST', path, headers })
const payloads = (list: readonly unknown[]) => fc.constantFrom(...list).chain(mutationsOf)

function toForm(payload: unknown): string {
  if (typeof payload !== 'object' || payload === null) return String(payload)
  return new URLSearchParams(Object.entries(payload).map(([key, value]): [string, string] => [key, typeof value === 'string' ? value.toWellFormed() : (JSON.stringify(value) ?? '')])).toString()
}

function queries(names: string[]): fc.Arbitrary<string> {
  const value = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.constantFrom('', '\0', '../..', '<script>', 'x'.repeat(5_000)))
  return fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 4 }).map((pairs) => new URLSearchParams(pairs.map(([name, text]): [string, string] => [name, text.toWellFormed()])).toString())
}

function slackEvents({ slack: { workspace } }: EveryDoor): Record<string, unknown>[] {
  const mention = say(workspace, { text: `<@${workspace.botUserId}> where do webhooks arrive?` })
  const direct = say(workspace, { channel: 'D0ALICE', text: 'where do webhooks arrive?' })
  const written = say(workspace, { text: 'a thought', files: [{ id: 'F1', name: 'a.txt' }] as never })
  const gone = say(workspace, { text: 'never mind' })
  return [
    slackEvent(workspace, mention, 'app_mention'),
    slackEvent(workspace, direct),
    slackEvent(workspace, written),
    editEvent(workspace, say(workspace, { text: 'before' }), `<@${workspace.botUserId}> after?`),
    deleteEvent(workspace, gone),
    toEnvelope(workspace, { type: 'app_home_opened', user: 'U0ALICE', channel: 'D0ALICE', tab: 'messages', event_ts: workspace.nextTs() }),
    toEnvelope(workspace, { type: 'assistant_thread_started', assistant_thread: { user_id: 'U0ALICE', channel_id: 'D0ALICE', thread_ts: workspace.nextTs(), context: {} }, event_ts: workspace.nextTs() }),
    toEnvelope(workspace, { type: 'agent_session_stopped', channel: 'C0GENERAL', user: 'U0ALICE', thread_ts: mention.ts, event_ts: workspace.nextTs() }),
    toEnvelope({ ...workspace, teamId: 'T0ELSE' }, { type: 'tokens_revoked', tokens: { bot: ['U0NURABOT'], oauth: [] } }),
    { type: 'url_verification', challenge: 'c-123', token: 't' },
  ]
}

function slackInteractions({ slack: { workspace } }: EveryDoor): Record<string, unknown>[] {
  const answer = say(workspace, { text: 'an answer', user: workspace.botUserId })
  return [
    clickEvent(workspace, answer, { actionId: 'sources', value: 'x' }),
    clickEvent(workspace, answer, { actionId: 'why', value: '{"answer":"00000000-0000-4000-8000-000000000000"}' }),
    submitEvent(workspace, { type: 'modal', callback_id: 'feedback', private_metadata: '{}' }, 'wrong'),
    { type: 'shortcut', callback_id: 'x', team: { id: workspace.teamId }, user: { id: 'U0ALICE' }, trigger_id: 't' },
  ]
}

function teamsActivities({ serviceUrl }: EveryDoor): Record<string, unknown>[] {
  const asked = messageActivity({ text: 'where do webhooks arrive?', serviceUrl })
  return [
    asked,
    messageActivity({ text: 'and in private?', where: 'personal', serviceUrl }),
    changeActivity(asked, { text: 'changed' }),
    changeActivity(asked, 'delete'),
    changeActivity(asked, 'undelete'),
    installationActivity('add', { serviceUrl }),
    clickActivity({ verb: 'sources', value: 'x' }, { message: '1', serviceUrl }),
    clickActivity({ reaction: 'like' }, { message: '1', serviceUrl }),
  ]
}

/** Deliveries of our own installation from the fake, and those that GitHub publishes, as if they were ours. */
async function githubDeliveries({ github, shop }: EveryDoor): Promise<{ name: string; payload: unknown }[]> {
  const head = await shop.git('rev-parse', 'HEAD')
  const issue = await shop.openIssue({ title: 'A question', author: 'acme' })
  const comment = await issue.comment('acme', '@nura where is the card charged?')
  const installation = [...github.world.installations.keys()][0]!
  const published = examples.filter(({ name }) => spokenEvents.has(name) || name === 'push')
  return [
    { name: 'push', payload: await github.payloads.push(shop, { ref: 'refs/heads/main', before: head, after: head }) },
    { name: 'issue_comment', payload: github.payloads.issueComment('created', shop, issue, comment) },
    { name: 'issues', payload: github.payloads.issues('opened', shop, issue) },
    ...published.flatMap(({ name, examples: list }) => list.slice(0, 2).map((payload) => ({ name, payload: { ...payload, installation: { id: installation } } }))),
  ]
}

async function toBearer(secret: string, tenant: string): Promise<string> {
  const claims = new SignJWT({ tenant }).setProtectedHeader({ alg: 'HS256' })
  return `Bearer ${await claims.setAudience('nura').setSubject('ada').setExpirationTime('5 min').sign(new TextEncoder().encode(secret))}`
}
