import type { Action, Incoming, Message, Place } from '../platform.ts'
import { blockText, namedUsers, toAttachments, toPlainText } from './text.ts'
import type { WithAttachments } from './text.ts'

/** Who Nura is in the workspace that a payload comes from. */
export type Self = { teamId: string; botUserId: string; botId: string | undefined }

/** What a payload means: something to store, or a reason to do nothing. */
export type Reading = { incoming: Incoming } | { ignored: string }

type SlackMessage = WithAttachments & {
  type?: string
  subtype?: string
  ts?: string
  thread_ts?: string
  user?: string
  bot_id?: string
  app_id?: string
  channel?: string
  channel_type?: string
  user_team?: string
  source_team?: string
  hidden?: boolean
  deleted_ts?: string
  edited?: { user?: string; ts?: string }
  message?: SlackMessage
  previous_message?: SlackMessage
}
export type EventEnvelope = { team_id?: string; event_id?: string; event_time?: number; is_ext_shared_channel?: boolean; event?: SlackMessage }

/** Subtypes of a message that a person wrote. */
const written = new Set([undefined, 'file_share', 'thread_broadcast', 'me_message'])

/** Reads an Events API envelope whose event is a message, a mention, an edit or a deletion. */
export function toIncoming(envelope: EventEnvelope, self: Self): Reading {
  const event = envelope.event
  if (!event?.channel) return { ignored: 'not-a-message' }
  if (event.subtype === 'message_changed') return toEdit(envelope, event, self)
  if (event.subtype === 'message_deleted') return toDeletion(event, self)
  if (!written.has(event.subtype)) return { ignored: `subtype-${event.subtype}` }
  return toMessage(envelope, event, event, self)
}

function toMessage(envelope: EventEnvelope, event: SlackMessage, message: SlackMessage, self: Self): { incoming: Message } | { ignored: string } {
  if (isBot(message, self)) return { ignored: 'from-a-bot' }
  if (!message.ts || !message.user || !event.channel) return { ignored: 'incomplete' }
  const raw = message.text || blockText(message.blocks)
  const named = namedUsers(raw)
  const team = message.user_team ?? message.source_team ?? event.user_team
  return {
    incoming: {
      kind: 'message',
      place: toPlace(event, message, self),
      id: message.ts,
      author: message.user,
      text: toPlainText(raw, self.botUserId),
      mentioned: event.type === 'app_mention' || named.includes(self.botUserId),
      namesOthers: named.some((user) => user !== self.botUserId),
      external: envelope.is_ext_shared_channel === true || (team !== undefined && team !== self.teamId),
      attachments: toAttachments(message, self.botUserId),
    },
  }
}

function toEdit(envelope: EventEnvelope, event: SlackMessage, self: Self): Reading {
  const message = event.message
  if (!message) return { ignored: 'incomplete' }
  if (message.subtype === 'tombstone') return toDeletion({ ...event, deleted_ts: message.ts, previous_message: event.previous_message ?? message }, self)
  // Slack sends the same event when it merely unfurls a link: nothing was edited then.
  if (!message.edited?.ts || message.text === event.previous_message?.text) return { ignored: 'not-an-edit' }
  const read = toMessage(envelope, event, message, self)
  if ('ignored' in read) return read
  return { incoming: { ...read.incoming, kind: 'edit', revision: message.edited.ts } }
}

function toDeletion(event: SlackMessage, self: Self): Reading {
  const id = event.deleted_ts ?? event.previous_message?.ts
  if (!id) return { ignored: 'incomplete' }
  if (event.previous_message && isBot(event.previous_message, self)) return { ignored: 'from-a-bot' }
  return { incoming: { kind: 'deletion', place: toPlace(event, { ...event.previous_message, ts: id }, self), id } }
}

