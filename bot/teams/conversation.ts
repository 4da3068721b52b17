import type { Logger } from 'pino'
import type { Admission, ContextLine, Conversation, Incoming, Place, Shown } from '../platform.ts'
import { toOutdatedParts } from '../to-outdated-parts.ts'
import { questionsCard, rerunCard } from './cards.ts'
import { isGone } from './connector.ts'
import type { Connector } from './connector.ts'
import { spoken, toTexts } from './pieces.ts'
import { createReply } from './reply.ts'
import { render } from './render.ts'
import type { renderDefaults } from './render.ts'
import { createStream } from './stream.ts'
import type { streamDefaults } from './stream.ts'
import { createTyping } from './typing.ts'

const rerunText = 'You edited this question long after I answered it, so my answer is still the one to the old wording.'

/** Messages after which people may have lost sight of a question. */
const quotedAfter = 10

export type ConversationParts = {
  connector: Connector
  incoming: Incoming
  inboxId: string
  shown: Shown
  /** Told of every run. Here `shown` says it all: a message is noted before it is posted. */
  mayHavePosted: boolean
  botId: string
  /** May this conversation be answered, and for whom. */
  admit(): Promise<Admission>
  /** What came along with the question, and the thread as far as Teams lets it be read. */
  readContext(): Promise<{ lines: ContextLine[]; unread: string[] }>
  /** Messages that came into the chat since the question; in a thread it is plain what is answered. */
  passed?(): number
  log: Logger
  timing?: Partial<typeof renderDefaults & typeof streamDefaults>
}

/** Where the connector posts a reply that belongs to `place`: in a channel, its thread. */
export function toConversationId(place: Place): string {
  return place.direct || place.root === '' || place.root === place.channel ? place.channel : `${place.channel};messageid=${place.root}`
}

/** The conversation around one Teams message. */
export function createConversation(parts: ConversationParts): Conversation {
  const { connector, incoming, log } = parts
  const { place } = incoming
  const conversation = toConversationId(place)
  const replyParts = { connector, conversation, inboxId: parts.inboxId, shown: parts.shown, log }
  const reply = createReply(replyParts)
  const timing = parts.timing ? { timing: parts.timing } : {}
  // Teams streams to one person alone, and a message that stands is changed rather than streamed again.
  const stream = place.direct && !reply.isResumed ? createStream({ connector, conversation, started: reply.noteStream, log, ...timing }) : null
  const typing = createTyping({ connector, conversation, log })
  const status = (text: string) => (stream && stream.state !== 'over' ? stream.inform(text) : typing.show())
  const notes: string[] = []
  /** Where much was said since, the question stands above its answer. */
  const quote = () => ((incoming.kind === 'message' || incoming.kind === 'edit') && !reply.isResumed && (parts.passed?.() ?? 0) > quotedAfter ? incoming.text : null)
  const renderOptions = { quote, inboxId: parts.inboxId, notes, status, log, ...timing }

  async function say(text: string, card?: { questions: string[] }): Promise<void> {
    const activities = toTexts(text).map((page) => spoken(page))
    const last = activities.at(-1)!
    if (card && card.questions.length > 0) last.attachments = [questionsCard(card.questions)]
    await stream?.settle()
    const ended = stream?.state === 'open' ? await stream.finish(activities[0]!) : null
    if (ended === null || ended === 'refused' || !stream?.id) return await reply.show(activities)
    await reply.noteEnd(stream.id)
    if (ended === 'shown') await reply.show(activities.slice(1), 1)
  }

  return {
    say,
    status,
    admit: parts.admit,
    async clear() {
      typing.clear()
      await stream?.drop()
    },
    async context() {
      if (incoming.kind !== 'message' && incoming.kind !== 'edit') return { lines: [], unread: [] }
      const context = await parts.readContext()
      if (context.unread.length > 0) notes.push(`I could not read: ${context.unread.slice(0, 5).join(', ')}.`)
      return context
    },
    deliver: (answer, { signal, updated, retries }) => render(answer, reply, stream, { ...renderOptions, updated, retries, signal }),
    async noteOutdated(answer, sha, notesThen) {
      const options = { ...renderOptions, notes: notesThen, updated: false, retries: false, outdated: true, signal: new AbortController().signal }
      await render(toOutdatedParts(answer, sha), createReply({ ...replyParts, staysDeleted: true }), null, options)
    },
    // What only one person of a channel sees is a preview in Teams, and not to be relied on.
    whisper: async (text) => await say(text),
    async offerRerun() {
      // In a channel it would stand among the answers, for everyone; the old answer stays as it is.
      if (!place.direct) return
      await connector.send(conversation, spoken(rerunText, rerunCard(parts.inboxId))).catch((error: unknown) => {
        if (isGone(error)) throw error
        log.info({ err: error }, 'late edit not offered to run again')
      })
    },
    async retract() {
      typing.clear()
      await stream?.drop()
      await reply.retract()
    },
  }
}
