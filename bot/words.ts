import { NuraError } from '#db/nura-error.ts'
import { lastReply } from '#db/shared/inbox-threads.ts'
import { toSettingsText } from '#server/explain-settings.ts'
import { admitReader } from './admit-reader.ts'
import type { Turn, TurnParts } from './claimed-turn.ts'
import { Delivery } from './delivery.ts'
import type { Word } from './follow-up.ts'
import { toAsker } from './platform.ts'
import type { Conversation, Message } from './platform.ts'
import { texts } from './texts.ts'
import { toWhy } from './why.ts'

/** Does what a word asks for, visibly. Returns the outcome for the record; null when here it is no word but a question. */
export async function runWord(parts: TurnParts, turn: Turn, conversation: Conversation, message: Message, word: Word): Promise<string | null> {
  const api = parts.api.as(turn.tenantId, toAsker(message))
  if (word === 'help' || word === 'empty') {
    const admission = await admitReader(parts, turn, conversation)
    await conversation.say(texts.help, { questions: admission.ok ? await api.suggestions(admission.audience) : [] })
  } else if (word === 'mute' || word === 'stop') {
    await api.updateThread(turn.threadKey, { muted: true })
    await conversation.say(texts.muted)
  } else if (word === 'unmute') {
    await api.updateThread(turn.threadKey, { subscribed: true, muted: false })
    await conversation.say(texts.unmuted)
  } else if (word === 'why') {
    const why = await explainLast(parts, turn, message)
    if (why === null) return null
    await conversation.say(why)
  } else if (word === 'config') {
    const admission = await admitReader(parts, turn, conversation)
    if (!admission.ok) {
      await conversation.whisper(admission.say)
      return `refused:${admission.reason}`
    }
    await conversation.say(toSettingsText(await api.readSettings(admission.audience, turn.threadKey)))
  } else await conversation.say(texts.privacy)
  return `word:${word}`
}

/** What the last answer of the thread rests on, said where that answer was given: to the same readers. Null when there is none. */
async function explainLast(parts: TurnParts, turn: Turn, message: Message): Promise<string | null> {
  const row = await lastReply(parts.db, turn.threadKey)
  const { answerId } = Delivery.parse(row?.delivery ?? {})
  if (!row || row.tenantId !== turn.tenantId || !answerId) return null
  try {
    const { passages, facts } = toWhy(await parts.api.as(turn.tenantId, toAsker(message)).readAnswer(answerId))
    return [`**What the last answer rests on**`, ...passages.map((passage, index) => `${index + 1}. ${passage}`), ...facts.map((fact) => `- ${fact}`)].join('\n')
  } catch (error) {
    if (error instanceof NuraError && error.code === 'not-found') return texts.gone
    throw error
  }
}
