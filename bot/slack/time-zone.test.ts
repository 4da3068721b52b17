import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Message } from '../platform.ts'
import { createFakeWorkspace } from '../testing/fake-slack-methods.ts'
import { startFakeSlack } from '../testing/fake-slack.ts'
import type { FakeSlack } from '../testing/fake-slack.ts'
import { createSlackCall } from './call.ts'
import { createConversation } from './conversation.ts'
import { createDirectory } from './people.ts'

const log = pino({ level: 'silent' })
let slack: FakeSlack
let admit: (place: { channel: string; direct: boolean }) => ReturnType<ReturnType<typeof createConversation>['admit']>
beforeAll(async () => {
  slack = await startFakeSlack(createFakeWorkspace())
})
afterAll(() => slack?.close())
beforeEach(() => {
  slack.calls.splice(0)
  const { teamId, botUserId, botId } = slack.workspace
  const call = createSlackCall({ token: 'xoxb-fake-token', apiUrl: slack.url, log })
  const directory = createDirectory(call, teamId)
  slack.workspace.users.set('U0ALICE', { id: 'U0ALICE', team_id: teamId, tz: 'Asia/Kathmandu' })
  admit = ({ channel, direct }) => {
    const incoming: Message = { kind: 'message', place: { surface: 'slack', workspace: teamId, channel, root: '1.0', direct }, id: '1.0', author: 'U0ALICE', text: 'what shipped?', mentioned: true, namesOthers: false, external: false, attachments: [] }
    return createConversation({ call, self: { teamId, botUserId, botId }, directory, refusedStatus: new Map(), isApproved: async () => false, hasHelpGroup: false, incoming, inboxId: 'row', shown: { messages: [], save: async () => undefined }, mayHavePosted: false, log }).admit()
  }
})
const here = { channel: 'C0GENERAL', direct: false }

it('a question is asked in the zone of its asker, in a channel and alone, and Slack is asked for it once', async () => {
  expect(await admit(here)).toMatchObject({ ok: true, audience: { kind: 'channel' }, timeZone: 'Asia/Kathmandu' })
  expect(await admit({ channel: 'D0ALICE', direct: true })).toMatchObject({ ok: true, audience: { kind: 'person' }, timeZone: 'Asia/Kathmandu' })
  expect(slack.callsOf('users.info')).toHaveLength(1)
})

it.each([
  ['refuses to tell', () => slack.fail('users.info', { kind: 'refuse', error: 'missing_scope' })],
  ['does not know the person', () => void slack.workspace.users.delete('U0ALICE')],
  ['names a zone that is none', () => void slack.workspace.users.set('U0ALICE', { id: 'U0ALICE', team_id: slack.workspace.teamId, tz: 'Middle/Earth' })],
  ['hangs', () => slack.fail('users.info', { kind: 'hang', commits: false })],
])('a question in a channel is answered all the same when Slack %s', async (_, break_) => {
  break_()
  const admission = await admit(here)
  expect(admission).toMatchObject({ ok: true, audience: { kind: 'channel' } })
  expect(admission).not.toHaveProperty('timeZone')
})
