import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findInstallation } from '#db/shared/slack-installations.ts'
import { openTestDb } from '#db/testing/open-test-db.ts'
import { shortAnswer } from '../testing/fake-ask-server.ts'
import { openTestBot, signingSecret } from '../testing/open-test-bot.ts'
import type { TestBot } from '../testing/open-test-bot.ts'
import { signAsSlack } from '../testing/sign-as-slack.ts'
import { commandEvent, say, slackEvent, toEnvelope, toRequest } from '../testing/slack-event.ts'

let db: Awaited<ReturnType<typeof openTestDb>>
let nura: TestBot
beforeAll(async () => {
  db = await openTestDb()
  nura = await openTestBot(db)
})
afterAll(async () => {
  await nura?.close()
  await db?.close()
})

const post = (body: string | Buffer, headers: Record<string, string>) => fetch(`${nura.url}/slack/events`, { method: 'POST', body: body as string, headers: { 'content-type': 'application/json', ...headers } })
const countRows = async () => (await db.control((tx) => tx.query<{ rows: number }>('select count(*)::int as rows from inbox')))[0]?.rows

const mentionBody = () => JSON.stringify(slackEvent(nura.slack.workspace, say(nura.slack.workspace, { text: '<@U0NURABOT> hello?' }), 'app_mention'))

describe('a request that Slack did not sign', () => {
  const now = Date.now()
  const cases: [string, (body: string) => Record<string, string>][] = [
    ['has no headers', () => ({})],
    ['has no timestamp', (body) => ({ 'x-slack-signature': signAsSlack(signingSecret, body)['x-slack-signature'] ?? '' })],
    ['has another secret', (body) => signAsSlack('another-secret', body)],
    ['is six minutes old', (body) => signAsSlack(signingSecret, body, now - 6 * 60_000)],
    ['is six minutes ahead', (body) => signAsSlack(signingSecret, body, now + 6 * 60_000)],
    ['has a time that is no number', (body) => ({ ...signAsSlack(signingSecret, body), 'x-slack-request-timestamp': 'Infinity' })],
    ['has text after the hash', (body) => withSignature(body, (signature) => `${signature}=junk`)],
    ['is in upper case', (body) => withSignature(body, (signature) => signature.toUpperCase())],
    ['has two signatures', (body) => withSignature(body, (signature) => `${signature}, ${signature}`)],
    ['has an empty signature', (body) => withSignature(body, () => '')],
    ['has another version', (body) => withSignature(body, (signature) => signature.replace('v0', 'v1'))],
    ['is compressed', (body) => ({ ...signAsSlack(signingSecret, body), 'content-encoding': 'gzip' })],
    ['was written anew', (body) => signAsSlack(signingSecret, JSON.stringify(JSON.parse(body), null, 1))],
  ]
  it.each(cases)('is 401 and leaves no row when it %s', async (_, headers) => {
    const before = await countRows()
    const body = mentionBody()
    expect((await post(body, headers(body))).status).toBe(401)
    expect(await countRows()).toBe(before)
  })

  it('is 401 when the bytes are not those that were signed', async () => {
    const latin = Buffer.from(mentionBody().replace('hello', 'hällo'), 'latin1')
    expect((await post(latin, signAsSlack(signingSecret, latin.toString('latin1')))).status).toBe(401)
  })

  function withSignature(body: string, change: (signature: string) => string): Record<string, string> {
    const headers = signAsSlack(signingSecret, body)
    return { ...headers, 'x-slack-signature': change(headers['x-slack-signature'] ?? '') }
  }
})

