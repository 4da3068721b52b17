import { pino } from 'pino'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { Incoming } from '../platform.ts'
import { startFakeTeamsDirectory } from '../testing/fake-teams-directory.ts'
import type { FakeMember, FakeTeamsDirectory } from '../testing/fake-teams-directory.ts'
import { clickActivity, messageActivity, teamsIds } from '../testing/teams-activity.ts'
import type { Activity } from '../testing/teams-activity.ts'
import { admit } from './admission.ts'
import { toReading } from './incoming.ts'
import { ReceivedActivity } from './received-activity.ts'
import { createRoster } from './roster.ts'

const open: FakeTeamsDirectory[] = []
let directory: FakeTeamsDirectory
let clock: number
beforeEach(async () => {
  clock = 0
  directory = await startFakeTeamsDirectory()
  open.push(directory)
})
afterAll(() => Promise.all(open.map((each) => each.close())))

const member = (name: string, rest: Partial<FakeMember> = {}): FakeMember => ({ id: `29:${name}`, aadObjectId: name, tenantId: teamsIds.directory, userRole: 'user', ...rest })
const many = Array.from({ length: 5 }, (_, index) => member(`person-${index}`))
const stranger = member('stranger', { tenantId: 'another-directory' })
const log = pino({ level: 'silent' })

function asks(activity: Activity, teamId: string | null = null, timeoutMs = 60_000) {
  const reading = toReading(ReceivedActivity.parse(activity))
  if (!('incoming' in reading)) throw new Error('nothing to store')
  const roster = createRoster({ serviceUrl: directory.serviceUrl, directoryId: teamsIds.directory, token: async () => 'a-token', now: () => clock, timeoutMs })
  return { roster, admit: () => admit({ roster, incoming: Incoming.parse(reading.incoming), teamId, log }) }
}

const inChannel = (timeoutMs?: number) => asks(messageActivity({ text: 'where?' }), teamsIds.team, timeoutMs)
const inChat = () => asks(messageActivity({ where: 'groupChat', text: 'where?' }))
const alone = () => asks(messageActivity({ where: 'personal', text: 'where?' }))
const channelReader = { ok: true, audience: { kind: 'channel', id: `teams:${teamsIds.directory}:${teamsIds.channel}` }, timeZone: 'Europe/Berlin' }
const refused = { ok: false, reason: 'external-channel' }
const unchecked = { ok: false, reason: 'unchecked' }

describe('a channel', () => {
  it.each(['standard', 'private'])('that is %s is answered as itself, without a look at its members', async (type) => {
    directory.channels.set(teamsIds.team, [{ id: teamsIds.team }, { id: teamsIds.channel, type }])
    expect(await inChannel().admit()).toEqual(channelReader)
    expect(directory.requests.map(({ path }) => path)).toEqual([`/v3/teams/${encodeURIComponent(teamsIds.team)}/conversations`])
    expect(directory.requests[0]?.token).toBe('a-token')
  })

  it.each([['shared'], [undefined]])('of the type %s is answered only when everyone in it is of the directory', async (type) => {
    directory.channels.set(teamsIds.team, [{ id: teamsIds.channel, ...(type ? { type } : {}) }])
    directory.members.set(teamsIds.channel, many)
    expect(await inChannel().admit()).toEqual(channelReader)
    directory.members.set(teamsIds.channel, [...many, stranger])
    expect(await inChannel().admit()).toMatchObject(refused)
    directory.members.set(teamsIds.channel, [member('nobody knows where from', { tenantId: undefined })])
    expect(await inChannel().admit()).toMatchObject(refused)
  })

  it('that its team does not list is looked into', async () => {
    directory.channels.set(teamsIds.team, [])
    directory.members.set(teamsIds.channel, [stranger])
    expect(await inChannel().admit()).toMatchObject(refused)
  })

  it('is not answered where Teams cannot tell, and is asked about again then', async () => {
    directory.channels.set(teamsIds.team, [{ id: teamsIds.channel, type: 'standard' }])
    const question = inChannel(1_500)
    directory.fail('/v3/teams/', 500)
    expect(await question.admit()).toMatchObject(unchecked)
    directory.fail('/v3/teams/', 'hang')
    expect(await question.admit()).toMatchObject(unchecked)
    expect(await question.admit()).toEqual(channelReader)
  })

  it('opened to others is noticed within half a minute', async () => {
    directory.channels.set(teamsIds.team, [{ id: teamsIds.channel, type: 'standard' }])
    const question = inChannel()
    expect(await question.admit()).toEqual(channelReader)
    directory.channels.set(teamsIds.team, [{ id: teamsIds.channel, type: 'shared' }])
    directory.members.set(teamsIds.channel, [stranger])
    clock += 31_000
    expect(await question.admit()).toMatchObject(refused)
  })

  it('is not answered to somebody of another directory', async () => {
    const { admit: ask } = asks(messageActivity({ text: 'where?' }, { from: { id: '29:x', aadObjectId: 'x', tenantId: 'another' } }), teamsIds.team)
    expect(await ask()).toMatchObject(refused)
    expect(directory.requests).toEqual([])
  })
})

describe('a group chat', () => {
  it('is answered as itself when everyone in it is of the directory, however many pages they fill', async () => {
    directory.members.set(teamsIds.chat, many)
    expect(await inChat().admit()).toMatchObject({ ok: true, audience: { kind: 'channel', id: `teams:${teamsIds.directory}:${teamsIds.chat}` } })
    expect(directory.requests).toHaveLength(3)
    directory.members.set(teamsIds.chat, [...many, stranger])
    expect(await inChat().admit()).toMatchObject(refused)
  })

  it('whose members cannot be read to the end is not answered', async () => {
    directory.members.set(teamsIds.chat, Array.from({ length: 21 }, (_, index) => member(`person-${index}`)))
    expect(await inChat().admit()).toMatchObject(refused)
  })

  it('that Teams does not know is not answered', async () => {
    expect(await inChat().admit()).toMatchObject(unchecked)
  })
})

describe('a personal chat', () => {
  it('is answered as the person', async () => {
    directory.members.set(teamsIds.personal, [member(teamsIds.alice)])
    expect(await alone().admit()).toEqual({ ok: true, audience: { kind: 'person', id: `teams:${teamsIds.directory}:${teamsIds.alice}` }, timeZone: 'Europe/Berlin' })
  })

  it.each(['guest', 'anonymous'])('with somebody who is %s shows only what everyone may read', async (userRole) => {
    directory.members.set(teamsIds.personal, [member(teamsIds.alice, { userRole })])
    expect(await alone().admit()).toMatchObject({ ok: true, audience: { kind: 'public' } })
  })

  it.each([['another-directory'], [undefined]])('with somebody of the directory %s is refused', async (tenantId) => {
    directory.members.set(teamsIds.personal, [member(teamsIds.alice, { tenantId })])
    expect(await alone().admit()).toMatchObject({ ok: false, reason: 'external-person' })
  })

  it('is not answered where Teams cannot tell who it is with', async () => {
    expect(await alone().admit()).toMatchObject(unchecked)
    directory.members.set(teamsIds.personal, [member(teamsIds.bob)])
    expect(await alone().admit()).toMatchObject(unchecked)
  })

  it('knows the person behind a click too', async () => {
    directory.members.set(teamsIds.personal, [member(teamsIds.bob)])
    const click = asks(clickActivity({ verb: 'why', value: 'x' }, { where: 'personal', from: teamsIds.bob, message: '1' }))
    expect(await click.admit()).toEqual({ ok: true, audience: { kind: 'person', id: `teams:${teamsIds.directory}:${teamsIds.bob}` } })
  })
})
