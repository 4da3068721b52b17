import { z } from 'zod'
import { read } from '#db/shared/inbox.ts'
import { findTarget } from '../find-target.ts'
import { toAsker } from '../platform.ts'
import type { Action } from '../platform.ts'
import { texts } from '../texts.ts'
import { toTargetParts, whisper } from './action-target.ts'
import type { ActParts } from './action-target.ts'
import { actions, resolveBlock, sectionBlock } from './blocks.ts'
import { escapeMrkdwn } from './prose.ts'

/** Event type of the metadata by which a call for help is found again. */
const helpMetadata = 'nura_help'

/**
 * Takes the click of the person who asked, which Slack had them confirm, and calls for help once for each answer: however
 * often it is clicked, the call is one row.
 */
export async function askHuman(parts: ActParts, action: Action): Promise<string> {
  const target = await findTarget(toTargetParts(parts), action, action.value)
  if (!target || parts.helpGroup === null) return await whisper(parts, action, texts.gone, 'refused:not-here')
  const asker = 'author' in target.incoming ? target.incoming.author : null
  if (asker !== action.author) return await whisper(parts, action, 'Only the person who asked can call for help here.', 'refused:not-the-asker')
  const call: Action = { ...action, place: target.incoming.place, id: `${actions.callHelp}:${target.row.id}`, name: actions.callHelp, request: {} }
  const accepted = await parts.receive(parts.workspace.tenantId, call, { now: true })
  return accepted?.isNew ? 'help-asked' : await whisper(parts, action, 'Help has been called already: see below in this thread.', 'ignored:help-asked')
}

/** Tags the configured group in the thread. The mention is made here from the configuration, never from what a model wrote. */
export async function callHelp(parts: ActParts, action: Action): Promise<string> {
  const target = await findTarget(toTargetParts(parts), action, action.value)
  if (!target || parts.helpGroup === null || action.id !== `${actions.callHelp}:${action.value}`) return 'refused:not-here'
  const { channel, root } = action.place
  // An earlier run may have posted without living to say so, and a group is not pinged twice.
  const isRepeated = ((await read(parts.db, parts.inboxId))?.attempts ?? 0) > 1
  if (isRepeated && (await isPosted(parts, action))) return 'help-called'
  const known = await whoKnows(parts, action, target.delivery.answerId)
  const text = `:sos: <!subteam^${parts.helpGroup}> asked by <@${action.author}>${known === null ? '' : `\n${escapeMrkdwn(known)}`}`
  await parts.workspace.call('chat.postMessage', {
    channel,
    thread_ts: root,
    text,
    blocks: [sectionBlock(text), resolveBlock(action.value)],
    metadata: { event_type: helpMetadata, event_payload: { inbox_id: action.value } },
    unfurl_links: false,
    unfurl_media: false,
    link_names: false,
  })
  return 'help-called'
}

const Trace = z.object({ whoKnows: z.object({ line: z.string().max(1_000) }) })

/** Who may know, as the answer said it; null when it named nobody, or can no longer be read. */
async function whoKnows(parts: ActParts, action: Action, answerId: string | undefined): Promise<string | null> {
  if (answerId === undefined) return null
  const answer = await parts.api.as(parts.workspace.tenantId, toAsker(action)).readAnswer(answerId).catch(() => null)
  const trace = Trace.safeParse(answer?.trace)
  return trace.success ? trace.data.whoKnows.line : null
}

async function isPosted(parts: ActParts, action: Action): Promise<boolean> {
  const { channel, root } = action.place
  const result = await parts.workspace.call('conversations.replies', { channel, ts: root, limit: 200, include_all_metadata: true })
  const messages = Array.isArray(result.messages) ? (result.messages as { metadata?: { event_type?: string; event_payload?: { inbox_id?: string } } }[]) : []
  return messages.some(({ metadata }) => metadata?.event_type === helpMetadata && metadata.event_payload?.inbox_id === action.value)
}

/** Marks a call for help as done, for everyone who reads it. Whoever is in the conversation may do so. */
export async function resolveHelp(parts: ActParts, action: Action): Promise<string> {
  const target = await findTarget(toTargetParts(parts), action, action.value)
  const ts = action.request.message
  if (!target || !('author' in target.incoming) || typeof ts !== 'string') return await whisper(parts, action, texts.gone, 'refused:not-here')
  const text = `:white_check_mark: Resolved by <@${action.author}> · asked by <@${target.incoming.author}>`
  await parts.workspace.call('chat.update', { channel: action.place.channel, ts, text, blocks: [sectionBlock(text)], link_names: false })
  return 'help-resolved'
}
