import { NuraError } from '#db/nura-error.ts'
import { forgetText, lastAsker } from '#db/shared/inbox-threads.ts'
import type { AnswerPart } from '#server/answer-part.ts'
import { inSpan } from '#server/tracing/span.ts'
import { admitReader } from './admit-reader.ts'
import type { Whom } from './busy-notes.ts'
import { extendBurst, startBurst, toQuestion } from './burst.ts'
import { takeUp, waitingBeside } from './claimed-turn.ts'
import type { Turn, TurnParts } from './claimed-turn.ts'
import { route, toWord } from './follow-up.ts'
import type { ThreadState } from './follow-up.ts'
import type { AskBody } from './ask.ts'
import { nextTry } from './next-try.ts'
import { isOwnFault, throwOwnFaults } from './own-faults.ts'
import { toAsker } from './platform.ts'
import type { Conversation, Message } from './platform.ts'
import { texts } from './texts.ts'
import { Interruption, watchThread } from './watch-thread.ts'
import { runWord } from './words.ts'

/** What ends without a word, because its asker was told to wait. */
const tooMany = 'refused:too-many-requests'
/** How long a turn that is tried again may have shown nothing, milliseconds. */
const silentMs = 10_000
/** Runs after which who asks is told that nobody could tell who reads along: two more, a few seconds in all. */
const triesToCheck = 3
/** Longest text of one line of context that the server takes. */
const longestLine = 40_000

/**
 * Answers one message, joined with what its thread brought meanwhile, and again when it is revised while the answer is
 * being made. Returns the outcome for the record.
 */
export async function answerMessage(parts: TurnParts, turn: Turn, message: Message, options: { updated: boolean } = { updated: false }): Promise<string> {
  const isSureToAnswer = (message.mentioned || message.place.direct) && toWord(message.text) === null
  if (isSureToAnswer && !message.retell && parts.busy.has(whomOf(turn, message))) return tooMany
  const early = isSureToAnswer ? await turn.platform.converse(turn.tenantId, message, turn) : null
  // Before anything is looked up: people want to see within a second that they were heard.
  early?.status('Reading the question')
  try {
    return await answerHeard(parts, turn, message, { ...options, early })
  } finally {
    await early?.clear()
  }
}

async function answerHeard(parts: TurnParts, turn: Turn, message: Message, options: { updated: boolean; early: Conversation | null }): Promise<string> {
  const thread = await readThreadState(parts, turn, message)
  const silence = reasonForSilence(message, thread)
  if (silence) {
    turn.log.info({ reason: silence }, 'silent')
    await forgetText(parts.db, turn.threadKey, message.id)
    return `silent:${silence}`
  }
  for (let early = options.early; ; early = null) {
    const burst = message.retell ? startBurst(message) : extendBurst(turn.delivery.burst ?? startBurst(message), await waitingBeside(parts.db, turn), thread)
    await turn.save({ burst })
    await takeUp(parts.db, burst.taken, `merged:${turn.inboxId}`)
    const asked: Message = { ...message, ...toQuestion(burst) }
    const isAlone = burst.taken.length === 0 && asked.text === message.text
    if (!isAlone) await early?.clear()
    const conversation = early && isAlone ? early : await turn.platform.converse(turn.tenantId, asked, turn)
    try {
      if (burst.messages.length === 0) return await withdraw(parts, turn, conversation, message.id)
      const word = asked.attachments.length === 0 ? toWord(asked.text) : null
      const done = word === null ? null : await runWord(parts, turn, conversation, asked, word)
      return done ?? (await reply(parts, turn, conversation, asked, { ...options, thread }))
    } catch (error) {
      if (!(error instanceof Interruption)) throw error
      turn.log.info({ reason: error.reason }, 'turn interrupted')
      if (error.reason === 'stopped') {
        await takeUp(parts.db, [error.by], `stopped:${turn.inboxId}`)
        return 'stopped'
      }
    } finally {
      await conversation.clear()
    }
  }
}

/** Why Nura says nothing here; null when it answers. A word such as «mute» is heard in a thread without a mention. */
function reasonForSilence(message: Message, thread: ThreadState): string | null {
  const routed = route({ ...message, direct: message.place.direct }, thread)
  const word = toWord(message.text)
  const steers = (word === 'mute' || word === 'stop' || word === 'unmute') && thread.subscribed && !message.namesOthers
  return routed.answer || steers ? null : routed.reason
}