describe('a signed request', () => {
  it('is 413 when it is too large, whether it says so or not', async () => {
    const body = 'x'.repeat(1024 * 1024 + 1)
    expect((await post(body, signAsSlack(signingSecret, body))).status).toBe(413)
    expect(await rawStatus(`POST /slack/events HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`)).toBe(413)
  })

  it.each(['not json', '[]', 'null', '"text"', '{"a":'])('is 400 when it is no payload: %s', async (body) => {
    expect((await post(body, signAsSlack(signingSecret, body))).status).toBe(400)
  })

  it.each([
    ['a channel that is none', (event: Record<string, unknown>) => ({ ...event, channel: {} })],
    ['no author', (event: Record<string, unknown>) => ({ ...event, user: null })],
    ['an id that is too long for any', (event: Record<string, unknown>) => ({ ...event, ts: '9'.repeat(5_000) })],
    ['text instead of an event', () => 'nothing'],
  ])('is taken and forgotten when the event has %s', async (_, change) => {
    const before = await countRows()
    const { event, ...envelope } = JSON.parse(mentionBody()) as { event: Record<string, unknown> }
    const body = JSON.stringify({ ...envelope, event: change(event) })
    expect((await post(body, signAsSlack(signingSecret, body))).status).toBe(200)
    expect(await countRows()).toBe(before)
  })

  it.each([
    ['a form without a name', { type: 'view_submission', user: { id: 'U0ALICE' }, team: { id: 'T0NURA001' }, view: { private_metadata: 'a b c' } }],
    ['a click of nobody', { type: 'block_actions', team: { id: 'T0NURA001' }, actions: [{ action_id: 'why' }] }],
    ['a team that is text', { type: 'block_actions', team: 'T0NURA001', user: { id: 'U0ALICE' }, actions: [{}] }],
    ['a command of a team with U+0000 in it', { command: '/nura', text: 'help', team_id: '\0', user_id: 'U0ALICE', channel_id: 'C0GENERAL' }],
  ])('is taken and forgotten when it is %s', async (_, payload) => {
    const before = await countRows()
    expect((await nura.send(payload)).status).toBe(200)
    expect(await countRows()).toBe(before)
  })

  it.each(['{}', '{"type":"event_callback"}', '{"type":"event_callback","event":{"type":"app_mention"}}', '{"type":"unheard_of","team_id":"T1"}', '{"__proto__":{"type":"event_callback"}}'])('is never 5xx, whatever it holds: %s', async (body) => {
    const before = await countRows()
    expect((await post(body, signAsSlack(signingSecret, body))).status).toBeLessThan(500)
    expect(await countRows()).toBe(before)
  })

  it('answers the challenge and the certificate check', async () => {
    const challenge = await fetch(`${nura.url}/slack/events`, toRequest(signingSecret, { type: 'url_verification', challenge: 'c-123' }))
    expect(await challenge.json()).toEqual({ challenge: 'c-123' })
    const check = 'ssl_check=1&token=x'
    expect((await post(check, { 'content-type': 'application/x-www-form-urlencoded', ...signAsSlack(signingSecret, check) })).status).toBe(200)
  })

  it('of a workspace without Nura is taken and ignored', async () => {
    const before = await countRows()
    const stranger = { ...nura.slack.workspace, teamId: 'T0STRANGER' }
    const response = await nura.send(slackEvent(stranger, say(nura.slack.workspace, { text: '<@U0NURABOT> hi?' }), 'app_mention', { authorizations: [] }))
    expect(response.status).toBe(200)
    expect(await countRows()).toBe(before)
  })

  it('names its tenant by the verified workspace alone', async () => {
    const other = await openTestBot(db)
    try {
      const message = say(nura.slack.workspace, { text: '<@U0NURABOT> whose?' })
      await nura.send(slackEvent(nura.slack.workspace, message, 'app_mention', { tenant: other.tenant.id, tenant_id: other.tenant.id }))
      await nura.idle()
      const rows = await db.control((tx) => tx.query<{ tenant: string }>(`select tenant_id as tenant from inbox where payload->>'id' = $1`, [message.ts]))
      expect(rows).toEqual([{ tenant: nura.tenant.id }])
    } finally {
      await other.close()
    }
  })
})

