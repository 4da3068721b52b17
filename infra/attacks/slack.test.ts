import type { OutgoingHttpHeaders } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { toVisible } from '#bot/testing/fake-slack-methods.ts'
import type { FakeMessage } from '#bot/testing/fake-slack-methods.ts'
import { signAsSlack } from '#bot/testing/sign-as-slack.ts'
import { clickEvent, commandEvent, say, slackEvent, submitEvent, toRequest } from '#bot/testing/slack-event.ts'
import type { Said } from '#bot/testing/slack-event.ts'
import { postRaw } from '../testing/post-raw.ts'
import { startProcess } from '../testing/processes.ts'
import type { NuraProcess } from '../testing/processes.ts'
import { startSlackDeployment } from '../testing/start-slack-deployment.ts'
import type { SlackDeployment } from '../testing/start-slack-deployment.ts'
import { until } from '../testing/until.ts'

/** Whole processes start and are waited for here, on machines that do other things too. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 400_000 })

/** Whoever is not Slack, not of the workspace or not a person, against running processes. */
const mention = '<@U0NURABOT>'
const fact = 'The vault of the depot opens with the phrase periwinkle.'
let nura: SlackDeployment
/** Serves any workspace that installs it, each as a tenant of its own. */
let many: NuraProcess
beforeAll(async () => {
  nura = await startSlackDeployment({ files: { 'docs/vault.md': `# The vault of the depot\n\n${fact}\n` }, env: { NURA_LIMIT_ASKER: 'off', NURA_LIMIT_CHANNEL: 'off', NURA_LIMIT_TENANT: 'off' } })
  many = await nura.startApart({ SLACK_BOT_TOKEN: '', SLACK_CLIENT_ID: 'client-1', SLACK_CLIENT_SECRET: 'client-secret', SLACK_STATE_SECRET: 'state-secret' })
})
afterAll(() => nura?.close())

const question = `${mention} which phrase opens the vault of the depot?`
const workspace = () => nura.slack.workspace
const repliesTo = (root: string) => workspace().messages.filter(({ thread_ts, bot_id }) => thread_ts === root && bot_id === workspace().botId)

/** What somebody asks honestly is answered, and once that is done everything that came before it has been done too. */
async function answered(): Promise<FakeMessage> {
  const asked = await nura.ask('which phrase opens the vault of the depot?')
  const reply = await nura.finished(asked)
  expect(toVisible(reply)).toContain('periwinkle')
  return reply
}

const post = (body: string | Buffer, headers: OutgoingHttpHeaders) => postRaw(`${nura.url}/slack/events`, body, { 'content-type': 'application/json', ...headers })

