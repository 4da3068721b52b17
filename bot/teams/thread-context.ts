import type { ContextLine, Incoming } from '../platform.ts'
import { decodeEntities, fromHtml } from './plain-text.ts'

/** Most messages, and most characters, of a conversation that are given along, newest kept. */
const mostMessages = 15
const mostCharacters = 24_000
const timeoutMs = 10_000

export type ThreadParts = {
  incoming: Incoming
  /** Root of Microsoft Graph; null where it is not known. */
  graphUrl: string | null
  token(): Promise<string>
  /** Nura's own app. */
  appId: string
  /** The directory's id of the team; null for a chat or where Teams has not told it. */
  groupId: string | null
  /** The conversation is a channel of a team. */
  isChannel: boolean
}

type GraphMessage = {
  id?: string
  messageType?: string
  deletedDateTime?: string | null
  from?: { user?: { id?: string; displayName?: string; tenantId?: string } | null; application?: { id?: string; displayName?: string } | null } | null
  body?: { contentType?: string; content?: string }
}

export type Context = { lines: ContextLine[]; unread: string[] }

/**
 * Reads what came along with a question, and what was said before it in its thread or group chat, where the permissions of the
 * installation allow that. Outsiders and bots are marked as not to be trusted. What Teams does not hand out is named as unread.
 * A personal chat has nothing that is not told by events.
 */
export async function readContext(parts: ThreadParts): Promise<Context> {
  const { incoming } = parts
  if (incoming.kind !== 'message' && incoming.kind !== 'edit') return { lines: [], unread: [] }
  const { place, attachments, author } = incoming
  const own = attachments.flatMap(({ title, text }): ContextLine[] => (text === null ? [] : [{ author: `${title} (attached by ${author})`, text, trusted: false }]))
  const unreadOwn = attachments.filter(({ text }) => text === null).map(({ title }) => title)
  const earlier = place.direct || place.root === incoming.id ? { lines: [], unread: [] } : await readEarlier(parts, incoming)
  return { lines: [...earlier.lines, ...own], unread: [...earlier.unread, ...unreadOwn] }
}

async function readEarlier(parts: ThreadParts, { place, id }: Extract<Incoming, { kind: 'message' | 'edit' }>): Promise<Context> {
  const where = parts.isChannel ? 'thread' : 'chat'
  const unread = (reason: string) => ({ lines: [], unread: [`the earlier messages of this ${where} (${reason})`] })
  const paths = toPaths(parts, place)
  if (parts.graphUrl === null || paths === null) return unread('Teams has not said where they are')
  try {
    const token = await parts.token()
    const pages = await Promise.all(paths.map((path) => get(`${parts.graphUrl!.replace(/\/+$/, '')}/${path}`, token)))
    return { lines: newest(toLines(pages.flatMap(toMessages), { ...parts, directoryId: place.workspace, before: id })), unread: [] }
  } catch (error) {
    return unread(error instanceof Refused ? error.message : 'Teams did not hand them out')
  }
}

/** A thread's root is no reply of its own, so it is asked for beside them. Null where an id is missing. */
function toPaths({ isChannel, groupId }: ThreadParts, { channel, root }: { channel: string; root: string }): string[] | null {
  const chat = encodeURIComponent(channel)
  if (!isChannel) return [`chats/${chat}/messages?$top=${mostMessages + 1}`]
  if (groupId === null) return null
  const thread = `teams/${encodeURIComponent(groupId)}/channels/${chat}/messages/${encodeURIComponent(root)}`
  return [thread, `${thread}/replies?$top=${mostMessages + 1}`]
}

class Refused extends Error {}

async function get(address: string, token: string): Promise<unknown> {
  const response = await fetch(address, { headers: { authorization: `Bearer ${token}` }, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) })
  if (response.status === 401 || response.status === 403) throw new Refused('Nura has no permission to read them here')
  if (!response.ok) throw new Refused(`Microsoft Graph answers ${response.status}`)
  return await response.json()
}

function toMessages(page: unknown): GraphMessage[] {
  const { value } = (page ?? {}) as { value?: unknown }
  return Array.isArray(value) ? (value as GraphMessage[]) : [page as GraphMessage]
}

/** Oldest first: ids are milliseconds. */
function toLines(messages: GraphMessage[], given: { appId: string; directoryId: string; before: string }): ContextLine[] {
  return messages
    .filter(({ id, messageType, deletedDateTime, from }) => id !== undefined && !(Number(id) >= Number(given.before)) && messageType === 'message' && !deletedDateTime && from?.application?.id !== given.appId)
    .sort((one, other) => Number(one.id) - Number(other.id))
    .slice(-mostMessages)
    .map(({ from, body }) => {
      const content = body?.content ?? ''
      const app = from?.application
      return {
        author: app ? `${app.displayName ?? 'bot'} (bot)` : (from?.user?.id ?? 'someone'),
        text: body?.contentType === 'html' ? fromHtml(content) : decodeEntities(content).trim(),
        trusted: !app && from?.user?.tenantId === given.directoryId,
      }
    })
}

function newest(lines: ContextLine[]): ContextLine[] {
  let left = mostCharacters
  return lines.filter((line) => line.text !== '').reverse().filter((line) => (left -= line.text.length) >= 0).reverse()
}
