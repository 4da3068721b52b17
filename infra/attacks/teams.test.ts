import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { SignJWT, UnsecuredJWT, generateKeyPair } from 'jose'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { clickActivity, installationActivity, messageActivity, teamsIds } from '#bot/testing/teams-activity.ts'
import type { Activity, SaidInTeams } from '#bot/testing/teams-activity.ts'
import { startTeamsDeployment } from '../testing/start-teams-deployment.ts'
import type { Asked, TeamsDeployment } from '../testing/start-teams-deployment.ts'
import { until } from '../testing/until.ts'

/** Whole processes start and are waited for here, on machines that do other things too. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 400_000 })

/** Whoever is not the connector of Teams, not of the directory or not a person, against running processes. */
const question = 'which phrase opens the vault of the depot?'
let nura: TeamsDeployment
/** Where a forged activity would have Nura carry its token: counts whoever comes. */
const trap = createServer((socket) => {
  trapped++
  socket.destroy()
})
let trapped = 0
let trapUrl: string
beforeAll(async () => {
  nura = await startTeamsDeployment({ files: { 'docs/vault.md': '# The vault of the depot\n\nThe vault of the depot opens with the phrase periwinkle.\n' }, env: { NURA_LIMIT_ASKER: 'off', NURA_LIMIT_CHANNEL: 'off', NURA_LIMIT_TENANT: 'off' } })
  await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve))
  trapUrl = `http://127.0.0.1:${(trap.address() as AddressInfo).port}/`
})
afterAll(async () => {
  trap.close()
  await nura?.close()
})

/** Everything that Nura has asked of Teams or told it, and of the identity provider for itself. */
const outbound = () => nura.connector.calls.length + nura.directory.requests.length + nura.identity.tokenRequests.length
/** Until nothing is on its way any more. */
async function silence(): Promise<void> {
  for (let [before, quiet] = [outbound(), 0]; quiet < 10; await sleep(100)) [quiet, before] = [outbound() === before ? quiet + 1 : 0, outbound()]
}
const textsIn = (conversation: string) => nura.seen(conversation).map(({ activity }) => activity.text ?? '')
const conversationOf = (activity: Activity) => String((activity.conversation as Activity).id)

/** What somebody asks honestly is answered, and once that is done everything that came before it has been done too. */
async function answered(said: SaidInTeams = {}): Promise<Asked & { message: string; inboxId: string }> {
  const asked = await nura.ask(question, said)
  const messages = await nura.answered(asked)
  expect(textsIn(asked.conversation).join('\n')).toContain('periwinkle')
  return { ...asked, message: messages.at(-1)!.id, inboxId: inboxIdIn(messages.map(({ activity }) => activity)) }
}