describe('T20: what Slack did not sign', () => {
  // When the processes are up: that may take minutes.
  let now: number
  beforeAll(() => void (now = Date.now()))
  const signed = (body: string | Buffer, at = now) => signAsSlack(nura.signingSecret, body, at)
  const signature = (body: string) => signed(body)['x-slack-signature'] ?? ''
  const withSignature = (body: string, ...signatures: string[]) => ({ ...signed(body), 'x-slack-signature': signatures })
  const withTime = (body: string, ...times: string[]) => ({ ...signed(body), 'x-slack-request-timestamp': times })

  const cases: Record<string, (body: string) => OutgoingHttpHeaders> = {
    'no headers': () => ({}),
    'no timestamp': (body) => ({ 'x-slack-signature': signature(body) }),
    'no signature': (body) => withSignature(body),
    'an empty signature': (body) => withSignature(body, ''),
    'another secret': (body) => signAsSlack('another secret altogether', body),
    'no secret': (body) => signAsSlack('', body),
    'six minutes old': (body) => signed(body, now - 6 * 60_000),
    'six minutes ahead': (body) => signed(body, now + 6 * 60_000),
    'a time of infinity': (body) => withTime(body, 'Infinity'),
    'a time that is no number': (body) => withTime(body, 'NaN'),
    'a time in milliseconds': (body) => withTime(body, String(now)),
    'a time with a sign': (body) => withTime(body, `+${signed(body)['x-slack-request-timestamp']}`),
    'an empty time': (body) => withTime(body, ''),
    'the time twice': (body) => withTime(body, ...Array<string>(2).fill(signed(body)['x-slack-request-timestamp'] ?? '')),
    'in upper case': (body) => withSignature(body, signature(body).toUpperCase()),
    'the hash in upper case': (body) => withSignature(body, `v0=${signature(body).slice(3).toUpperCase()}`),
    'the signature twice': (body) => withSignature(body, signature(body), signature(body)),
    'a wrong signature, then the right one': (body) => withSignature(body, `v0=${'0'.repeat(64)}`, signature(body)),
    'two signatures in one': (body) => withSignature(body, `${signature(body)},${signature(body)}`),
    'text after the hash': (body) => withSignature(body, `${signature(body)}=junk`),
    'another version': (body) => withSignature(body, signature(body).replace('v0', 'v1')),
    'no version': (body) => withSignature(body, signature(body).slice(3)),
    'half of the hash': (body) => withSignature(body, signature(body).slice(0, 35)),
    'the signature of another body': (body) => signed(`${body} `),
    'JSON that was written anew': (body) => signed(JSON.stringify(JSON.parse(body), null, 1)),
    'the sign of being compressed': (body) => ({ ...signed(body), 'content-encoding': 'gzip' }),
  }

  test('T20: is 401 and nothing comes of it, whatever it looks like', async () => {
    const asked: string[] = []
    const body = () => {
      const message = say(workspace(), { text: question })
      asked.push(message.ts)
      return JSON.stringify(slackEvent(workspace(), message, 'app_mention'))
    }
    const got = await Promise.all(
      Object.entries(cases).map(async ([name, headers]) => {
        const sent = body()
        return [name, await post(sent, headers(sent))]
      }),
    )
    expect(Object.fromEntries(got)).toEqual(Object.fromEntries(Object.keys(cases).map((name) => [name, 401])))

    const packed = body()
    expect(await post(gzipSync(packed), { ...signed(packed), 'content-encoding': 'gzip' })).toBe(401)
    const latin = body().replace('phrase', 'Schlüssel')
    expect(await post(Buffer.from(latin, 'latin1'), signed(latin))).toBe(401)

    await answered()
    expect(asked.flatMap(repliesTo)).toEqual([])
  })

  test('T20: a process without the secret that tells Slack from others does not start', async () => {
    const env = { SLACK_SIGNING_SECRET: '', SLACK_BOT_TOKEN: 'xoxb-fake-token', NURA_SERVICE_SECRET: 's'.repeat(40), NURA_SERVER_URL: nura.apiUrl }
    await expect(startProcess('bot/main.ts', env)).rejects.toThrow('SLACK_SIGNING_SECRET: is missing')
  })
})

describe('T21: what Slack signed once', () => {
  test('T21: is done once, though it comes a hundred times to two processes', async () => {
    // Embedded stores have one process: it stands for both.
    const urls = [nura.url, nura.apiUrl === nura.url ? nura.url : (await nura.startBeside({})).url]
    /** Slack sends again what was too much at once. */
    const take = async (url: string, request: RequestInit): Promise<number> => {
      const { status } = await fetch(`${url}/slack/events`, request)
      return status === 503 ? take(url, request) : status
    }
    const hundredfold = async (payload: Record<string, unknown>) => {
      const again = toRequest(nura.signingSecret, payload)
      return new Set(await Promise.all(Array.from({ length: 100 }, (_, at) => take(urls[at % 2]!, again))))
    }
    const message = say(workspace(), { text: question })
    expect(await hundredfold(slackEvent(workspace(), message, 'app_mention'))).toEqual(new Set([200]))
    const reply = await nura.finished(message)

    const views = workspace().views.length
    expect(await hundredfold(clickEvent(workspace(), reply, { actionId: 'why', value: inboxIdOf(reply) }))).toEqual(new Set([200]))
    await until('the form to open', () => workspace().views.length > views)

    const responses = nura.slack.responses.length
    expect(await hundredfold(commandEvent(workspace(), 'privacy', { response_url: nura.slack.responseUrl() }))).toEqual(new Set([200]))
    await until('the answer to the command', () => nura.slack.responses.length > responses)

    const lenses = repliesTo(message.ts).length
    expect(await hundredfold(clickEvent(workspace(), reply, { actionId: 'lens', value: `pm ${inboxIdOf(reply)}` }))).toEqual(new Set([200]))
    await until('the answer to be told again', () => repliesTo(message.ts).length > lenses)

    await answered()
    expect({ replies: repliesTo(message.ts).length, views: workspace().views.length - views, responses: nura.slack.responses.length - responses }).toEqual({ replies: 2, views: 1, responses: 1 })
  })
})

