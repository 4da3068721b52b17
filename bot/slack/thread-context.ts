import type { ContextLine } from '../platform.ts'
import { refusalOf } from './call.ts'
import type { SlackCall } from './call.ts'
import type { Self } from './incoming.ts'
import { blockText, toAttachments, toPlainText } from './text.ts'
import type { WithAttachments } from './text.ts'

/** What Slack allows an app outside its directory to read at once. */
const mostMessages = 15
/** Most characters of a thread that are given along, newest kept. */
const mostCharacters = 24_000

type ThreadMessage = WithAttachments & { ts?: string; user?: string; bot_id?: string; username?: string; bot_profile?: { name?: string }; user_team?: string; subtype?: string }

/**
 * Reads what was said in a thread before `before`, once, when Nura is first named in it. Outsiders and other bots are
 * marked as not to be trusted. A thread that Slack does not hand out (rate limit, missing right) is named as unread.
 */
export async function readThread(call: SlackCall, self: Self, at: { channel: string; root: string; before: string }): Promise<{ lines: ContextLine[]; unread: string[] }> {
  let messages: ThreadMessage[]
  try {
    const result = await call('conversations.replies', { channel: at.channel, ts: at.root, latest: at.before, limit: mostMessages }, { patience: 0 })
    messages = Array.isArray(result.messages) ? (result.messages as ThreadMessage[]) : []
  } catch (error) {
    return { lines: [], unread: [`the earlier messages of this thread (${refusalOf(error) ?? 'Slack did not hand them out'})`] }
  }
  const earlier = messages.filter((message) => message.ts !== undefined && message.ts < at.before && !isOwn(message, self)).slice(-mostMessages)
  const read = earlier.map((message) => toContext(message, self))
  return { lines: newest(read.map(({ line }) => line)), unread: read.flatMap(({ unread }) => unread) }
}

export function toContext(message: ThreadMessage, self: Self): { line: ContextLine; unread: string[] } {
  const attachments = toAttachments(message, self.botUserId)
  const texts = attachments.flatMap(({ title, text }) => (text === null ? [] : [`[${title}] ${text}`]))
  const isBot = message.bot_id !== undefined || message.subtype === 'bot_message'
  const own = toPlainText(message.text || (attachments.length === 0 ? blockText(message.blocks) : ''), self.botUserId)
  return {
    line: {
      author: isBot ? `${message.bot_profile?.name ?? message.username ?? 'bot'} (bot)` : (message.user ?? 'someone'),
      text: [own, ...texts].filter(Boolean).join('\n'),
      trusted: !isBot && (message.user_team === undefined || message.user_team === self.teamId),
    },
    unread: attachments.filter(({ text }) => text === null).map(({ title }) => title),
  }
}

function isOwn(message: ThreadMessage, self: Self): boolean {
  return message.user === self.botUserId || (self.botId !== undefined && message.bot_id === self.botId)
}

function newest(lines: ContextLine[]): ContextLine[] {
  let left = mostCharacters
  return lines.filter((line) => line.text !== '').reverse().filter((line) => (left -= line.text.length) >= 0).reverse()
}