describe('while something is away', () => {
  it.each([
    ['hangs', (gate: Promise<void>) => gate],
    ['refuses', () => Promise.reject(new Error('queue away'))],
  ])('the queue that %s does not keep Slack waiting, and the row is there', async (_, queue) => {
    const gate = Promise.withResolvers<void>()
    // Never released before Slack has its answer: whoever waited for the queue would wait for ever.
    const own = await openTestBot(db, { queue: () => queue(gate.promise) })
    try {
      const message = say(own.slack.workspace, { text: '<@U0NURABOT> kept?' })
      expect((await own.send(slackEvent(own.slack.workspace, message, 'app_mention'))).status).toBe(200)
      const rows = await db.control((tx) => tx.query<{ state: string }>(`select state from inbox where tenant_id = $1`, [own.tenant.id]))
      expect(rows).toEqual([{ state: 'accepted' }])
    } finally {
      gate.resolve()
      await own.close()
    }
  })

  it('Slack itself at our start, nothing is taken: Slack sends it again', async () => {
    const own = await openTestBot(db)
    await own.bot.ready()
    own.slack.fail('auth.test', { kind: 'status', status: 503, commits: false }, 1)
    const late = await openTestBot(db, { beside: own })
    try {
      await expect(late.bot.ready()).rejects.toMatchObject({ code: 'slack-unready' })
      const message = say(own.slack.workspace, { text: '<@U0NURABOT> awake?' })
      expect((await late.send(slackEvent(own.slack.workspace, message, 'app_mention'))).status).toBe(503)
      expect(await db.control((tx) => tx.query('select 1 from inbox where tenant_id = $1', [own.tenant.id]))).toEqual([])
    } finally {
      await late.close()
      await own.close()
    }
  })
})

describe('Socket Mode', () => {
  it('takes the same payloads without a public address, and acknowledges what is stored', async () => {
    const own = await openTestBot(db, { env: { SLACK_SIGNING_SECRET: undefined, SLACK_APP_TOKEN: 'xapp-1-fake' } })
    try {
      own.server.script = () => shortAnswer()
      await expect.poll(() => own.bot.ready().then(() => 'ready', () => 'not yet')).toBe('ready')
      const { socket, workspace } = own.slack
      const question = say(workspace, { text: '<@U0NURABOT> over the socket?' })
      const payload = slackEvent(workspace, question, 'app_mention')
      for (const retry of [0, 1]) socket.send({ type: 'events_api', envelope_id: `e-${retry}`, payload, accepts_response_payload: false, retry_attempt: retry, retry_reason: retry ? 'timeout' : '' })
      await expect.poll(() => socket.acknowledgements.map(({ envelope_id: id }) => id).sort()).toEqual(['e-0', 'e-1'])
      await own.idle()
      expect(own.seen(question.ts)).toHaveLength(1)
      socket.send({ type: 'slash_commands', envelope_id: 'e-2', payload: commandEvent(workspace, 'help', { response_url: own.slack.responseUrl() }), accepts_response_payload: true })
      await expect.poll(() => own.slack.responses).toHaveLength(1)
      expect((await fetch(`${own.url}/slack/events`, toRequest(signingSecret, payload))).status).toBe(404)
    } finally {
      await own.close()
    }
    expect(own.slack.socket.connections).toBe(0)
  })
})

