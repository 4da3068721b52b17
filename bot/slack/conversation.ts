import type { Logger } from 'pino'
import type { Conversation, ContextLine, Incoming, Shown } from '../platform.ts'
import { toOutdatedParts } from '../to-outdated-parts.ts'
import { admit } from './admission.ts'
import { helpBlocks, markdownBlock, rerunBlock } from './blocks.ts'
import { isFinal, refusalOf } from './call.ts'
import type { SlackCall } from './call.ts'
import type { Self } from './incoming.ts'
import type { Directory } from './people.ts'
import { createReply } from './reply.ts'
import { render } from './render.ts'
import type { renderDefaults } from './render.ts'
import { createStatus } from './status.ts'
import type { RefusedStatus } from './status.ts'
import { readThread } from './thread-context.ts'

const rerunText = 'You edited this question long after I answered it, so my answer is still the one to the old wording.'

export type ConversationParts = {
  call: SlackCall
  self: Self
  directory: Directory
  refusedStatus: RefusedStatus
  /** Whether an admin allowed a channel that is shared with outsiders. */
  isApproved(channel: string): Promise<boolean>
  /** A group can be called when Nura does not know. */
  hasHelpGroup: boolean
  incoming: Incoming
  inboxId: string
  shown: Shown
  mayHavePosted: boolean
  log: Logger
  timing?: Partial<typeof renderDefaults>
}

/** The conversation around one Slack message. */
export function createConversation(parts: ConversationParts): Conversation {
  const { call, self, incoming } = parts
  const { place } = incoming
  const asker = 'author' in incoming ? incoming.author : ''
  // What is told again answers no message of its own.
  const isApart = incoming.kind === 'action' || incoming.kind === 'stop' || (incoming.kind === 'message' && incoming.retell !== undefined)
  const questionId = isApart ? place.root : incoming.id
  const replyParts = { call, place, recipient: asker, botUserId: self.botUserId, questionId, inboxId: parts.inboxId, shown: parts.shown, mayHavePosted: parts.mayHavePosted, log: parts.log }
  const reply = createReply(replyParts)
  const status = createStatus({ call, refused: parts.refusedStatus, channel: place.channel, root: place.root, questionId, log: parts.log })
  const notes: string[] = []
  // Nobody else reads a direct conversation.
  const mayCallHelp = parts.hasHelpGroup && !place.direct
  const renderOptions = { inboxId: parts.inboxId, mayCallHelp, notes, status: status.show, log: parts.log, ...(parts.timing ? { timing: parts.timing } : {}) }

  async function say(text: string, card?: { questions: string[] }): Promise<void> {
    await reply.resume()
    const blocks = card ? helpBlocks(text, card.questions).slice(1) : []
    await reply.put(0, text, blocks)
    await reply.removeFrom(1)
    await reply.dropFiles()
  }

  return {
    say,
    status: status.show,
    clear: (options) => status.clear({ always: options?.always === true, to: 'active' }),
    admit: () => admit(parts),
    async context() {
      if (incoming.kind !== 'message' && incoming.kind !== 'edit') return { lines: [], unread: [] }
      const own = incoming.attachments.flatMap(({ title, text }): ContextLine[] => (text === null ? [] : [{ author: `${title} (attached by ${asker})`, text, trusted: false }]))
      const unreadOwn = incoming.attachments.filter(({ text }) => text === null).map(({ title }) => title)
      const isReply = place.root !== incoming.id
      const thread = isReply ? await readThread(call, self, { channel: place.channel, root: place.root, before: incoming.id }) : { lines: [], unread: [] }
      const unread = [...thread.unread, ...unreadOwn]
      if (unread.length > 0) notes.push(`I could not read: ${unread.slice(0, 5).join(', ')}.`)
      return { lines: [...thread.lines, ...own], unread }
    },
    deliver: (answer, { signal, updated, retries }) => render(answer, reply, { ...renderOptions, updated, retries, signal }),
    async noteOutdated(answer, sha, notesThen) {
      await render(toOutdatedParts(answer, sha), createReply({ ...replyParts, staysDeleted: true }), { ...renderOptions, notes: notesThen, updated: false, retries: false, outdated: true, signal: new AbortController().signal })
    },
    async whisper(text) {
      try {
        await call('chat.postEphemeral', { channel: place.channel, user: asker, ...(place.root ? { thread_ts: place.root } : {}), text, link_names: false })
      } catch (error) {
        if (isFinal(error)) throw error
        await say(text)
      }
    },
    async offerRerun() {
      try {
        await call('chat.postEphemeral', { channel: place.channel, user: asker, thread_ts: place.root, text: rerunText, blocks: [markdownBlock(rerunText), rerunBlock(parts.inboxId)], link_names: false })
      } catch (error) {
        if (isFinal(error)) throw error
        // In the thread it would stand among the answers; the old one stays as it is.
        parts.log.info({ refusal: refusalOf(error) }, 'late edit not offered to run again')
      }
    },
    async retract() {
      await reply.resume()
      await reply.removeFrom(0)
      await reply.dropFiles()
      await status.clear({ always: true, to: 'closed' })
    },
  }
}