describe('T22: a request that the connector of Teams did not send', () => {
  const seconds = () => Math.floor(Date.now() / 1000)
  const emulator = 'https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/'
  const claims = () => ({ serviceurl: nura.serviceUrl })
  const sign = (given: Record<string, unknown>, options?: Parameters<TeamsDeployment['identity']['sign']>[1]) => nura.identity.sign({ ...claims(), ...given }, options)
  const unsigned = () => new UnsecuredJWT({ iss: nura.identity.issuer, aud: nura.identity.app.id, exp: seconds() + 600, ...claims() }).encode()
  const byPublicKey = async (kid: string) =>
    await new SignJWT({ iss: nura.identity.issuer, aud: nura.identity.app.id, exp: seconds() + 600, ...claims() }).setProtectedHeader({ alg: 'HS256', kid }).sign(Buffer.from(await nura.identity.publicKey()))

  const tokens: Record<string, () => Promise<string | undefined>> = {
    'no token': async () => undefined,
    'an empty token': async () => 'Bearer ',
    'another scheme': async () => `Basic ${await sign({})}`,
    'a token that is none': async () => 'Bearer a.b.c',
    'a token and something after it': async () => `Bearer ${await sign({})} x`,
    'alg none': async () => `Bearer ${unsigned()}`,
    'alg none with some signature': async () => `Bearer ${unsigned()}AAAA`,
    'HS256 with the public key': async () => `Bearer ${await byPublicKey('fake-key')}`,
    'HS256 with the public key, under a key that nobody has': async () => `Bearer ${await byPublicKey('another')}`,
    'a key of a stranger': async () => `Bearer ${await sign({}, { key: (await generateKeyPair('RS256')).privateKey })}`,
    'a key that nobody has': async () => `Bearer ${await sign({}, { kid: 'another' })}`,
    'a key of another channel': async () => `Bearer ${await sign({}, { kid: 'webchat-key' })}`,
    'the audience of another app': async () => `Bearer ${await sign({ aud: '22222222-2222-3333-4444-555555555555' })}`,
    'no audience': async () => `Bearer ${await sign({ aud: undefined })}`,
    'the issuer of the emulator': async () => `Bearer ${await sign({ iss: emulator, ver: '1.0', appid: nura.identity.app.id })}`,
    'the issuer of the emulator, for another bot': async () => `Bearer ${await sign({ iss: emulator, ver: '2.0', azp: 'another-bot' })}`,
    'an issuer that nobody knows': async () => `Bearer ${await sign({ iss: 'https://issuer.example' })}`,
    'one that has run out': async () => `Bearer ${await sign({ exp: seconds() - 600 })}`,
    'one that is not valid yet': async () => `Bearer ${await sign({ nbf: seconds() + 600 })}`,
    'one that names another connector': async () => `Bearer ${await sign({ serviceurl: trapUrl })}`,
    'one that names no connector': async () => `Bearer ${await sign({ serviceurl: undefined })}`,
  }
  const post = async (activity: Activity, authorization: string | undefined) =>
    (await fetch(`${nura.url}/api/messages`, { method: 'POST', body: JSON.stringify(activity), headers: { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) } })).status

  test('T22: is 401, and nobody is called: neither who it says that it comes from nor anybody else', async () => {
    // The keys and Nura's own token are there after this.
    await answered()
    await silence()
    const before = outbound()
    const forged = (extra: Activity = {}) => ({ ...messageActivity({ text: question }), serviceUrl: nura.serviceUrl, ...extra })
    const got = await Promise.all(
      Object.entries(tokens).map(async ([name, token]) => [name, await Promise.all([forged(), { ...installationActivity('add', { directory: 'dir-forged' }), serviceUrl: nura.serviceUrl }].map(async (each) => post(each, await token())))]),
    )
    expect(Object.fromEntries(got)).toEqual(Object.fromEntries(Object.keys(tokens).map((name) => [name, [401, 401]])))
    // A good token of Teams' own, taken along to a connector of the sender.
    for (const serviceUrl of [trapUrl, trapUrl.replace('127.0.0.1', 'localhost'), nura.serviceUrl.replace(/\/$/, ''), `${nura.serviceUrl}x/`, '']) {
      expect(await post(forged({ serviceUrl }), `Bearer ${await sign({})}`), serviceUrl).toBe(401)
    }
    for (const channelId of ['emulator', 'webchat', 'directline', 'AseChannel', '']) expect(await post(forged({ channelId }), `Bearer ${await sign({})}`), channelId).toBe(401)
    expect({ outbound: outbound(), trapped }).toEqual({ outbound: before, trapped: 0 })
  })

  test('T22, T36: is 403 where the connector that it names, in its token too, is no address to call', async () => {
    const before = outbound()
    const inside = [
      'http://10.0.0.7/', 'https://10.0.0.7/', 'https://192.168.1.1/', 'https://172.16.0.1/', 'https://169.254.169.254/latest/meta-data/', 'http://169.254.169.254/', 'https://[fd00::1]/', 'https://[fe80::1]/', 'https://[::ffff:10.0.0.7]/', 'https://0xA000007/', 'https://167772167/',
      'https://012.0.0.7/', 'https://0/', 'https://metadata/', 'https://metadata.google.internal/', 'http://smba.example/', 'ftp://127.0.0.1/', 'file:///etc/passwd', 'gopher://127.0.0.1/', 'https://user:secret@smba.example/', 'not an address',
    ]
    const got = await Promise.all(inside.map(async (serviceUrl) => [serviceUrl, await nura.send(messageActivity({ text: question, serviceUrl }))]))
    expect(Object.fromEntries(got)).toEqual(Object.fromEntries(inside.map((serviceUrl) => [serviceUrl, 403])))
    expect(outbound()).toBe(before)
  })
})

