import { z } from 'zod'

/** What Teams sends is read loosely: a field that is not as expected counts as absent, and what needs it is then ignored. */
/** Longer than Teams lets people write: what is beyond is cut off, so that no message costs more than another. */
const longestText = 50_000
const text = z.string().transform((written) => written.slice(0, longestText).toWellFormed()).optional().catch(undefined)
/** An id of Teams': short, for rows are found by it. */
const id = z.string().regex(/^[\x20-\x7e]{1,400}$/).optional().catch(undefined)
/** The id of a directory. One that is given and is none must not count as absent, for another would then stand for it: it is nobody's. */
const directory = z.string().regex(/^[\x20-\x7e]{0,400}$/).nullish().transform((given) => given || undefined).catch('').optional()
const identified = z.object({ id, name: text }).optional().catch(undefined)

const Account = z.object({ id, name: text, aadObjectId: id, role: text, tenantId: directory }).optional().catch(undefined)

const Entity = z.object({ type: text, text, mentioned: identified, timezone: text }).catch({})

const Attachment = z.object({ contentType: text, name: text, content: z.unknown().optional() }).catch({ content: undefined })

/** An activity as the connector of Teams sends it, as far as Nura reads it. */
export const ReceivedActivity = z.object({
  type: z.string().min(1),
  channelId: z.string().catch(''),
  serviceUrl: z.string().catch(''),
  id,
  timestamp: z.iso.datetime({ offset: true }).optional().catch(undefined),
  localTimezone: text,
  name: text,
  action: text,
  text,
  replyToId: id,
  from: Account,
  recipient: Account,
  conversation: z.object({ id, conversationType: text, tenantId: directory }).optional().catch(undefined),
  channelData: z
    .object({
      tenant: z.object({ id: directory }).nullish().transform((given) => given ?? undefined).catch({ id: '' }).optional(),
      team: z.object({ id, aadGroupId: id }).optional().catch(undefined),
      channel: z.object({ id, type: text }).optional().catch(undefined),
      eventType: text,
    })
    .optional()
    .catch(undefined),
  entities: z.array(Entity).optional().catch(undefined),
  attachments: z.array(Attachment).optional().catch(undefined),
  membersAdded: z.array(identified).optional().catch(undefined),
  membersRemoved: z.array(identified).optional().catch(undefined),
  value: z.unknown().optional(),
})
export type ReceivedActivity = z.infer<typeof ReceivedActivity>
