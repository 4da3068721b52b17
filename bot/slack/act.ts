import { NuraError } from '#db/nura-error.ts'
import { actOnReply } from '../act-on-reply.ts'
import { findTarget } from '../find-target.ts'
import type { Action } from '../platform.ts'
import { texts } from '../texts.ts'
import { toTargetParts, whisper } from './action-target.ts'
import type { ActParts } from './action-target.ts'
import { askHuman, callHelp, resolveHelp } from './ask-human.ts'
import { actions, contextBlock, feedbackForm } from './blocks.ts'
import { isFinal, refusalOf } from './call.ts'
import { runCommand } from './command.ts'
import { escapeMrkdwn } from './prose.ts'

/** What Slack alone offers, or shows in its own way. */
const table: Record<string, (parts: ActParts, action: Action) => Promise<string>> = {
  [actions.feedback]: giveFeedback,
  [actions.why]: explain,
  [actions.askHuman]: askHuman,
  [actions.callHelp]: callHelp,
  [actions.resolveHelp]: resolveHelp,
  command: runCommand,
}

/** Carries out a click, a form or a command. Returns the outcome for the record. A name that nobody knows was not made by us. */
export async function act(parts: ActParts, action: Action): Promise<string> {
  const run = Object.hasOwn(table, action.name) ? table[action.name]! : actCommonly
  try {
    return await run(parts, action)
  } catch (error) {
    if (!(error instanceof NuraError) || error.retryable || isFinal(error)) throw error
    parts.log.warn({ err: error, action: action.name }, 'action failed')
    return await whisper(parts, action, error.code === 'not-found' ? texts.gone : texts.broken, `failed:${error.code}`)
  }
}

async function actCommonly(parts: ActParts, action: Action): Promise<string> {
  const acted = await actOnReply(toTargetParts(parts), action)
  if (acted === null) return 'ignored:unknown-action'
  return acted.say === undefined ? acted.outcome : await whisper(parts, action, acted.say, acted.outcome)
}

/** A thumb down opens a form, which has three seconds; the vote is kept even when nobody fills it in. */
async function giveFeedback(parts: ActParts, action: Action): Promise<string> {
  const [verdict, inboxId = ''] = action.value.split(' ')
  const target = verdict === 'down' ? await findTarget(toTargetParts(parts), action, inboxId) : null
  const opened = target?.delivery.answerId !== undefined && (await openView(parts, action, feedbackForm([inboxId, action.place.channel, action.place.root].join(' '))))
  if (!opened) return await actCommonly(parts, action)
  return (await actOnReply(toTargetParts(parts), action))!.outcome
}

async function explain(parts: ActParts, action: Action): Promise<string> {
  const { outcome, say, why } = (await actOnReply(toTargetParts(parts), action))!
  if (!why) return await whisper(parts, action, say ?? texts.gone, outcome)
  const { passages, facts } = why
  const lines = [...passages.map((passage, index) => `${index + 1}. ${passage}`), ...facts].map(escapeMrkdwn)
  const view = {
    type: 'modal',
    title: { type: 'plain_text', text: 'Why this answer?' },
    close: { type: 'plain_text', text: 'Close' },
    blocks: [{ type: 'section', text: { type: 'mrkdwn', text: '*Passages considered, with scores*' } }, ...lines.map((line) => contextBlock(line.slice(0, 1900)))],
  }
  return (await openView(parts, action, view)) ? outcome : await whisper(parts, action, lines.join('\n').slice(0, 3500), outcome)
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
