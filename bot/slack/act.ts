import { NuraError } from '#db/nura-error.ts'
import { runAgain } from '#db/shared/inbox-threads.ts'
import { toQuestion } from '../burst.ts'
import { toAsker } from '../platform.ts'
import type { Action } from '../platform.ts'
import { texts } from '../texts.ts'
import { toWhy } from '../why.ts'
import { findTarget, whisper } from './action-target.ts'
import type { ActParts } from './action-target.ts'
import { askHuman, callHelp, resolveHelp } from './ask-human.ts'
import { actions, contextBlock, feedbackForm, reasons } from './blocks.ts'
import { isFinal, refusalOf } from './call.ts'
import { runCommand } from './command.ts'
import { escapeMrkdwn } from './prose.ts'

/** What each button, form and command does. A name that is not here was not made by us. */
const table: Record<string, (parts: ActParts, action: Action) => Promise<string>> = {
  [actions.feedback]: giveFeedback,
  [actions.feedbackForm]: giveReason,
  [actions.why]: explain,
  [actions.retry]: askAgain,
  [actions.rerun]: answerEdit,
  [actions.recheck]: askOnceMore,
  [actions.askHuman]: askHuman,
  [actions.callHelp]: callHelp,
  [actions.resolveHelp]: resolveHelp,
  command: runCommand,
}

/** Carries out a click, a form or a command. Returns the outcome for the record. */
export async function act(parts: ActParts, action: Action): Promise<string> {
  const run = Object.hasOwn(table, action.name) ? table[action.name] : undefined
  if (!run) return 'ignored:unknown-action'
  try {
    return await run(parts, action)
  } catch (error) {
    if (!(error instanceof NuraError) || error.retryable || isFinal(error)) throw error
    parts.log.warn({ err: error, action: action.name }, 'action failed')
    return await whisper(parts, action, error.code === 'not-found' ? texts.gone : texts.broken, `failed:${error.code}`)
  }
}

async function giveFeedback(parts: ActParts, action: Action): Promise<string> {
  const [verdict, inboxId = ''] = action.value.split(' ')
  const target = await findTarget(parts, action, inboxId)
  if (!target?.delivery.answerId || (verdict !== 'up' && verdict !== 'down')) return await whisper(parts, action, texts.gone, 'refused:not-here')
  const api = parts.api.as(parts.workspace.tenantId, toAsker(action))
  // The form has three seconds; the vote is kept even when nobody fills it in.
  const opened = verdict === 'down' && (await openView(parts, action, feedbackForm([inboxId, action.place.channel, action.place.root].join(' '))))
  await api.giveFeedback(target.delivery.answerId, { verdict })
  return opened ? 'feedback' : await whisper(parts, action, verdict === 'up' ? 'Thank you, noted.' : 'Noted, thank you: this answer was not good.', 'feedback')
}

async function giveReason(parts: ActParts, action: Action): Promise<string> {
  const target = await findTarget(parts, action, action.value)
  const reason = reasons.find(({ value }) => value === action.request.reason)?.value
  if (!target?.delivery.answerId || !reason) return 'refused:not-here'
  await parts.api.as(parts.workspace.tenantId, toAsker(action)).giveFeedback(target.delivery.answerId, { verdict: 'down', reason })
  return await whisper(parts, action, 'Thank you, noted with the reason.', 'feedback')
}

async function explain(parts: ActParts, action: Action): Promise<string> {
  const target = await findTarget(parts, action, action.value)
  if (!target?.delivery.answerId) return await whisper(parts, action, texts.gone, 'refused:not-here')
  const { passages, facts } = toWhy(await parts.api.as(parts.workspace.tenantId, toAsker(action)).readAnswer(target.delivery.answerId))
  const lines = [...passages.map((passage, index) => `${index + 1}. ${passage}`), ...facts].map(escapeMrkdwn)
  const view = {
    type: 'modal',
    title: { type: 'plain_text', text: 'Why this answer?' },
    close: { type: 'plain_text', text: 'Close' },
    blocks: [{ type: 'section', text: { type: 'mrkdwn', text: '*Passages considered, with scores*' } }, ...lines.map((line) => contextBlock(line.slice(0, 1900)))],
  }
  return (await openView(parts, action, view)) ? 'why' : await whisper(parts, action, lines.join('\n').slice(0, 3500), 'why')
}

async function askAgain(parts: ActParts, action: Action): Promise<string> {
  const target = await findTarget(parts, action, action.value)
  if (!target) return await whisper(parts, action, texts.gone, 'refused:not-here')
  const asker = 'author' in target.incoming ? target.incoming.author : null
  if (asker !== action.author) return await whisper(parts, action, 'Only the person who asked can ask again.', 'refused:not-the-asker')
  if (target.delivery.answerId) return 'ignored:answered'
  if (await runAgain(parts.db, target.row.id)) await parts.queue(target.row.id)
  return 'retry'
}

/** Answers an edited question anew, however late. The edit is told once more, so any number of clicks run it once. */
async function answerEdit(parts: ActParts, action: Action): Promise<string> {
  const edit = (await findTarget(parts, action, action.value))?.incoming
  if (edit?.kind !== 'edit' || edit.text === '') return await whisper(parts, action, texts.gone, 'refused:not-here')
  if (edit.author !== action.author) return await whisper(parts, action, 'Only the person who asked can ask again.', 'refused:not-the-asker')
  await parts.receive(parts.workspace.tenantId, { ...edit, wanted: true })
  return 'rerun'
}

/**
 * Asks the question of an answer whose source has changed anew, in place of that answer. It is told as an edit that changes
 * nothing, once for each answer: any number of clicks run it once. Whoever reads the answer may ask for that.
 */
async function askOnceMore(parts: ActParts, action: Action): Promise<string> {
  const target = await findTarget(parts, action, action.value)
  const asked = target?.incoming
  const { answerId, burst } = target?.delivery ?? {}
  if (!answerId || (asked?.kind !== 'message' && asked?.kind !== 'edit')) return await whisper(parts, action, texts.gone, 'refused:not-here')
  const question = burst && burst.messages.length > 0 ? toQuestion(burst) : asked
  if (question.text === '') return await whisper(parts, action, texts.gone, 'refused:not-here')
  await parts.receive(parts.workspace.tenantId, { ...asked, text: question.text, attachments: question.attachments, kind: 'edit', revision: `recheck ${answerId}`, wanted: true })
  return 'recheck'
}

/** False when Slack no longer takes the click as a reason to open something: a trigger lives three seconds. */
async function openView(parts: ActParts, action: Action, view: Record<string, unknown>): Promise<boolean> {
  if (typeof action.request.trigger !== 'string') return false
  try {
    await parts.workspace.call('views.open', { trigger_id: action.request.trigger, view }, { patience: 0 })
    return true
  } catch (error) {
    parts.log.info({ refusal: refusalOf(error) }, 'form not opened')
    return false
  }
}