/** Reads a click on the button by which Slack lets people stop a session that is being processed. */
export function toStop(event: { channel?: string; thread_ts?: string; user?: string; event_ts?: string }, self: Self): Reading {
  const { channel, thread_ts: root, user, event_ts: id } = event
  if (!channel || !root || !user || !id) return { ignored: 'incomplete' }
  return { incoming: { kind: 'stop', place: toPlace({ channel }, { ts: root }, self), id, author: user } }
}

/** Every bot is ignored, Nura first: two bots that answer each other never stop. An app that writes as a person is one, and so is Slackbot. */
function isBot(message: SlackMessage, self: Self): boolean {
  return Boolean(message.bot_id) || Boolean(message.app_id) || message.subtype === 'bot_message' || message.user === self.botUserId || message.user === 'USLACKBOT'
}

function toPlace(event: SlackMessage, message: SlackMessage, self: Self): Place {
  const channel = event.channel ?? ''
  return {
    surface: 'slack',
    workspace: self.teamId,
    channel,
    root: message.thread_ts ?? message.ts ?? '',
    direct: event.channel_type === 'im' || (event.channel_type === undefined && channel.startsWith('D')),
  }
}

type Interaction = {
  type?: string
  user?: { id?: string; team_id?: string }
  channel?: { id?: string }
  container?: { channel_id?: string; message_ts?: string; thread_ts?: string }
  message?: { ts?: string; thread_ts?: string }
  trigger_id?: string
  response_url?: string
  actions?: { action_id?: string; value?: string; selected_option?: { value?: string } }[]
  view?: { callback_id?: string; private_metadata?: string; state?: { values?: Record<string, Record<string, { selected_option?: { value?: string } | null; value?: string | null }>> } }
}

/** Reads a button click. `id` identifies the request, for Slack sends no event id with it. */
export function toClick(body: Interaction, self: Self, id: string): Reading {
  const action = body.actions?.[0]
  const channel = body.channel?.id ?? body.container?.channel_id
  const message = body.message?.ts ?? body.container?.message_ts
  if (!action?.action_id || !body.user?.id || !channel || !message) return { ignored: 'not-a-click' }
  const root = body.message?.thread_ts ?? body.container?.thread_ts ?? message
  const value = action.value ?? action.selected_option?.value ?? ''
  return { incoming: toAction(self, { channel, root }, { id, name: action.action_id, author: body.user.id, value, request: { trigger: body.trigger_id, message } }) }
}

/** Reads a submitted form: its place travels in `private_metadata`, which is checked against the answer's own row. */
export function toSubmission(body: Interaction, self: Self, id: string): Reading {
  const view = body.view
  const chosen = Object.values(view?.state?.values ?? {}).flatMap((block) => Object.values(block))
  const value = chosen.map((input) => input.selected_option?.value ?? input.value).find((given) => typeof given === 'string')
  const [inboxId, channel, root] = (view?.private_metadata ?? '').split(' ')
  if (!view?.callback_id || !body.user?.id || !inboxId || !channel || !root) return { ignored: 'not-a-form' }
  return { incoming: toAction(self, { channel, root }, { id, name: view.callback_id, author: body.user.id, value: inboxId, request: { reason: value ?? '' } }) }
}

type Command = { command?: string; text?: string; user_id?: string; channel_id?: string; channel_name?: string; response_url?: string; trigger_id?: string }

/** Reads a slash command. */
export function toCommand(body: Command, self: Self, id: string): Reading {
  if (!body.user_id || !body.channel_id) return { ignored: 'not-a-command' }
  const action = { id, name: 'command', author: body.user_id, value: toPlainText(body.text ?? '', self.botUserId), request: { responseUrl: body.response_url } }
  return { incoming: toAction(self, { channel: body.channel_id, root: '' }, action) }
}

function toAction(self: Self, at: { channel: string; root: string }, action: Omit<Action, 'kind' | 'place'>): Action {
  const request = JSON.parse(JSON.stringify(action.request)) as Record<string, unknown>
  return { kind: 'action', place: { surface: 'slack', workspace: self.teamId, ...at, direct: at.channel.startsWith('D') }, ...action, request }
}
