import type { Logger } from 'pino'
import { NuraError } from '#db/nura-error.ts'
import { findShowing } from '#db/shared/inbox-threads.ts'
import { actOnReply } from '../act-on-reply.ts'
import type { ReplyActionParts } from '../act-on-reply.ts'
import { toThreadKey } from '../platform.ts'
import type { Action } from '../platform.ts'
import { texts } from '../texts.ts'
import { isFinal } from './connector.ts'
import type { Connector } from './connector.ts'
import { toConversationId } from './conversation.ts'
import { spoken } from './pieces.ts'
import { plain } from './prose.ts'

export type ActParts = ReplyActionParts & { log: Logger; connector: Connector }

/** Longest that is whispered, characters. */
const mostCharacters = 3500

/** Carries out a click. Returns the outcome for the record. A name that nobody knows was not made by us. */
export async function act(parts: ActParts, given: Action): Promise<string> {
  const action = given.name === 'feedback' ? await toFeedback(parts, given) : given
  try {
    const acted = await actOnReply(parts, action)
    if (acted === null) return 'ignored:unknown-action'
    if (acted.why) return await whisper(parts, action, toLines(acted.why), acted.outcome)
    // Teams itself thanks for a vote; a second thanks would stand there for everyone.
    return acted.say === undefined || acted.outcome === 'feedback' ? acted.outcome : await whisper(parts, action, acted.say, acted.outcome)
  } catch (error) {
    if (!(error instanceof NuraError) || error.retryable || isFinal(error)) throw error
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

function toLines({ passages, facts }: { passages: string[]; facts: string[] }): string {
  const lines = ['**Passages considered, with scores**', ...passages.map((passage, index) => `${index + 1}. ${plain(passage)}`), ...facts.map((fact) => `- ${plain(fact)}`)]
  return lines.join('\n').slice(0, mostCharacters)
}

/**
 * Tells the one who clicked: in a personal chat nobody else is there; elsewhere as a reply in the thread, for Teams lets a bot
 * say nothing to one alone. Best effort.
 */
async function whisper({ connector, log }: ActParts, { place }: Action, text: string, outcome: string): Promise<string> {
  await connector.send(toConversationId(place), spoken(text)).catch((error: unknown) => log.info({ err: error }, 'whisper not shown'))
  return outcome
}
