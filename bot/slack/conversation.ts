import type { Logger } from 'pino'
import { within } from '#server/within.ts'
import type { Admission, Conversation, ContextLine, Incoming, Shown } from '../platform.ts'
import { toOutdatedParts } from '../to-outdated-parts.ts'
import { helpBlocks, markdownBlock, rerunBlock } from './blocks.ts'
import { isFinal, refusalOf } from './call.ts'
import type { SlackCall } from './call.ts'
import type { Self } from './incoming.ts'
import type { Directory, PersonFacts } from './people.ts'
import { createReply } from './reply.ts'
import { render } from './render.ts'
import type { renderDefaults } from './render.ts'
import { createStatus } from './status.ts'
import type { RefusedStatus } from './status.ts'
import { readThread } from './thread-context.ts'

export const refusalText =
  'I do not answer in channels or messages shared with another organisation: what I say here would leave your workspace. An admin of this workspace can allow this channel with `/nura allow`.'
export const uncheckedText = 'I could not check whether outsiders read along here, so I do not answer. Please try again in a minute.'
/** How long a question waits to learn its asker's time zone, milliseconds: it can be answered in UTC. */
const zoneMs = 2000
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
    async admit(): Promise<Admission> {
      const id = `slack:${place.workspace}`
      try {
        if (place.direct) {
          const person = await parts.directory.person(asker)
          if (isFromOutside(incoming) || person.stranger) return { ok: false, reason: 'external-person', say: refusalText }
          // A guest is not a member of the workspace at large: only what everyone in the world may read.
          return { ok: true, audience: person.guest ? { kind: 'public' } : { kind: 'person', id: `${id}:${asker}` }, ...toZone(person) }
        }
        // Asked for at once, not waited for by a refusal, and no reason for one.
        const person = parts.directory.person(asker).catch((error: unknown) => {
          parts.log.debug({ refusal: refusalOf(error) }, 'slack could not tell the time zone of the asker')
          return { timeZone: null }
        })
        const shared = isFromOutside(incoming) || (await parts.directory.channel(place.channel)).shared
        if (shared && !(await parts.isApproved(place.channel))) return { ok: false, reason: 'external-channel', say: refusalText }
        return { ok: true, audience: { kind: 'channel', id: `${id}:${place.channel}` }, ...toZone((await within(person, zoneMs)) ?? { timeZone: null }) }
      } catch (error) {
        if (isFinal(error)) throw error
        parts.log.warn({ err: error, refusal: refusalOf(error) }, 'slack could not tell who reads along')
        return { ok: false, reason: 'unchecked', say: uncheckedText }
      }
    },
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

function toZone({ timeZone }: Pick<PersonFacts, 'timeZone'>): { timeZone?: string } {
  return timeZone === null ? {} : { timeZone }
}

function isFromOutside(incoming: Incoming): boolean {
  return (incoming.kind === 'message' || incoming.kind === 'edit') && incoming.external
}