describe('T37: a bot', () => {
  const bots: Record<string, Said> = {
    'another bot': { bot_id: 'B0OTHER', user: 'U0OTHERBOT' },
    'an app that writes as a person': { app_id: 'A0OTHER' },
    'Slackbot': { user: 'USLACKBOT' },
    'Nura itself': { user: 'U0NURABOT' },
  }

  test('T37: gets no reply, neither to a mention, nor in a thread that Nura takes part in, nor to an edit', async () => {
    const reply = await answered()
    const followed = reply.thread_ts!
    const roots: string[] = []
    for (const bot of Object.values(bots)) {
      const root = say(workspace(), { ...bot, text: question })
      const inThread = say(workspace(), { ...bot, text: 'which phrase opens the vault of the depot?', thread: followed })
      const edited = { type: 'message', subtype: 'message_changed', channel: root.channel, channel_type: 'channel', ts: workspace().nextTs(), message: { ...root, type: 'message', edited: { user: root.user, ts: workspace().nextTs() } }, previous_message: { ...root, text: 'before' } }
      const events = [slackEvent(workspace(), root, 'app_mention'), slackEvent(workspace(), root), slackEvent(workspace(), inThread), { ...slackEvent(workspace(), root), event: edited }, { ...slackEvent(workspace(), root), event: { ...root, type: 'message', subtype: 'bot_message' } }]
      for (const event of events) expect((await nura.send(event)).status).toBe(200)
      roots.push(root.ts)
    }
    await answered()
    expect(roots.flatMap(repliesTo)).toEqual([])
    expect(repliesTo(followed)).toHaveLength(1)
  })

  test('T37: that answers whatever Nura says does not get it to go on', async () => {
    const reply = await answered()
    for (let round = 0; round < 3; round++) {
      const echo = say(workspace(), { bot_id: 'B0OTHER', user: 'U0OTHERBOT', text: `${mention} ${toVisible(reply)} Is that so?`, thread: reply.thread_ts! })
      await nura.send(slackEvent(workspace(), echo, 'app_mention'))
      await nura.send(slackEvent(workspace(), echo))
    }
    await answered()
    expect(repliesTo(reply.thread_ts!)).toHaveLength(1)
  })
})