async function reply(parts: TurnParts, turn: Turn, conversation: Conversation, message: Message, options: { updated: boolean; thread: ThreadState }): Promise<string> {
  conversation.status('Reading the question')
  const admission = await admitReader(parts, turn, conversation)
  if (!admission.ok) {
    // Most of what keeps a platform from telling who reads along is over in seconds.
    if (admission.reason === 'unchecked' && turn.attempt < triesToCheck) throw new NuraError('reader-unchecked', 'The platform does not tell who reads along.', { retryable: true })
    turn.log.info({ reason: admission.reason }, 'refused')
    await conversation.whisper(admission.say)
    return `refused:${admission.reason}`
  }
  const { audience } = admission
  const api = parts.api.as(turn.tenantId, toAsker(message))
  const { subscribed, muted } = options.thread
  // What was said since is told by events; a direct conversation is one transcript from its start.
  const first = !subscribed && !message.place.direct
  if (message.mentioned && !message.retell && (muted || !subscribed)) {
    await api.updateThread(turn.threadKey, { subscribed: true, muted: false }).catch((error: unknown) => turn.log.warn({ err: error }, 'thread not subscribed'))
  }
  const context = !message.retell && (first || message.attachments.length > 0) ? (await conversation.context()).lines : []
  const watch = watchThread(parts, turn)
  try {
    const timeZone = admission.timeZone ?? message.timeZone
    const { prefer } = turn.platform
    const retold = message.retell && { agent: message.retell.agent, retell: message.retell.answerId }
    const body: AskBody = { question: message.text.trim() || 'What is this about?', thread: turn.threadKey, audience, ...(prefer && { prefer }), ...(timeZone && { timeZone }), ...retold }
    if (context.length > 0) body.context = context.map(({ author, text, trusted }) => ({ author: author.slice(0, 200), text: text.slice(0, longestLine), trusted }))
    const retryAt = nextTry(turn.receivedAt)
    const asked = sayOnce(parts, whomOf(turn, message), api.ask(body, watch.signal))
    const answer = retryAt === null ? asked : throwOwnFaults(asked)
    const delivered = await inSpan('deliver', { 'nura.surface': turn.platform.name }, async (span) => {
      const shown = await conversation.deliver(answer, { signal: watch.signal, updated: options.updated, retries: retryAt !== null })
      span.set({ 'nura.outcome': shown.outcome, 'nura.pages': turn.shown.messages.length })
      return shown
    })
    // Whoever broke off is asked once more at once; where nobody answers, that takes a while.
    if (delivered.outcome === 'waiting') throw new NuraError(delivered.code, 'No whole answer yet.', { retryable: true, ...(retryAt && { retryAt: delivered.code === 'model-interrupted' && turn.attempt === 1 ? new Date() : retryAt }) })
    if (!('answerId' in delivered)) return `${delivered.outcome}:${delivered.code}`
    await turn.save({ answerId: delivered.answerId, agent: delivered.agent, notes: delivered.notes ?? [] })
    return delivered.outcome
  } catch (error) {
    if (error instanceof NuraError && error.code === 'told-already') return tooMany
    const interruption = watch.interruption()
    const wasSilent = turn.shown.messages.length === 0 && Date.now() - turn.receivedAt.getTime() > silentMs
    if (!interruption && isOwnFault(error) && wasSilent) await conversation.say(texts.interrupted).catch((cause: unknown) => turn.log.warn({ err: cause }, 'delay not told'))
    throw interruption ?? error
  } finally {
    watch.end()
  }
}

/** Of those who ask too much at once each is told so once, however many turns find it out together. */
async function* sayOnce({ busy }: TurnParts, whom: Whom, answer: AsyncIterable<AnswerPart>): AsyncIterable<AnswerPart> {
  for await (const part of answer) {
    const isRefused = part.kind === 'error' && part.code === 'too-many-requests'
    if (isRefused && part.retryAfter !== undefined && !busy.note(whom, new Date(Date.now() + part.retryAfter * 1_000))) throw new NuraError('told-already', 'They were told to wait.')
    yield part
  }
}

function whomOf(turn: Turn, message: Message): Whom {
  return { tenantId: turn.tenantId, asker: toAsker(message), channel: message.place.channel }
}

function isRetryable(error: unknown): boolean {
  return error instanceof NuraError && error.retryable
}

/** Ends a turn whose question was deleted: no reply stays, and no text of it. */
async function withdraw(parts: TurnParts, turn: Turn, conversation: Conversation, messageId: string): Promise<string> {
  await conversation.retract()
  await forgetText(parts.db, turn.threadKey, messageId)
  return 'deleted'
}

async function readThreadState(parts: TurnParts, turn: Turn, message: Message): Promise<ThreadState> {
  if (message.place.direct) return { subscribed: true, muted: false, asker: message.author }
  try {
    const thread = await parts.api.as(turn.tenantId, toAsker(message)).readThread(turn.threadKey)
    return { ...thread, asker: thread.subscribed ? await lastAsker(parts.db, turn.threadKey, message.id) : null }
  } catch (error) {
    // Named, Nura answers whatever the state; unnamed, it waits until it knows, and stays silent when it never does.
    if (!message.mentioned && isRetryable(error) && nextTry(turn.receivedAt) !== null) throw error
    turn.log.warn({ err: error }, 'state of the thread unknown')
    return { subscribed: false, muted: false, asker: null }
  }
}
