import { z } from 'zod'

/**
 * What Slack sends is read loosely: a field that is not as expected counts as absent, and what needs it is then ignored. That
 * is for Bolt's sake too, which takes fields for what Slack documents, and fails on others.
 */
const gone = undefined
/** Longer than Slack lets people write: what is beyond is cut off, so that no message costs more than another. */
const longestText = 50_000
const text = z.string().transform((written) => written.slice(0, longestText).toWellFormed()).optional().catch(gone)
/** An id or a time of Slack's: short, for rows are found by it. */
const id = z.string().regex(/^[\x21-\x7e]{1,200}$/).optional().catch(gone)
const flag = z.boolean().optional().catch(gone)
const nullable = (of: z.ZodType) => of.nullable().optional().catch(gone)
const listOf = <Item extends z.ZodType>(item: Item) => z.array(z.unknown()).transform((items) => items.flatMap((each) => item.safeParse(each).data ?? [])).optional().catch(gone)

const Blocks = z.array(z.unknown()).optional().catch(gone)
const Card = z.object({
  title: text, pretext: text, text, fallback: text, author_name: text, service_name: text,
  fields: listOf(z.object({ title: text, value: text })),
  blocks: Blocks,
  message_blocks: listOf(z.object({ message: z.object({ blocks: Blocks }).optional().catch(gone) })),
})
const File = z.object({ name: text, title: text, mimetype: text, preview: text, plain_text: text, preview_is_truncated: flag })

const message = {
  type: text, subtype: text, ts: id, thread_ts: id, user: id, bot_id: id, app_id: id, channel: id, channel_type: text, user_team: id, source_team: id,
  hidden: flag, deleted_ts: id, text, blocks: Blocks, attachments: listOf(Card), files: listOf(File),
  edited: z.object({ user: id, ts: id }).optional().catch(gone),
}
const Inner = z.object(message).optional().catch(gone)
const Event = z.object({
  ...message, type: z.string(), message: Inner, previous_message: Inner, event_ts: id, tab: text,
  assistant_thread: z.object({ user_id: id, channel_id: id, thread_ts: id }).optional().catch(gone),
  tokens: z.object({ bot: listOf(z.string()), oauth: listOf(z.string()) }).optional().catch(gone),
})

const Authorization = z.object({ enterprise_id: nullable(id), team_id: nullable(id), user_id: id, is_bot: flag, is_enterprise_install: flag })

const EventPayload = z.object({
  type: text, team_id: id, enterprise_id: id, api_app_id: id, event_id: id, event_time: z.int().min(0).max(1e11).optional().catch(gone),
  is_ext_shared_channel: flag, is_enterprise_install: flag, authorizations: listOf(Authorization), event: Event,
})

const workspace = {
  team: nullable(z.object({ id, domain: text, enterprise_id: id })),
  enterprise: nullable(z.object({ id })),
  is_enterprise_install: z.union([z.boolean(), z.enum(['true', 'false'])]).optional().catch(gone),
  trigger_id: text, response_url: text, api_app_id: id,
}

const CommandPayload = z.object({ ...workspace, command: z.string(), text, team_id: id, enterprise_id: id, user_id: id, channel_id: id, channel_name: text })

const Chosen = z.object({ value: text }).nullable().optional().catch(gone)
const Input = z.object({ selected_option: Chosen, value: nullable(text) }).catch({})
const View = z.object({
  id, type: text, callback_id: z.string(), private_metadata: text, app_installed_team_id: id,
  state: z.object({ values: z.record(z.string(), z.record(z.string(), Input).catch({})).optional().catch(gone) }).optional().catch(gone),
})

/** A click, a form or a shortcut. */
const InteractionPayload = z.object({
  ...workspace, type: z.string(), callback_id: text,
  user: z.object({ id: z.string().regex(/^[\x21-\x7e]{1,200}$/), team_id: id, username: text }),
  channel: z.object({ id, name: text }).optional().catch(gone),
  container: z.object({ type: text, channel_id: id, message_ts: id, thread_ts: id }).optional().catch(gone),
  message: z.object({ ts: id, thread_ts: id, user: id }).optional().catch(gone),
  actions: z.array(z.object({ type: text, action_id: z.string().catch(''), block_id: text, value: text, selected_option: Chosen, action_ts: text })).min(1).optional().catch(gone),
  view: View.optional().catch(gone),
})

const ofView = new Set(['view_submission', 'view_closed'])

/** A payload with the fields that Nura and Bolt read, each as Slack documents it; null where it is none of those that Nura takes. */
export function toReceivedPayload(body: Record<string, unknown>): Record<string, unknown> | null {
  const schema = body.event !== undefined ? EventPayload : body.command !== undefined ? CommandPayload : InteractionPayload
  const { data } = schema.safeParse(body)
  if (data === undefined) return null
  if ('user' in data && ofView.has(data.type ?? '') && !data.view) return null
  // Bolt takes a field that is there for one that has a value.
  return JSON.parse(JSON.stringify(data)) as Record<string, unknown>
}
