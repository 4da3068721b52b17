import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Incoming } from '../platform.ts'
import { changeActivity, clickActivity, installationActivity, messageActivity, teamsIds } from '../testing/teams-activity.ts'
import type { Activity } from '../testing/teams-activity.ts'
import { toOrigin, toReading } from './incoming.ts'
import { ReceivedActivity } from './received-activity.ts'

const read = (activity: Activity) => toReading(ReceivedActivity.parse(activity))
const incoming = (activity: Activity): Incoming => {
  const reading = read(activity)
  if (!('incoming' in reading)) throw new Error(`nothing to store: ${JSON.stringify(reading)}`)
  return Incoming.parse(reading.incoming)
}

describe('a message', () => {
  it('in a channel stands in the thread that its conversation names', () => {
    expect(incoming(messageActivity({ text: 'where is it?', id: '1700000000001', thread: '1700000000000' }))).toEqual({
      kind: 'message',
      place: { surface: 'teams', workspace: teamsIds.directory, channel: teamsIds.channel, root: '1700000000000', direct: false },
      id: '1700000000001',
      author: teamsIds.alice,
      text: 'where is it?',
      mentioned: true,
      namesOthers: false,
      external: false,
      attachments: [],
      timeZone: 'Europe/Berlin',
    })
  })

  it('in a channel opens a thread when it is no reply', () => {
    expect(incoming(messageActivity({ text: 'hello?', id: '1700000000002' }))).toMatchObject({ place: { root: '1700000000002' } })
  })

  it('in a chat belongs to the whole chat, and only a personal one is direct', () => {
    expect(incoming(messageActivity({ where: 'groupChat', text: 'hello?' }))).toMatchObject({ place: { channel: teamsIds.chat, root: teamsIds.chat, direct: false } })
    expect(incoming(messageActivity({ where: 'personal', text: 'hello?' }))).toMatchObject({ place: { channel: teamsIds.personal, root: teamsIds.personal, direct: true }, mentioned: false })
    const unnamed = messageActivity({ where: 'personal', text: 'hello?' })
    for (const conversation of [{ id: teamsIds.personal }, { id: teamsIds.personal, conversationType: 'Personal' }, { id: `${teamsIds.personal};messageid=1`, conversationType: 'personal' }]) {
      expect(incoming({ ...unnamed, conversation })).toMatchObject({ place: { direct: false } })
    }
  })

  it('is told without its mention, with other names written out', () => {
    const named = messageActivity(
      { text: 'ask <at>Bob &amp; Co</at>&nbsp;about a &lt; b', mentioned: true },
      { entities: [{ type: 'mention', text: '<at>Nura</at>', mentioned: { id: teamsIds.bot, name: 'Nura' } }, { type: 'mention', text: '<at>Bob &amp; Co</at>', mentioned: { id: '29:bob', name: 'Bob & Co' } }, { type: 'mention', text: '', mentioned: { id: '29:nobody' } }] },
    )
    expect(incoming(named)).toMatchObject({ text: expect.stringMatching(/^ask +@Bob & Co +about a < b$/), mentioned: true, namesOthers: true })
  })

  it('that names somebody of the same name as Nura does not mention Nura', () => {
    const other = messageActivity({ text: 'hi' }, { entities: [{ type: 'mention', text: '<at>Nura</at>', mentioned: { id: '29:another-nura', name: 'Nura' } }] })
    expect(incoming(other)).toMatchObject({ mentioned: false, namesOthers: true, text: '@Nura  hi' })
  })

  it('keeps files as unread and what it quotes as text', () => {
    const attachments = [
      { contentType: 'text/html', content: '<p>see</p>' },
      { contentType: 'application/vnd.microsoft.teams.file.download.info', name: 'plan.pdf', content: { downloadUrl: 'https://evil.example/x' } },
      { contentType: 'image/*', contentUrl: 'https://evil.example/y' },
      { contentType: 'messageReference', content: '{"messageId":"1","messagePreview":"we ship on Friday"}' },
    ]
    expect(incoming(messageActivity({ text: 'see' }, { attachments }))).toMatchObject({
      attachments: [{ title: 'plan.pdf', text: null }, { title: 'an image', text: null }, { title: 'quoted message', text: 'we ship on Friday' }],
    })
  })

  it('of somebody from another directory is external', () => {
    expect(incoming(messageActivity({ text: 'hi' }, { from: { id: '29:x', aadObjectId: 'x', tenantId: 'another' } }))).toMatchObject({ external: true })
    expect(incoming(messageActivity({ text: 'hi' }, { from: { id: '29:x', aadObjectId: 'x', tenantId: teamsIds.directory } }))).toMatchObject({ external: false })
  })

  it('leaves out a time zone that is none', () => {
    expect(incoming(messageActivity({ text: 'hi' }, { localTimezone: 'W. Europe Standard Time' }))).not.toHaveProperty('timeZone')
  })

  it.each([
    ['of Nura itself', { from: { id: teamsIds.bot, aadObjectId: 'x' } }, 'from-a-bot'],
    ['of another bot', { from: { id: '28:other', aadObjectId: 'x' } }, 'from-a-bot'],
    ['of a bot by its role', { from: { id: 'other', role: 'bot', aadObjectId: 'x' } }, 'from-a-bot'],
    ['without an author in a directory', { from: { id: '29:guest' } }, 'no-identity'],
    ['without an id', { id: undefined }, 'incomplete'],
    ['of two directories', { channelData: { tenant: { id: 'another' } } }, 'incomplete'],
    ['of a directory that cannot be read', { channelData: { tenant: { id: teamsIds.directory.replace('1', '１') } } }, 'incomplete'],
    ['of a directory that is a number', { channelData: { tenant: 7 } }, 'incomplete'],
  ])('%s is ignored', (_, extra, reason) => {
    expect(read(messageActivity({ text: 'hi' }, extra))).toEqual({ ignored: reason })
  })
})

