import type { FakeMessage, Workspace } from './fake-slack-methods.ts'
import { signAsSlack } from './sign-as-slack.ts'

let count = 0

export type Said = { channel?: string; user?: string; text?: string; thread?: string } & Pick<FakeMessage, 'attachments' | 'files' | 'user_team' | 'bot_id' | 'app_id' | 'username'>

/** Lets somebody write a message in the fake workspace. */
export function say(workspace: Workspace, said: Said): FakeMessage {
  const { channel = 'C0GENERAL', user = 'U0ALICE', text = '', thread, ...rest } = said
  const message: FakeMessage = { ts: workspace.nextTs(), channel, user, text, blocks: [], ...(thread ? { thread_ts: thread } : {}), ...rest }
  workspace.messages.push(message)
  return message
}

/** An Events API envelope around an event, as Slack sends it. */
export function toEnvelope(workspace: Workspace, event: Record<string, unknown>, extra: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    token: 'verification-token',
    team_id: workspace.teamId,
    api_app_id: 'A0NURA',
    event,
    type: 'event_callback',
    event_id: `Ev${String(++count).padStart(8, '0')}`,
    event_time: Math.floor(Date.now() / 1000),
    authorizations: [{ enterprise_id: null, team_id: workspace.teamId, user_id: workspace.botUserId, is_bot: true, is_enterprise_install: false }],
    is_ext_shared_channel: false,
    ...extra,
  }
}

/** The event for a message: `app_mention`, or `message` as subscribed channels and direct messages get it. */
export function slackEvent(workspace: Workspace, message: FakeMessage, type: 'app_mention' | 'message' = 'message', extra: Record<string, unknown> = {}): Record<string, unknown> {
  const { metadata: _, streaming: __, ...fields } = message
  const kind = message.channel.startsWith('D') ? 'im' : 'channel'
  return toEnvelope(workspace, { type, ...fields, team: workspace.teamId, event_ts: message.ts, ...(type === 'message' ? { channel_type: kind } : {}) }, extra)
}

export function editEvent(workspace: Workspace, message: FakeMessage, text: string): Record<string, unknown> {
  const previous = { ...message, type: 'message' }
  message.text = text
  const edited = { user: message.user, ts: workspace.nextTs() }
  return toEnvelope(workspace, { type: 'message', subtype: 'message_changed', hidden: true, channel: message.channel, channel_type: message.channel.startsWith('D') ? 'im' : 'channel', ts: edited.ts, event_ts: edited.ts, message: { ...message, type: 'message', edited }, previous_message: previous })
}

export function deleteEvent(workspace: Workspace, message: FakeMessage): Record<string, unknown> {
  workspace.messages.splice(workspace.messages.indexOf(message), 1)
  const ts = workspace.nextTs()
  return toEnvelope(workspace, { type: 'message', subtype: 'message_deleted', hidden: true, channel: message.channel, channel_type: message.channel.startsWith('D') ? 'im' : 'channel', ts, event_ts: ts, deleted_ts: message.ts, previous_message: { ...message, type: 'message' } })
}

/** A click on the button `actionId` of a message. */
export function clickEvent(workspace: Workspace, message: FakeMessage, click: { actionId: string; value: string; user?: string; channel?: string }): Record<string, unknown> {
  const trigger = `trigger.${++count}`
  workspace.triggers.add(trigger)
  const channel = click.channel ?? message.channel
  return {
    type: 'block_actions',
    user: { id: click.user ?? 'U0ALICE', team_id: workspace.teamId },
    api_app_id: 'A0NURA',
    team: { id: workspace.teamId, domain: 'fake' },
    container: { type: 'message', message_ts: message.ts, channel_id: channel, thread_ts: message.thread_ts, is_ephemeral: false },
    trigger_id: trigger,
    channel: { id: channel, name: 'general' },
    message: { ts: message.ts, thread_ts: message.thread_ts, user: workspace.botUserId },
    actions: [{ type: 'button', action_id: click.actionId, block_id: 'b', value: click.value, action_ts: workspace.nextTs() }],
  }
}

export function submitEvent(workspace: Workspace, view: Record<string, unknown>, reason: string, user = 'U0ALICE'): Record<string, unknown> {
  return {
    type: 'view_submission',
    team: { id: workspace.teamId },
    user: { id: user, team_id: workspace.teamId },
    api_app_id: 'A0NURA',
    view: { ...view, id: `V${++count}`, state: { values: { reason: { reason: { type: 'radio_buttons', selected_option: { value: reason } } } } } },
  }
}

export function commandEvent(workspace: Workspace, text: string, extra: Record<string, unknown> = {}): Record<string, unknown> {
  return { command: '/nura', text, team_id: workspace.teamId, user_id: 'U0ALICE', channel_id: 'C0GENERAL', channel_name: 'general', trigger_id: `trigger.${++count}`, api_app_id: 'A0NURA', ...extra }
}

/** How Slack sends a payload: events as JSON, interactions as a form with `payload`, commands as a form. Signed. */
export function toRequest(secret: string, payload: Record<string, unknown>, headers: Record<string, string> = {}): { method: 'POST'; body: string; headers: Record<string, string> } {
  const isCommand = typeof payload.command === 'string'
  const isEvent = payload.type === 'event_callback' || payload.type === 'url_verification'
  const fields = isCommand ? Object.entries(payload).map(([key, value]): [string, string] => [key, String(value)]) : [['payload', JSON.stringify(payload)] as [string, string]]
  const body = isEvent ? JSON.stringify(payload) : new URLSearchParams(fields).toString()
  return { method: 'POST', body, headers: { 'content-type': isEvent ? 'application/json' : 'application/x-www-form-urlencoded', ...signAsSlack(secret, body), ...headers } }
}