describe('many workspaces', () => {
  let many: TestBot
  beforeAll(async () => {
    many = await openTestBot(db, { env: { SLACK_BOT_TOKEN: undefined, SLACK_CLIENT_ID: 'client-1', SLACK_CLIENT_SECRET: 'client-secret', SLACK_STATE_SECRET: 'state-secret' } })
  })
  afterAll(() => many?.close())

  const install = () => fetch(`${many.url}/slack/install`, { redirect: 'manual' })
  const cookieOf = (response: Response) => (response.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  const stateOf = (response: Response) => new URL(response.headers.get('location') ?? 'http://x').searchParams.get('state') ?? ''
  const redirect = (query: Record<string, string>, cookie = '') => fetch(`${many.url}/slack/oauth_redirect?${new URLSearchParams(query).toString()}`, { headers: { cookie } })

  async function complete(teamId: string): Promise<Response> {
    const begun = await install()
    const token = `xoxb-${teamId}-${Math.random()}`
    many.slack.workspace.tokens.add(token)
    many.slack.workspace.codes.set(teamId, {
      app_id: 'A0NURA', access_token: token, token_type: 'bot', scope: 'chat:write', bot_user_id: 'U0NURABOT', is_enterprise_install: false,
      team: { id: teamId, name: 'Acme' }, enterprise: null, authed_user: { id: 'U0ALICE' },
    })
    return await redirect({ code: teamId, state: stateOf(begun) }, cookieOf(begun))
  }
  const find = (teamId: string) => findInstallation(db, { teamId, enterpriseId: null })
  const workspace = (teamId: string) => ({ ...many.slack.workspace, teamId })
  const gone = (teamId: string, type: 'app_uninstalled' | 'tokens_revoked', at: number) =>
    many.send(toEnvelope(workspace(teamId), type === 'app_uninstalled' ? { type } : { type, tokens: { bot: ['U0NURABOT'], oauth: [] } }, { event_time: at, authorizations: [] }))
  const seconds = () => Math.floor(Date.now() / 1000)

  it('are installed by OAuth into a tenant of their own, with the token encrypted and the installer noted', async () => {
    const begun = await install()
    expect(begun.status).toBe(302)
    expect(new URL(begun.headers.get('location') ?? '').searchParams.get('scope')).toContain('app_mentions:read')
    expect((await complete('T0ACME')).status).toBe(200)
    const installation = await find('T0ACME')
    expect(installation).toMatchObject({ teamId: 'T0ACME', botUserId: 'U0NURABOT', installation: { installedBy: 'U0ALICE' } })
    const rows = await db.control((tx) => tx.query('select * from slack_installation'))
    expect(JSON.stringify(rows)).not.toContain('xoxb-T0ACME')
  })

  it('are answered with their own token', async () => {
    many.server.script = () => shortAnswer()
    const message = say(many.slack.workspace, { text: '<@U0NURABOT> here?' })
    expect((await many.send(slackEvent(workspace('T0ACME'), message, 'app_mention'))).status).toBe(200)
    await many.idle()
    expect(many.seen(message.ts)).toHaveLength(1)
    expect(many.slack.callsOf('chat.postMessage').at(-1)?.token).toMatch(/^xoxb-T0ACME/)
  })

  it('are not installed by a link that was used, forged, or belongs to another browser', async () => {
    const begun = await install()
    const [state, cookie] = [stateOf(begun), cookieOf(begun)]
    many.slack.workspace.codes.set('never', { app_id: 'A', access_token: 'xoxb-never', scope: 'chat:write', bot_user_id: 'U', team: { id: 'T0NEVER', name: 'n' }, enterprise: null, authed_user: { id: 'U' }, is_enterprise_install: false })
    expect((await redirect({ code: 'never', state })).status).toBe(400)
    expect((await redirect({ code: 'never', state }, 'slack-app-oauth-state=other')).status).toBe(400)
    expect((await redirect({ code: 'never', state: 'forged' }, 'slack-app-oauth-state=forged')).status).toBe(400)
    expect((await redirect({ code: 'wrong-code', state }, cookie)).status).toBe(400)
    expect((await redirect({ code: 'never', state }, cookie)).status).toBe(400)
    expect(await find('T0NEVER')).toBeNull()
  })

  it.each([['app_uninstalled', 'tokens_revoked'] as const, ['tokens_revoked', 'app_uninstalled'] as const])('lose their token when the app is removed: %s, then %s', async (first, second) => {
    await complete('T0GONE')
    expect(await find('T0GONE')).not.toBeNull()
    expect((await gone('T0GONE', first, seconds())).status).toBe(200)
    expect((await gone('T0GONE', second, seconds())).status).toBe(200)
    expect(await find('T0GONE')).toBeNull()
    const message = say(many.slack.workspace, { text: '<@U0NURABOT> still here?' })
    expect((await many.send(slackEvent(workspace('T0GONE'), message, 'app_mention'))).status).toBe(200)
    await many.idle()
    expect(many.seen(message.ts)).toEqual([])
  })

  it('keep a new installation when news of the old one arrive late', async () => {
    await complete('T0AGAIN')
    await gone('T0AGAIN', 'app_uninstalled', seconds() - 60)
    await gone('T0AGAIN', 'tokens_revoked', seconds() - 60)
    expect(await find('T0AGAIN')).not.toBeNull()
  })
})

async function rawStatus(request: string): Promise<number> {
  const socket = connect(Number(new URL(nura.url).port), '127.0.0.1')
  return await new Promise((resolve, reject) => {
    socket.once('data', (data) => {
      resolve(Number(data.toString().split(' ')[1]))
      socket.destroy()
    })
    socket.once('error', reject)
    socket.write(request)
  })
}
