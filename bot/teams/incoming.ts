import { createHash } from 'node:crypto'
import type { Action, Attachment, Incoming, Message, Place } from '../platform.ts'
import { mentionsOf, toPlainText } from './plain-text.ts'
import type { ReceivedActivity } from './received-activity.ts'

/** Where an activity comes from: the directory, what Nura is installed in there, and the channel of a team. */
export type Origin = {
  directoryId: string
  scopeId: string
  /** Nura's own account. */
  botId: string
  channel: { id: string; teamId: string; groupId: string | null } | null
}

/** What an activity means: something to store, a change of where Nura is installed, or a reason to do nothing. */
export type Reading = { incoming: Incoming } | { installation: 'added' | 'removed' } | { ignored: string }

/** Where an activity comes from, or null when it does not tell. Two directories in one activity are none. */
export function toOrigin(activity: ReceivedActivity): Origin | null {
  const { conversation, channelData, recipient } = activity
  const directoryId = channelData?.tenant?.id ?? conversation?.tenantId
  const { channel } = splitConversation(conversation?.id ?? '')
  if (!directoryId || !channel || !recipient?.id) return null
  if (conversation?.tenantId !== undefined && conversation.tenantId !== directoryId) return null
  const teamId = channelData?.team?.id
  const at = { directoryId, scopeId: teamId ?? channel, botId: recipient.id }
  return { ...at, channel: teamId ? { id: channelData?.channel?.id ?? channel, teamId, groupId: channelData?.team?.aadGroupId ?? null } : null }
}

/** Reads a verified activity. */
export function toReading(activity: ReceivedActivity): Reading {
  switch (activity.type) {
    case 'message':
      return isSubmission(activity) ? toSubmission(activity) : toMessage(activity)
    case 'messageUpdate':
      return toEdit(activity)
    case 'messageDelete':
      return toDeletion(activity)
    case 'invoke':
      return toClick(activity)
    case 'installationUpdate':
      return toInstallation(activity.action ?? '')
    case 'conversationUpdate':
      return toMembership(activity)
    default:
      return { ignored: `type-${activity.type.slice(0, 40)}` }
  }
}

function toMessage(activity: ReceivedActivity): { incoming: Message } | { ignored: string } {
  if (isBot(activity)) return { ignored: 'from-a-bot' }
  const place = toPlace(activity)
  const author = activity.from?.aadObjectId
  if (!place || !activity.id) return { ignored: 'incomplete' }
  // Somebody without an account in any directory, such as a caller of a meeting: nobody to answer for.
  if (!author) return { ignored: 'no-identity' }
  const self = activity.recipient?.id ?? ''
  const named = mentionsOf(activity).map(({ mentioned }) => mentioned?.id)
  return {
    incoming: {
      kind: 'message',
      place,
      id: activity.id,
      author,
      text: toPlainText(activity, self),
      mentioned: self !== '' && named.includes(self),
      namesOthers: named.some((id) => id !== self),
      external: isFromOutside(activity),
      attachments: toAttachments(activity),
      ...toTimeZone(activity),
    },
  }
}

function toEdit(activity: ReceivedActivity): Reading {
  const event = activity.channelData?.eventType
  // A deletion that was taken back reads as an edit to what it was before.
  if (event !== 'editMessage' && event !== 'undeleteMessage') return { ignored: 'not-an-edit' }
  const read = toMessage(activity)
  if ('ignored' in read) return read
  if (!activity.timestamp) return { ignored: 'incomplete' }
  return { incoming: { ...read.incoming, kind: 'edit', revision: activity.timestamp } }
}

function toDeletion(activity: ReceivedActivity): Reading {
  if (activity.channelData?.eventType !== 'softDeleteMessage') return { ignored: 'not-a-deletion' }
  if (isBot(activity)) return { ignored: 'from-a-bot' }
  const place = toPlace(activity)
  if (!place || !activity.id) return { ignored: 'incomplete' }
  return { incoming: { kind: 'deletion', place, id: activity.id } }
}

/** Reads a click: on a button of a card, or on the thumbs that Teams shows below an answer. */
function toClick(activity: ReceivedActivity): Reading {
  const value = toRecord(activity.value)
  if (activity.name === 'message/submitAction') {
    const given = toRecord(value.actionValue)
    const verdict = { like: 'up', dislike: 'down' }[String(given.reaction)]
    if (value.actionName !== 'feedback' || !verdict || !activity.replyToId) return { ignored: 'not-a-click' }
    // Teams names the message that the thumbs stand below; which reply it shows is looked up when the click is carried out.
    return toAction(activity, { name: 'feedback', value: verdict, request: { message: activity.replyToId } })
  }
  if (activity.name === 'adaptiveCard/action') {
    const action = toRecord(value.action)
    return toAction(activity, { name: action.verb, value: toRecord(action.data).value, request: {} })
  }
  return { ignored: `invoke-${(activity.name ?? '').slice(0, 40)}` }
}