describe('what happens to a message', () => {
  const message = messageActivity({ text: 'where is it?', thread: '1700000000000' })

  it('an edit is told with a revision of its own, in the same place', () => {
    const edit = changeActivity(message, { text: 'where is that?' })
    const asked = incoming(message) as Extract<Incoming, { kind: 'message' }>
    expect(incoming(edit)).toEqual({ ...asked, kind: 'edit', text: 'where is that?', revision: edit.timestamp })
  })

  it('a deletion names it, and one that is taken back is an edit', () => {
    expect(incoming(changeActivity(message, 'delete'))).toMatchObject({ kind: 'deletion', id: message.id, place: { root: '1700000000000' } })
    expect(incoming(changeActivity(message, 'undelete'))).toMatchObject({ kind: 'edit', id: message.id, text: 'where is it?' })
  })

  it('a reaction, typing and what is unknown are ignored', () => {
    for (const type of ['messageReaction', 'typing', 'endOfConversation', 'surprise']) expect(read({ ...message, type })).toEqual({ ignored: `type-${type}` })
    expect(read({ ...message, type: 'messageUpdate' })).toEqual({ ignored: 'not-an-edit' })
    expect(read({ ...message, type: 'messageDelete' })).toEqual({ ignored: 'not-a-deletion' })
  })
})