describe('T23: another directory', () => {
  test('T23: is not answered from ours, whatever else of an activity says that it is', async () => {
    const other = 'ffffffff-aaaa-bbbb-cccc-000000000009'
    const honest = messageActivity({ text: question })
    const cases: Activity[] = [
      messageActivity({ text: question, directory: other }),
      // Two directories in one activity are none.
      { ...messageActivity({ text: question }), channelData: { ...(honest.channelData as Activity), tenant: { id: other } } },
      { ...messageActivity({ text: question }), conversation: { ...(messageActivity({ text: question }).conversation as Activity), tenantId: other } },
      { ...messageActivity({ text: question, directory: other }), tenant: 'local', tenantId: teamsIds.directory, recipient: { id: teamsIds.bot, tenantId: teamsIds.directory } },
      { ...messageActivity({ text: question }), channelData: {}, conversation: { id: conversationOf(messageActivity({ text: question })), conversationType: 'channel' } },
      { ...messageActivity({ text: question }), channelData: { ...(honest.channelData as Activity), tenant: { id: teamsIds.directory.replace('1', '１') } } },
    ]
    for (const activity of cases) expect(await nura.send(activity)).toBe(202)
    await answered()
    expect(cases.flatMap((activity) => textsIn(conversationOf(activity)))).toEqual([])
  })
})

describe('T18: where outsiders read along', () => {
  test('T18: neither an author of another organisation nor a chat or channel with one is answered; a guest only from what is public', async () => {
    const colleague = { id: '29:a', aadObjectId: teamsIds.alice, tenantId: teamsIds.directory, userRole: 'user' }
    const stranger = { id: '29:x', aadObjectId: 'x', tenantId: 'another-directory', userRole: 'user' }
    nura.directory.members.set(teamsIds.chat, [colleague, stranger])
    nura.directory.members.set('a:guest', [{ ...colleague, aadObjectId: teamsIds.bob, userRole: 'guest' }])
    nura.directory.members.set('a:stranger', [{ ...stranger, aadObjectId: teamsIds.bob }])
    const outside = messageActivity({ text: question })
    const personal = (id: string) => {
      const activity = messageActivity({ where: 'personal', text: question, from: teamsIds.bob })
      return { ...activity, conversation: { ...(activity.conversation as Activity), id } }
    }
    const sent: Record<string, Activity> = {
      author: { ...outside, from: { ...(outside.from as Activity), tenantId: 'another-directory' } },
      chat: messageActivity({ where: 'groupChat', text: question }),
      guest: personal('a:guest'),
      stranger: personal('a:stranger'),
    }
    for (const activity of Object.values(sent)) expect(await nura.send(activity)).toBe(202)
    const said = async (name: string) => (await until(`something said to the ${name}`, () => textsIn(conversationOf(sent[name]!)).find((text) => text !== '' && !/^(Searching|Reading|Looking)/.test(text)))) ?? ''
    for (const name of ['author', 'chat', 'stranger']) expect(await said(name), name).toContain('another organisation')
    await nura.answered({ conversation: 'a:guest', id: '' })
    expect(textsIn('a:guest').join('\n')).not.toContain('periwinkle')
  })

  test('T18: where Teams cannot tell who reads along, Nura says so and answers nothing', async () => {
    const activity = messageActivity({ where: 'groupChat', text: question })
    const conversation = { ...(activity.conversation as Activity), id: '19:nobody-knows@thread.v2' }
    expect(await nura.send({ ...activity, conversation })).toBe(202)
    expect(await until('a refusal', () => textsIn('19:nobody-knows@thread.v2')[0])).toContain('could not check')
  })
})

describe('T37: a bot', () => {
  test('T37: gets no reply, neither to a mention nor in a thread that Nura takes part in', async () => {
    const asked = await answered()
    const root = asked.conversation.split('messageid=')[1]!
    const before = textsIn(asked.conversation)
    const bots: Activity[] = [{ id: '28:other-bot', name: 'Other' }, { id: '29:x', aadObjectId: teamsIds.bob, role: 'bot' }, { id: teamsIds.bot, name: 'Nura', aadObjectId: teamsIds.alice }, { id: '29:webhook', name: 'Outgoing webhook' }]
    const sent = bots.flatMap((from) => [{ ...messageActivity({ text: question }), from }, { ...messageActivity({ text: `${question} Is that so?`, thread: root }), from }])
    for (const activity of sent) expect(await nura.send(activity)).toBe(202)
    await answered()
    expect(textsIn(asked.conversation)).toEqual(before)
    expect(sent.map(conversationOf).filter((id) => id !== asked.conversation).flatMap(textsIn)).toEqual([])
  })
})

