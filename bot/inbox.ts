import type { Logger } from 'pino'
import type { Db } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { accept, acceptWhere } from '#db/shared/inbox.ts'
import type { Known } from '#db/shared/inbox.ts'
import { inSpan } from '#server/tracing/span.ts'
import { currentTraceparent } from '#server/tracing/traceparent.ts'
import { within } from '#server/within.ts'
import { toEventKey, toThreadKey } from './platform.ts'
import type { Incoming } from './platform.ts'
import { redactIncoming } from './redact-incoming.ts'

export type InboxParts = {
  db: Db
  /** Leaves a hint that a row waits. */
  queue(inboxId: string, tenantId: string): Promise<void>
  log: Logger
}

/** Milliseconds after which a hint counts as late. The row is the record; the sweeper finds what has no hint. */
const queueMs = 500

/**
 * Takes what came in: one row however often it is told, then a hint for the queue, which nobody waits for. Null when it does
 * not concern Nura and nothing of it is kept, as is that of a tenant that is gone. Rejects when it could not be stored, so that
 * the platform is told to send it again.
 */
export async function receive(parts: InboxParts, tenantId: string, incoming: Incoming, options: { hint: boolean } = { hint: true }): Promise<{ id: string; isNew: boolean } | null> {
  const startedAt = Date.now()
  const condition = toCondition(incoming)
  if (condition === 'never') return null
  const { surface } = incoming.place
  return await inSpan('receive', { 'nura.tenant': tenantId, 'nura.surface': surface, 'nura.kind': incoming.kind }, async (span) => {
    const accepted = await keep(parts, tenantId, incoming, condition, options).catch(orGone)
    span.set({ 'nura.inbox_id': accepted?.id, 'nura.outcome': accepted === null ? 'not-for-nura' : accepted.isNew ? 'accepted' : 'known' })
    return accepted
  }, { kind: 'server', root: true, startedAt })
}

async function keep(parts: InboxParts, tenantId: string, incoming: Incoming, condition: Exclude<Condition, 'never'>, options: { hint: boolean }): Promise<{ id: string; isNew: boolean } | null> {
  const threadKey = incoming.kind === 'action' ? toEventKey(incoming) : toThreadKey(incoming.place)
  const event = { tenantId, surface: incoming.place.surface, kind: incoming.kind, eventKey: toEventKey(incoming), threadKey, payload: await redactIncoming(incoming), traceparent: currentTraceparent() }
  const accepted = condition === 'always' ? await accept(parts.db, event) : await acceptWhere(parts.db, event, condition)
  if (accepted?.isNew && options.hint) void hint(parts, accepted.id, tenantId)
  return accepted
}

/** What comes late for a tenant that was deleted is nobody's. */
function orGone(error: unknown): null {
  if (error instanceof NuraError && error.code === 'unknown-tenant') return null
  throw error
}

async function hint(parts: InboxParts, inboxId: string, tenantId: string): Promise<void> {
  try {
    const queued = await within(parts.queue(inboxId, tenantId).then(() => true), queueMs)
    if (queued === null) parts.log.warn({ inboxId }, 'queue is slow; the sweeper will find the row')
  } catch (error) {
    parts.log.warn({ inboxId, err: error }, 'not queued; the sweeper will find the row')
  }
}

type Condition = 'always' | 'never' | Known

/** What people say to each other is not stored: only what names Nura, is said to it alone, or stands where it takes part. */
function toCondition(incoming: Incoming): Condition {
  if (incoming.kind === 'action' || incoming.kind === 'outdated') return 'always'
  if (incoming.kind === 'stop') return { thread: true }
  if (incoming.kind === 'message') {
    if (incoming.mentioned || incoming.place.direct) return 'always'
    return incoming.place.root === incoming.id ? 'never' : { thread: true }
  }
  if (incoming.kind === 'edit' && incoming.mentioned) return 'always'
  return { messageId: incoming.id }
}
