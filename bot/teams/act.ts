import type { Logger } from 'pino'
import { NuraError } from '#db/nura-error.ts'
import type { Db } from '#db/index.ts'
import { findShowing } from '#db/shared/inbox-threads.ts'
import type { NuraApi } from '../nura-api.ts'
import { toThreadKey } from '../platform.ts'
import type { Action, PlatformParts } from '../platform.ts'
import { texts } from '../texts.ts'

/** What came of a click: `say` is told to the one who clicked, `why` wants more room than a line. */
export type Acted = { outcome: string; say?: string; why?: { passages: string[]; facts: string[] } }
export type ActOnReply = (parts: { db: Db; api: NuraApi; tenantId: string; receive: PlatformParts['receive']; queue: PlatformParts['queue'] }, action: Action) => Promise<Acted | null>

export type ActParts = {
  db: Db
  api: NuraApi
  log: Logger
  tenantId: string
  receive: PlatformParts['receive']
  queue: PlatformParts['queue']
  actOnReply: ActOnReply
  /** Makes text of others inert where Teams reads Markdown. */
  plain(text: string): string
  send(conversation: string, text: string): Promise<unknown>
  isFinal(error: unknown): boolean
}

/** Longest that is whispered, characters. */
const mostCharacters = 3500

/** Carries out a click. Returns the outcome for the record. A name that nobody knows was not made by us. */
export async function act(parts: ActParts, given: Action): Promise<string> {
  const action = given.name === 'feedback' ? await toFeedback(parts, given) : given
  try {
    const acted = await parts.actOnReply(parts, action)
    if (acted === null) return 'ignored:unknown-action'
    if (acted.why) return await whisper(parts, action, toLines(parts, acted.why), acted.outcome)
    // Teams itself thanks for a vote; a second thanks would stand there for everyone.
    return acted.say === undefined || acted.outcome === 'feedback' ? acted.outcome : await whisper(parts, action, acted.say, acted.outcome)
  } catch (error) {
    if (!(error instanceof NuraError) || error.retryable || parts.isFinal(error)) throw error
    parts.log.warn({ err: error, action: action.name }, 'action failed')
    return await whisper(parts, action, error.code === 'not-found' ? texts.gone : texts.broken, `failed:${error.code}`)
  }
}

/** Teams tells the message that a vote stands below; the reply that it shows is found by it, in this very conversation. */
async function toFeedback({ db }: ActParts, action: Action): Promise<Action> {
  const { message } = action.request
  if (action.value.includes(' ') || typeof message !== 'string') return action
  const inboxId = await findShowing(db, toThreadKey(action.place), message)
  return { ...action, value: `${action.value} ${inboxId ?? ''}` }
}

function toLines({ plain }: ActParts, { passages, facts }: { passages: string[]; facts: string[] }): string {
  const lines = ['**Passages considered, with scores**', ...passages.map((passage, index) => `${index + 1}. ${plain(passage)}`), ...facts.map((fact) => `- ${plain(fact)}`)]
  return lines.join('\n').slice(0, mostCharacters)
}

/**
 * Tells the one who clicked: in a personal chat nobody else is there; elsewhere as a reply in the thread, for Teams lets a bot
 * say nothing to one alone. Best effort.
 */
async function whisper({ send, log }: ActParts, { place }: Action, text: string, outcome: string): Promise<string> {
  const isThread = place.root !== place.channel
  await send(isThread ? `${place.channel};messageid=${place.root}` : place.channel, text).catch((error: unknown) => log.info({ err: error }, 'whisper not shown'))
  return outcome
}