describe('a click', () => {
  const row = '0190a000-0000-7000-8000-000000000001'

  it('on a button carries its name and value', () => {
    const click = clickActivity({ verb: 'why', value: row }, { message: '1700000000009', thread: '1700000000000' })
    expect(incoming(click)).toEqual({
      kind: 'action',
      place: { surface: 'teams', workspace: teamsIds.directory, channel: teamsIds.channel, root: '1700000000000', direct: false },
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      name: 'why',
      author: teamsIds.alice,
      value: row,
      request: { message: '1700000000009' },
    })
    expect((incoming(click) as { id: string }).id).toBe((incoming({ ...click }) as { id: string }).id)
  })

  it('comes as a message where the host knows only Action.Submit', () => {
    const { id, replyToId } = { id: '1700000000010', replyToId: '1700000000009' }
    expect(incoming({ ...messageActivity({ id, thread: '1700000000000' }), text: undefined, entities: [], replyToId, value: { verb: 'lens', value: `pm ${row}` } })).toMatchObject({ kind: 'action', name: 'lens', value: `pm ${row}`, request: { message: replyToId } })
  })

  it('on the thumbs below a message is a vote for the reply which that message shows', () => {
    expect(incoming(clickActivity({ reaction: 'dislike' }, { message: '1700000000009', where: 'personal' }))).toMatchObject({ kind: 'action', name: 'feedback', value: 'down', request: { message: '1700000000009' } })
    expect(incoming(clickActivity({ reaction: 'like' }, { message: '1700000000009' }))).toMatchObject({ value: 'up' })
  })

  it('that holds none of ours is ignored', () => {
    const click = clickActivity({ verb: 'why', value: row }, { message: '1' })
    for (const value of [null, 'text', [], { action: { verb: 'why' } }, { action: { verb: 3, data: { value: 'x' } } }]) expect(read({ ...click, value })).toEqual({ ignored: 'not-a-click' })
    expect(read({ ...clickActivity({ reaction: 'like' }, { message: '1' }), value: { actionName: 'feedback', actionValue: { reaction: 'shrug' } } })).toEqual({ ignored: 'not-a-click' })
    expect(read({ ...click, name: 'composeExtension/query' })).toEqual({ ignored: 'invoke-composeExtension/query' })
  })
})

describe('an installation', () => {
  it('is told of a team, and of a chat', () => {
    expect(read(installationActivity('add'))).toEqual({ installation: 'added' })
    expect(read(installationActivity('remove', { where: 'personal' }))).toEqual({ installation: 'removed' })
    expect(toOrigin(ReceivedActivity.parse(installationActivity('add')))).toEqual({
      directoryId: teamsIds.directory, scopeId: teamsIds.team, botId: teamsIds.bot, channel: { id: teamsIds.channel, teamId: teamsIds.team, groupId: teamsIds.group },
    })
    expect(toOrigin(ReceivedActivity.parse(installationActivity('add', { where: 'personal' })))).toMatchObject({ scopeId: teamsIds.personal, channel: null })
  })

  it('is told by the members of a conversation too, as far as they are Nura', () => {
    const joined = { ...installationActivity('add'), type: 'conversationUpdate', action: undefined }
    expect(read({ ...joined, membersAdded: [{ id: '29:bob' }, { id: teamsIds.bot }] })).toEqual({ installation: 'added' })
    expect(read({ ...joined, membersRemoved: [{ id: teamsIds.bot }] })).toEqual({ installation: 'removed' })
    expect(read({ ...joined, membersAdded: [{ id: '29:bob' }] })).toEqual({ ignored: 'not-about-nura' })
    expect(read({ ...joined, channelData: { tenant: { id: teamsIds.directory }, eventType: 'teamDeleted' } })).toEqual({ installation: 'removed' })
  })

  it('is not ended by an upgrade', () => {
    expect(read(installationActivity('add', {}, { action: 'remove-upgrade' }))).toEqual({ ignored: 'not-an-installation' })
  })
})

it('reads whatever has a type without failing, and stores nothing that is no event', () => {
  const from = fc.oneof(fc.constantFrom(messageActivity({ text: 'hi' }), clickActivity({ verb: 'why', value: 'x' }, { message: '1' }), installationActivity('add')), fc.constant({} as Activity))
  const types = fc.constantFrom('message', 'messageUpdate', 'messageDelete', 'invoke', 'conversationUpdate', 'installationUpdate')
  fc.assert(
    fc.property(from, types, fc.dictionary(fc.constantFrom('id', 'from', 'text', 'value', 'entities', 'attachments', 'channelData', 'conversation', 'recipient', 'membersAdded', 'replyToId', 'timestamp'), fc.jsonValue()), (activity, type, changed) => {
      const reading = read({ ...activity, ...changed, type })
      if ('incoming' in reading) expect(Incoming.safeParse(reading.incoming).success).toBe(true)
    }),
    { numRuns: 400 },
  )
})
