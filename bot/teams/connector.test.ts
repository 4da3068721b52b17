import pino from 'pino'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { startFakeConnector } from '../testing/fake-connector.ts'
import type { FakeConnector } from '../testing/fake-connector.ts'
import type { Activity } from './activity.ts'
import { createConnector, isFinal, isGone, isUnknown, refusalOf } from './connector.ts'
import type { Connector } from './connector.ts'

const log = pino({ level: 'silent' })
const conversation = 'a:1-on-1'
const hello: Activity = { type: 'message', text: 'Hello' }
const change = { type: 'message', text: 'Changed' } as const
const isPost = ({ method }: { method: string }) => method === 'POST'

let teams: FakeConnector
let connector: Connector
let pauses: number[]

const open = (options: { timeoutMs?: number; token?: string } = {}) =>
  createConnector({ serviceUrl: teams.url, token: async () => options.token ?? 'secret', log, timeoutMs: options.timeoutMs ?? 5000, pause: async (ms) => void pauses.push(ms) })

beforeAll(async () => {
  teams = await startFakeConnector({ token: 'secret' })
})
afterAll(async () => await teams.close())
afterEach(() => {
  teams.calls.length = 0
})

describe('createConnector', () => {
  it('sends, changes and removes a message, with every field of its entities', async () => {
    pauses = []
    connector = open()
    const activity: Activity = { type: 'message', text: 'Hi', textFormat: 'markdown', entities: [{ type: 'https://schema.org/Message', '@type': 'Message', additionalType: ['AIGeneratedContent'], citation: [{ '@type': 'Claim', position: 1 }] }], channelData: { feedbackLoop: { type: 'default' } } }
    const id = await connector.send('19:x@thread.tacv2;messageid=17', activity)
    expect(JSON.parse(teams.calls[0]?.raw ?? '')).toEqual(activity)
    expect(teams.calls[0]?.path).toBe('/v3/conversations/19%3Ax%40thread.tacv2%3Bmessageid%3D17/activities')
    await connector.update('19:x@thread.tacv2;messageid=17', id, change)
    expect(teams.seen().find((message) => message.id === id)?.activity).toEqual(change)
    await connector.remove('19:x@thread.tacv2;messageid=17', id)
    expect(teams.seen().some((message) => message.id === id)).toBe(false)
  })

  it.each([412, 429, 502, 504])('posts again after %i, which says that nothing was done', async (status) => {
    pauses = []
    teams.fail(isPost, { kind: 'status', status }, 2)
    const id = await open().send(conversation, hello)
    expect(teams.seen().filter((message) => message.id === id)).toHaveLength(1)
    expect(teams.calls).toHaveLength(3)
    expect(pauses).toHaveLength(2)
  })

  it('waits as long as Teams asks for and a little longer, not the same for everyone', async () => {
    pauses = []
    teams.fail(isPost, { kind: 'status', status: 429, retryAfter: '7' }, 20)
    for (let turn = 0; turn < 4; turn++) await open().send(conversation, hello, { signal: AbortSignal.timeout(5000) }).catch(() => undefined)
    expect(pauses.every((ms) => ms >= 7000)).toBe(true)
    expect(new Set(pauses).size).toBe(pauses.length)
  })

  it('gives up where Teams keeps asking, as something to try again', async () => {
    pauses = []
    teams.fail(isPost, { kind: 'status', status: 429 }, 6)
    await expect(open().send(conversation, hello)).rejects.toMatchObject({ code: 'teams-busy', retryable: true })
    expect(teams.calls).toHaveLength(6)
    teams.fail(isPost, { kind: 'status', status: 429, retryAfter: '3600' })
    await expect(open().send(conversation, hello)).rejects.toMatchObject({ code: 'teams-busy', retryAt: expect.any(Date) })
  })

  it.each([
    ['a status of 500', { kind: 'status', status: 500, commits: true }],
    ['a broken connection', { kind: 'reset', commits: true }],
    ['silence', { kind: 'hang', commits: true }],
  ] as const)('never posts a message twice: %s leaves its outcome unknown', async (_, fault) => {
    const before = teams.seen().length
    teams.fail(isPost, fault)
    const error: unknown = await open({ timeoutMs: 200 }).send(conversation, hello).catch((thrown: unknown) => thrown)
    expect(isUnknown(error)).toBe(true)
    expect(teams.calls).toHaveLength(1)
    expect(teams.seen()).toHaveLength(before + 1)
  })

  it('changes a message again after every failure, for the outcome is the same', async () => {
    pauses = []
    const id = await open().send(conversation, hello)
    const isPut = ({ method }: { method: string }) => method === 'PUT'
    teams.fail(isPut, { kind: 'reset', commits: true })
    teams.fail(isPut, { kind: 'status', status: 500 })
    await open().update(conversation, id, change)
    expect(teams.seen().find((message) => message.id === id)?.activity.text).toBe('Changed')
  })

  it('tells a refusal by its name, what is final, and where Nura is no longer', async () => {
    teams.left.add('a:gone')
    const gone: unknown = await open().send('a:gone', hello).catch((thrown: unknown) => thrown)
    expect(gone).toMatchObject({ code: 'teams-bot-not-in-conversation-roster', retryable: false })
    expect([isGone(gone), isFinal(gone), isUnknown(gone)]).toEqual([true, true, false])
    const missing: unknown = await open().update(conversation, '404', change).catch((thrown: unknown) => thrown)
    expect(refusalOf(missing)).toMatchObject({ status: 404, code: 'ActivityNotFoundInConversation' })
    expect([isGone(missing), isFinal(missing)]).toEqual([false, true])
  })

  it('says what to check when the token is not taken, and shows it to nobody', async () => {
    const error: unknown = await open({ token: 'wrong-token' }).send(conversation, hello).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'teams-unauthorized', retryable: true })
    expect((error as Error).message).not.toContain('wrong-token')
  })

  it('does not carry the token to where it is redirected', async () => {
    teams.fail(isPost, { kind: 'status', status: 307, location: `${teams.url}elsewhere` })
    await expect(open().send(conversation, hello)).rejects.toMatchObject({ code: expect.stringMatching(/^teams-/) })
    expect(teams.calls).toHaveLength(1)
  })

  it('reads what Teams tells of a member', async () => {
    teams.members.set('aad-1', { id: '29:1', name: 'Ada', aadObjectId: 'aad-1', tenantId: 'dir', userRole: 'guest' })
    expect(await open().member(conversation, 'aad-1')).toEqual({ id: '29:1', name: 'Ada', aadObjectId: 'aad-1', tenantId: 'dir', role: 'guest' })
  })

  it('sends no more than fifty requests in a second', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const one = open()
      const sent = Array.from({ length: 60 }, () => one.send(conversation, { type: 'typing' }))
      await Promise.all(sent.slice(0, 50))
      // Another directory is not held up, and what it sends comes after whatever was on its way.
      await open().send(conversation, { type: 'typing' })
      expect(teams.calls).toHaveLength(51)
      await vi.advanceTimersByTimeAsync(5000)
      await Promise.all(sent)
      expect(teams.calls).toHaveLength(61)
    } finally {
      vi.useRealTimers()
    }
  })
})