describe('T2, T30: a click', () => {
  const verbs = (id: string): [verb: string, value: string][] => [['why', id], ['lens', `architect ${id}`], ['retry', id], ['rerun', id], ['recheck', id], ['feedback', `up ${id}`], ['feedback-reason', id]]
  /** What somebody is told who clicks every button in a conversation, each text once. */
  async function clickAll(id: string, at: SaidInTeams & { message: string }): Promise<string[]> {
    const conversation = conversationOf(clickActivity({ verb: 'why', value: id }, at))
    const known = new Set(nura.seen(conversation).map((each) => each.id))
    for (const [verb, value] of verbs(id)) expect(await nura.send(clickActivity({ verb, value }, at)), verb).toBe(200)
    return await until(() => `what the clicks came to; ${nura.output().slice(-1500)}`, () => {
      const texts = nura.seen(conversation).filter((each) => !known.has(each.id)).map(({ activity }) => activity.text ?? '')
      // The reason of a vote says nothing.
      return texts.length >= verbs(id).length - 1 ? [...new Set(texts)] : undefined
    })
  }
  const gone = 'That answer is no longer kept.'
  const unknown = '3f1c9a52-8b1e-4a6d-9f0e-6c7d8e9fa0b1'

  test('T30: of somebody else does not ask again in the name of the asker', async () => {
    const asked = await answered()
    const thread = asked.conversation.split('messageid=')[1]!
    await nura.send(clickActivity({ verb: 'retry', value: asked.inboxId }, { message: asked.message, thread, from: teamsIds.bob }))
    await until('a refusal', () => textsIn(asked.conversation).includes('Only the person who asked can ask again.'))
    expect(nura.seen(asked.conversation)).toHaveLength(2)
  })

  test('T30: on the reply of another conversation leads nowhere, and one with a value that no button had is ignored', async () => {
    const asked = await answered()
    nura.directory.members.set(teamsIds.personal, [{ id: '29:b', aadObjectId: teamsIds.bob, tenantId: teamsIds.directory, userRole: 'user' }])
    const elsewhere = { message: asked.message, where: 'personal' as const, from: teamsIds.bob }
    expect(await clickAll(asked.inboxId, elsewhere)).toEqual([gone])
    const thread = asked.conversation.split('messageid=')[1]!
    const before = textsIn(asked.conversation)
    for (const [verb, value] of [['launch', asked.inboxId], ['__proto__', asked.inboxId], ['constructor', asked.inboxId], ['command', 'allow'], ['call-help', asked.inboxId], ['delete', asked.inboxId]] as const) {
      expect(await nura.send(clickActivity({ verb, value }, { message: asked.message, thread })), verb).toBe(200)
    }
    await answered()
    expect(textsIn(asked.conversation)).toEqual(before)
  })

  test('T2: on the reply of another tenant is as on one that never was', async () => {
    const asked = await answered()
    const thread = asked.conversation.split('messageid=')[1]!
    const before = textsIn(asked.conversation)
    const other = 'dir-other'
    expect(await nura.send(installationActivity('add', { where: 'personal', directory: other }))).toBe(202)
    expect(await nura.send(installationActivity('add', { directory: other }))).toBe(202)
    const inChat = { message: asked.message, where: 'personal' as const, directory: other }
    expect([await clickAll(asked.inboxId, inChat), await clickAll(unknown, inChat)]).toEqual([[gone], [gone]])
    // Also where they name the very conversation in which the reply stands.
    const there = { message: asked.message, thread, directory: other }
    expect(await clickAll(asked.inboxId, there)).toEqual([gone])
    expect(textsIn(asked.conversation).filter((text) => text !== gone)).toEqual(before)
  })
})

/** The row that the buttons of a reply name. */
function inboxIdIn(activities: unknown[]): string {
  const found = /"value":"([0-9a-f]{8}-[0-9a-f-]{27})"/.exec(JSON.stringify(activities))?.[1]
  if (!found) throw new Error(`no button in ${JSON.stringify(activities)}`)
  return found
}