/** A host that knows no `Action.Execute` sends the data of a button as a message without text. */
function isSubmission(activity: ReceivedActivity): boolean {
  return typeof activity.value === 'object' && activity.value !== null && !activity.text?.trim()
}

function toSubmission(activity: ReceivedActivity): Reading {
  const { action, verb, value } = toRecord(activity.value)
  return toAction(activity, { name: verb ?? action, value, request: {} })
}

function toAction(activity: ReceivedActivity, { name, value, request }: { name: unknown; value: unknown; request: Action['request'] }): Reading {
  const place = toPlace(activity)
  const author = activity.from?.aadObjectId
  if (!place || !author || isBot(activity) || typeof name !== 'string' || typeof value !== 'string') return { ignored: 'not-a-click' }
  const message = activity.replyToId
  const identity = activity.id ?? JSON.stringify([place.channel, message, name, value, author, activity.timestamp])
  const id = createHash('sha256').update(identity).digest('hex').slice(0, 32)
  return { incoming: { kind: 'action', place, id, name, author, value, request: { ...(message ? { message } : {}), ...request } } }
}

function toInstallation(action: string): Reading {
  if (action === 'add' || action === 'add-upgrade') return { installation: 'added' }
  // An upgrade is told as a removal too, and then as an installation.
  return action === 'remove' ? { installation: 'removed' } : { ignored: 'not-an-installation' }
}

function toMembership(activity: ReceivedActivity): Reading {
  const self = activity.recipient?.id
  const isSelf = (member: { id?: string | undefined } | undefined) => self !== undefined && member?.id === self
  if (activity.membersAdded?.some(isSelf)) return { installation: 'added' }
  if (activity.membersRemoved?.some(isSelf)) return { installation: 'removed' }
  return ['teamDeleted', 'teamHardDeleted'].includes(activity.channelData?.eventType ?? '') ? { installation: 'removed' } : { ignored: 'not-about-nura' }
}

/** Every bot is ignored, Nura first: two bots that answer each other never stop. */
function isBot({ from, recipient }: ReceivedActivity): boolean {
  return from?.role === 'bot' || from?.id?.startsWith('28:') === true || (from?.id !== undefined && from.id === recipient?.id)
}

/** The author is of another organisation, or the channel may be read by one. */
function isFromOutside({ from, channelData, conversation }: ReceivedActivity): boolean {
  const directoryId = channelData?.tenant?.id ?? conversation?.tenantId
  return from?.tenantId !== undefined && from.tenantId !== directoryId
}

/** Only a chat that Teams calls personal is one of a single person; whatever is in doubt has more readers. */
function toPlace(activity: ReceivedActivity): Place | null {
  const origin = toOrigin(activity)
  const { conversationType } = activity.conversation ?? {}
  const { channel, root } = splitConversation(activity.conversation?.id ?? '')
  if (!origin) return null
  const isChannel = conversationType === 'channel' || root !== null || origin.channel !== null
  const thread = root ?? activity.replyToId ?? activity.id
  if (isChannel && !thread) return null
  return { surface: 'teams', workspace: origin.directoryId, channel, root: isChannel ? thread! : channel, direct: conversationType === 'personal' && !isChannel }
}

/** A thread of a channel is named as `CHANNEL;messageid=ROOT`. */
function splitConversation(id: string): { channel: string; root: string | null } {
  const [, channel = '', root] = /^([^;]*)(?:;messageid=([^;]+))?/.exec(id) ?? []
  return { channel, root: root ?? null }
}

/** What came along beside the text. The HTML of the text itself is none. */
function toAttachments({ attachments }: ReceivedActivity): Attachment[] {
  return (attachments ?? []).flatMap(({ contentType = '', name, content }): Attachment[] => {
    if (contentType === 'text/html') return []
    if (contentType === 'messageReference') {
      const preview = toRecord(content).messagePreview
      return typeof preview === 'string' && preview !== '' ? [{ title: 'quoted message', text: preview }] : []
    }
    return [{ title: name || (contentType.startsWith('image/') ? 'an image' : 'a file'), text: null }]
  })
}

function toTimeZone({ localTimezone, entities }: ReceivedActivity): { timeZone?: string } {
  const timeZone = localTimezone ?? entities?.find(({ type }) => type === 'clientInfo')?.timezone
  return timeZone && isTimeZone(timeZone) ? { timeZone } : {}
}

function isTimeZone(name: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }))
  } catch {
    // A name of the author's computer that is none of IANA's.
    return false
  }
}

/** An object as it is, text that holds one read; anything else is empty. */
function toRecord(value: unknown): Record<string, unknown> {
  if (typeof value === 'string') {
    try {
      return toRecord(JSON.parse(value))
    } catch {
      // Text of another kind: nothing in it is ours.
      return {}
    }
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}