describe('T18: where outsiders read along', () => {
  const cases: Record<string, { channel?: Record<string, unknown>; envelope?: Record<string, unknown>; said?: Said }> = {
    'the event says that the channel is shared': { envelope: { is_ext_shared_channel: true } },
    'the author is of another workspace': { said: { user_team: 'T0OTHER' } },
    'Slack says that the channel is shared': { channel: { is_ext_shared: true } },
    'an invitation of outsiders is pending': { channel: { is_pending_ext_shared: true } },
    'another team is connected': { channel: { connected_team_ids: ['T0OTHER'] } },
  }

  test('T18: a question is refused politely, and to the asker alone; no source is read', async () => {
    const searches = await retrievals()
    const asked = await Promise.all(
      Object.values(cases).map(async ({ channel = {}, envelope = {}, said: how = {} }, at) => {
        const id = `C0SHARED${at}`
        workspace().channels.set(id, { id, name: id.toLowerCase(), is_member: true, ...channel })
        const message = say(workspace(), { channel: id, text: question, ...how })
        expect((await nura.send(slackEvent(workspace(), message, 'app_mention', envelope))).status).toBe(200)
        return message
      }),
    )
    for (const { channel, ts } of asked) {
      const told = await until(`a refusal in ${channel}`, () => workspace().ephemerals.find((each) => each.channel === channel))
      expect(told).toMatchObject({ user: 'U0ALICE', text: expect.stringContaining('shared with another organisation') as unknown })
      expect(repliesTo(ts)).toEqual([])
    }
    expect(await retrievals()).toEqual(searches)
  })

  test('T18: where Slack cannot tell who reads along, Nura says so and answers nothing', async () => {
    workspace().channels.set('C0UNSURE', { id: 'C0UNSURE', name: 'unsure', is_member: true })
    nura.slack.fail('conversations.info', { kind: 'status', status: 500, commits: false }, 9)
    const searches = await retrievals()
    const message = say(workspace(), { channel: 'C0UNSURE', text: question })
    await nura.send(slackEvent(workspace(), message, 'app_mention'))
    await until('a refusal', () => workspace().ephemerals.find(({ channel, text }) => channel === 'C0UNSURE' && text.includes('could not check')))
    expect(repliesTo(message.ts)).toEqual([])
    expect(await retrievals()).toEqual(searches)
  })

  test('T18: a guest and a stranger get nothing of the workspace in a direct message', async () => {
    const { teamId } = workspace()
    for (const [id, facts] of Object.entries({ U0GUEST: { is_restricted: true, team_id: teamId }, U0ULTRA: { is_ultra_restricted: true, team_id: teamId }, U0STRANGER: { is_stranger: true, team_id: 'T0OTHER' } })) {
      workspace().users.set(id, { id, name: id.toLowerCase(), ...facts })
      workspace().channels.set(`D${id}`, { id: `D${id}`, is_im: true, user: id })
      const message = say(workspace(), { channel: `D${id}`, user: id, text: 'which phrase opens the vault of the depot?' })
      await nura.send(slackEvent(workspace(), message))
      const seen = await until(`something said to ${id}`, () => [...repliesTo(message.ts).filter(({ streaming }) => !streaming).map(toVisible), ...workspace().ephemerals.filter(({ user }) => user === id).map(({ text }) => text)].join('\n') || undefined)
      expect(seen).not.toContain('periwinkle')
    }
  })

  /** How often a leg of a search ran. */
  async function retrievals(): Promise<string[]> {
    const text = await (await fetch(`${nura.apiUrl}/metrics`)).text()
    return text.split('\n').filter((line) => line.startsWith('nura_retrieval_seconds_count'))
  }
})

describe('T30: a click', () => {
  test('T30: of somebody else does not ask again in the name of the asker', async () => {
    const asked = say(workspace(), { text: question })
    await nura.send(slackEvent(workspace(), asked, 'app_mention'))
    const reply = await nura.finished(asked)
    const clicked = { actionId: 'retry', value: inboxIdOf(reply), user: 'U0BOB' }
    await nura.send(clickEvent(workspace(), reply, clicked))
    await until('a refusal', () => workspace().ephemerals.find(({ user, text }) => user === 'U0BOB' && text.includes('Only the person who asked')))
    expect(repliesTo(asked.ts)).toHaveLength(1)
  })

  test('T30: on the reply of another channel leads nowhere, whoever clicks and whatever the button', async () => {
    const reply = await answered()
    workspace().channels.set('C0OTHER', { id: 'C0OTHER', name: 'other', is_member: true })
    const id = inboxIdOf(reply)
    const [views, before] = [workspace().views.length, toVisible(reply)]
    for (const [actionId, value] of clicks(id)) {
      const told = workspace().ephemerals.length
      await nura.send(clickEvent(workspace(), reply, { actionId, value, channel: 'C0OTHER', user: 'U0BOB' }))
      await until(`an answer to ${actionId}`, () => workspace().ephemerals.slice(told).find(({ channel, text }) => channel === 'C0OTHER' && text === 'That answer is no longer kept.'))
    }
    expect(workspace().views).toHaveLength(views)
    expect(repliesTo(reply.thread_ts!).map(toVisible)).toEqual([before])
  })

  test('T30: with a value that no button ever had is ignored', async () => {
    const reply = await answered()
    const id = inboxIdOf(reply)
    const before = { views: workspace().views.length, replies: repliesTo(reply.thread_ts!).map(toVisible) }
    const forged: [string, string][] = [
      ['feedback', `sideways ${id}`], ['lens', `root ${id}`], ['lens', `__proto__ ${id}`], ['why', `${id} `], ['why', `${id.toUpperCase()}'; drop table inbox; --`], ['why', ''], ['constructor', id], ['__proto__', id], ['command', 'allow'],
      ['call-help', id], ['retry', '00000000-0000-0000-0000-000000000000'], ['delete', id],
    ]
    for (const [actionId, value] of forged) expect((await nura.send(clickEvent(workspace(), reply, { actionId, value }))).status, actionId).toBe(200)
    await answered()
    expect({ views: workspace().views.length, replies: repliesTo(reply.thread_ts!).map(toVisible) }).toEqual(before)
  })
})

