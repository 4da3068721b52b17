import type { Db } from '#db/index.ts'
import { runAgain } from '#db/shared/inbox-threads.ts'
import { agents } from '#server/agents/index.ts'
import { toQuestion } from './burst.ts'
import { feedbackReasons } from './feedback-reasons.ts'
import { findTarget } from './find-target.ts'
import type { NuraApi } from './nura-api.ts'
import { toAsker } from './platform.ts'
import type { Action, Admission, PlatformParts } from './platform.ts'
import { texts } from './texts.ts'
import { toWhy } from './why.ts'

export type ReplyActionParts = {
  db: Db
  api: NuraApi
  tenantId: string
  receive: PlatformParts['receive']
  queue: PlatformParts['queue']
  /** Whether the conversation of a click may be answered now: it may have been opened to others since the reply was given. */
  admit(action: Action): Promise<Admission>
}

/** What came of a click. The platform says `say` to the one who clicked and to nobody else; `why` wants more room than a line. */
export type Acted = { outcome: string; say?: string; why?: ReturnType<typeof toWhy> }

/** The names of what can be done with a reply, and what each needs as its value. */
export const replyActions = {
  /** `up ID` or `down ID` */
  feedback: 'feedback',
  /** ID; the reason is in `request.reason` */
  reason: 'feedback-reason',
  /** ID, as for all below but the last */
  why: 'why',
  retry: 'retry',
  rerun: 'rerun',
  recheck: 'recheck',
  /** `AGENT ID` */
  lens: 'lens',
} as const

const table: Record<string, (parts: ReplyActionParts, action: Action) => Promise<Acted>> = {
  [replyActions.feedback]: giveFeedback,
  [replyActions.reason]: giveReason,
  [replyActions.why]: explain,
  [replyActions.retry]: askAgain,
  [replyActions.rerun]: answerEdit,
  [replyActions.recheck]: askOnceMore,
  [replyActions.lens]: retell,
}

const notHere: Acted = { outcome: 'refused:not-here', say: texts.gone }
const notTheAsker: Acted = { outcome: 'refused:not-the-asker', say: 'Only the person who asked can ask again.' }

/** Carries out what every platform offers below a reply; null for an action that is none of these. */
export async function actOnReply(parts: ReplyActionParts, action: Action): Promise<Acted | null> {
  return Object.hasOwn(table, action.name) ? await table[action.name]!(parts, action) : null
}

async function giveFeedback(parts: ReplyActionParts, action: Action): Promise<Acted> {
  const [verdict, inboxId = ''] = action.value.split(' ')
  const target = await findTarget(parts, action, inboxId)
  if (!target?.delivery.answerId || (verdict !== 'up' && verdict !== 'down')) return notHere
  await apiOf(parts, action).giveFeedback(target.delivery.answerId, { verdict })
  return { outcome: 'feedback', say: verdict === 'up' ? 'Thank you, noted.' : 'Noted, thank you: this answer was not good.' }
}

async function giveReason(parts: ReplyActionParts, action: Action): Promise<Acted> {
  const target = await findTarget(parts, action, action.value)
  const reason = feedbackReasons.find(({ value }) => value === action.request.reason)?.value
  if (!target?.delivery.answerId || !reason) return { outcome: 'refused:not-here' }
  await apiOf(parts, action).giveFeedback(target.delivery.answerId, { verdict: 'down', reason })
  return { outcome: 'feedback', say: 'Thank you, noted with the reason.' }
}

async function explain(parts: ReplyActionParts, action: Action): Promise<Acted> {
  const target = await findTarget(parts, action, action.value)
  if (!target?.delivery.answerId) return notHere
  const admission = await parts.admit(action)
  if (!admission.ok) return { outcome: `refused:${admission.reason}`, say: admission.say }
  return { outcome: 'why', why: toWhy(await apiOf(parts, action).readAnswer(target.delivery.answerId)) }
}

async function askAgain(parts: ReplyActionParts, action: Action): Promise<Acted> {
  const target = await findTarget(parts, action, action.value)
  if (!target) return notHere
  const asker = 'author' in target.incoming ? target.incoming.author : null
  if (asker !== action.author) return notTheAsker
  if (target.delivery.answerId) return { outcome: 'ignored:answered' }
  if (await runAgain(parts.db, target.row.id)) await parts.queue(target.row.id, parts.tenantId)
  return { outcome: 'retry' }
}

/** Answers an edited question anew, however late. The edit is told once more, so any number of clicks run it once. */
async function answerEdit(parts: ReplyActionParts, action: Action): Promise<Acted> {
  const edit = (await findTarget(parts, action, action.value))?.incoming
  if (edit?.kind !== 'edit' || edit.text === '') return notHere
  if (edit.author !== action.author) return notTheAsker
  await parts.receive(parts.tenantId, { ...edit, wanted: true })
  return { outcome: 'rerun' }
}

/**
 * Asks the question of an answer whose source has changed anew, in place of that answer. It is told as an edit that changes
 * nothing, once for each answer: any number of clicks run it once. Whoever reads the answer may ask for that.
 */
async function askOnceMore(parts: ReplyActionParts, action: Action): Promise<Acted> {
  const target = await findTarget(parts, action, action.value)
  const asked = target?.incoming
  const { answerId, burst } = target?.delivery ?? {}
  if (!answerId || (asked?.kind !== 'message' && asked?.kind !== 'edit')) return notHere
  const question = burst && burst.messages.length > 0 ? toQuestion(burst) : asked
  if (question.text === '') return notHere
  await parts.receive(parts.tenantId, { ...asked, text: question.text, attachments: question.attachments, kind: 'edit', revision: `recheck ${answerId}`, wanted: true })
  return { outcome: 'recheck' }
}

/**
 * Tells an answer again as another agent tells it, below it in its thread. Whoever reads the answer may ask for that; it is told
 * as a message of theirs, once for each agent: any number of clicks run it once.
 */
async function retell(parts: ReplyActionParts, action: Action): Promise<Acted> {
  const [name, inboxId = ''] = action.value.split(' ')
  const target = await findTarget(parts, action, inboxId)
  const asked = target?.incoming
  const answerId = target?.delivery.answerId
  const agent = agents.find((each) => each.name === name)
  if (!agent || !answerId || (asked?.kind !== 'message' && asked?.kind !== 'edit')) return notHere
  const told = { author: action.author, mentioned: true, namesOthers: false, attachments: [], text: `As ${agent.title}`, retell: { answerId, agent: agent.name } }
  await parts.receive(parts.tenantId, { ...asked, ...told, kind: 'message', id: `lens ${answerId} ${agent.name}` })
  return { outcome: 'lens' }
}

function apiOf({ api, tenantId }: ReplyActionParts, action: Action) {
  return api.as(tenantId, toAsker(action))
}