describe('T2, T27: many workspaces in one process', () => {
  const send = (payload: Record<string, unknown>) => fetch(`${many.url}/slack/events`, toRequest(nura.signingSecret, payload))
  const begin = () => fetch(`${many.url}/slack/install`, { redirect: 'manual' })
  const cookieOf = (response: Response) => (response.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  const stateOf = (response: Response) => new URL(response.headers.get('location') ?? 'http://x').searchParams.get('state') ?? ''
  const comeBack = (query: Record<string, string>, cookie = '') => fetch(`${many.url}/slack/oauth_redirect?${new URLSearchParams(query).toString()}`, { headers: { cookie } }).then(({ status }) => status)
  const grant = (teamId: string) => {
    workspace().tokens.add(`xoxb-${teamId}`)
    workspace().codes.set(teamId, { app_id: 'A0NURA', access_token: `xoxb-${teamId}`, token_type: 'bot', scope: 'chat:write', bot_user_id: 'U0NURABOT', is_enterprise_install: false, team: { id: teamId, name: teamId }, enterprise: null, authed_user: { id: 'U0ALICE' } })
    return teamId
  }
  async function install(teamId: string): Promise<{ cookie: string; state: string }> {
    const begun = await begin()
    const [cookie, state] = [cookieOf(begun), stateOf(begun)]
    expect(await comeBack({ code: grant(teamId), state }, cookie)).toBe(200)
    return { cookie, state }
  }
  const of = (teamId: string) => ({ ...workspace(), teamId })
  async function ask(teamId: string, channel: string): Promise<FakeMessage> {
    workspace().channels.set(channel, { id: channel, name: channel.toLowerCase(), is_member: true })
    const message = say(workspace(), { channel, text: `${mention} what is kept where?` })
    expect((await send(slackEvent(of(teamId), message, 'app_mention'))).status).toBe(200)
    return await until('a reply', () => repliesTo(message.ts).find(({ streaming, blocks }) => !streaming && blocks.length > 0))
  }

  test('T27: a state that was used, forged, or belongs to another browser installs nothing', async () => {
    const used = await install('T0FIRST')
    const [mine, theirs] = await Promise.all([begin(), begin()])
    const [state, cookie] = [stateOf(mine), cookieOf(mine)]
    const name = cookie.split('=')[0]!
    const attempts: Record<string, [state: string, cookie: string]> = {
      'used before': [used.state, used.cookie],
      'without the cookie of its browser': [state, ''],
      'in another browser': [state, cookieOf(theirs)],
      'of another browser': [stateOf(theirs), cookie],
      'with a cookie that was made up': [state, `${name}=made-up`],
      'made up, the cookie too': ['made-up', `${name}=made-up`],
      'empty': ['', `${name}=`],
      'cut short': [state.slice(0, -1), `${name}=${state.slice(0, -1)}`],
    }
    const got = await Promise.all(Object.entries(attempts).map(async ([how, [given, sent]], at) => [how, await comeBack({ code: grant(`T0NEVER${at}`), state: given }, sent)]))
    expect(Object.fromEntries(got)).toEqual(Object.fromEntries(Object.keys(attempts).map((how) => [how, 400])))
    expect(nura.slack.callsOf('oauth.v2.access').map(({ args }) => args.code)).toEqual(['T0FIRST'])

    const calls = nura.slack.calls.length
    for (const at of Object.keys(attempts).keys()) {
      expect((await send(slackEvent(of(`T0NEVER${at}`), say(workspace(), { text: question }), 'app_mention', { authorizations: [] }))).status).toBe(200)
    }
    // Whose state was tried in vain may still use it in the right browser.
    expect(await comeBack({ code: grant('T0MINE'), state }, cookie)).toBe(200)
    await ask('T0MINE', 'C0MINE')
    expect(nura.slack.calls.slice(calls).filter(({ token }) => token.startsWith('xoxb-T0NEVER'))).toEqual([])
  })

  test('T2: the reply of another tenant is as unknown to every button and form as one that never was', async () => {
    await Promise.all([install('T0ACME'), install('T0BETA')])
    const [acme, beta] = [await ask('T0ACME', 'C0ACME'), await ask('T0BETA', 'C0BETA')]
    expect([acme, beta].map((reply) => nura.slack.calls.findLast(({ args }) => args.channel === reply.channel && args.thread_ts === reply.thread_ts)?.token)).toEqual(['xoxb-T0ACME', 'xoxb-T0BETA'])
    const opened = () => workspace().views.length

    // What works for its own readers …
    let views = opened()
    await send(clickEvent(of('T0ACME'), acme, { actionId: 'why', value: inboxIdOf(acme) }))
    await until('the form to open', () => opened() > views)
    // … is not there for the others, also where they claim the very place of it.
    views = opened()
    const seen = toVisible(acme)
    const unknown = '3f1c9a52-8b1e-4a6d-9f0e-6c7d8e9fa0b1'
    for (const channel of [beta.channel, acme.channel]) {
      const told = async (id: string) => {
        const texts: string[] = []
        for (const [actionId, value] of clicks(id)) {
          const before = workspace().ephemerals.length
          await send(clickEvent(of('T0BETA'), channel === acme.channel ? acme : beta, { actionId, value, channel }))
          texts.push(`${actionId}: ${(await until(`an answer to ${actionId}`, () => workspace().ephemerals[before])).text}`)
        }
        return texts
      }
      expect(await told(inboxIdOf(acme))).toEqual(await told(unknown))
    }
    const form = (id: string, place: FakeMessage) => ({ type: 'modal', callback_id: 'feedback-reason', private_metadata: [id, place.channel, place.thread_ts].join(' ') })
    for (const metadata of [form(inboxIdOf(acme), acme), form(inboxIdOf(acme), beta), form(unknown, beta), { ...form(unknown, beta), private_metadata: `${inboxIdOf(acme)} ${acme.channel}` }]) {
      expect((await send(submitEvent(of('T0BETA'), metadata, 'sources'))).status).toBe(200)
    }
    await ask('T0BETA', 'C0BETA')
    expect(opened()).toBe(views)
    expect(repliesTo(acme.thread_ts!).map(toVisible)).toEqual([seen])
  })
})

/** Every button that stands below a reply, with the value that it would carry for that reply. */
function clicks(inboxId: string): [actionId: string, value: string][] {
  return [['feedback', `up ${inboxId}`], ['feedback', `down ${inboxId}`], ['why', inboxId], ['lens', `pm ${inboxId}`], ['retry', inboxId], ['rerun', inboxId], ['recheck', inboxId], ['ask-human', inboxId], ['resolve-help', inboxId]]
}

function inboxIdOf(reply: FakeMessage): string {
  return String(reply.metadata?.event_payload.inbox_id)
}
