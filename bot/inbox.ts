import type { Logger } from 'pino'
import type { Db } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { accept } from '#db/shared/inbox.ts'
import { isMessageKnown, isThreadKnown } from '#db/shared/inbox-threads.ts'
import { inSpan } from '#server/tracing/span.ts'
import { currentTraceparent } from '#server/tracing/traceparent.ts'
import { within } from '#server/within.ts'
import { toEventKey, toThreadKey } from './platform.ts'
import type { Incoming } from './platform.ts'

export type InboxParts = {
  db: Db
  /** Leaves a hint that a row waits. */
  queue(inboxId: string): Promise<void>
  log: Logger
}

/** Longest that accepting waits for the queue, milliseconds. The row is the record; the sweeper finds what has no hint. */
const queueMs = 500

/**
 * Takes what came in: one row however often it is told, then a hint for the queue. Null when it does not concern Nura and
 * nothing of it is kept, as is that of a tenant that is gone. Rejects when it could not be stored, so that the platform is told to send it again.
 */
export async function receive(parts: InboxParts, tenantId: string, incoming: Incoming, options: { hint: boolean } = { hint: true }): Promise<{ id: string; isNew: boolean } | null> {
  const startedAt = Date.now()
  if (!(await concernsNura(parts.db, incoming))) return null
  const { surface } = incoming.place
  return await inSpan('receive', { 'nura.tenant': tenantId, 'nura.surface': surface, 'nura.kind': incoming.kind }, async (span) => {
    const accepted = await keep(parts, tenantId, incoming, options).catch(orGone)
    if (accepted === null) return null
    span.set({ 'nura.inbox_id': accepted.id, 'nura.outcome': accepted.isNew ? 'accepted' : 'known' })
    return accepted
  }, { kind: 'server', root: true, startedAt })
}

async function keep(parts: InboxParts, tenantId: string, incoming: Incoming, options: { hint: boolean }): Promise<{ id: string; isNew: boolean }> {
  const threadKey = incoming.kind === 'action' ? toEventKey(incoming) : toThreadKey(incoming.place)
  const row = { tenantId, surface: incoming.place.surface, kind: incoming.kind, eventKey: toEventKey(incoming), threadKey, payload: incoming, traceparent: currentTraceparent() }
  const accepted = await accept(parts.db, row)
  if (accepted.isNew && options.hint) await hint(parts, accepted.id)
  return accepted
}

/** What comes late for a tenant that was deleted is nobody's. */
function orGone(error: unknown): null {
  if (error instanceof NuraError && error.code === 'unknown-tenant') return null
  throw error
}

async function hint(parts: InboxParts, inboxId: string): Promise<void> {
  try {
    const queued = await within(parts.queue(inboxId).then(() => true), queueMs)
    if (queued === null) parts.log.warn({ inboxId }, 'queue is slow; the sweeper will find the row')
  } catch (error) {
    parts.log.warn({ inboxId, err: error }, 'not queued; the sweeper will find the row')
  }
}

/** What people say to each other is not stored: only what names Nura, is said to it alone, or stands where it takes part. */
async function concernsNura(db: Db, incoming: Incoming): Promise<boolean> {
  if (incoming.kind === 'action' || incoming.kind === 'outdated') return true
  const threadKey = toThreadKey(incoming.place)
  if (incoming.kind === 'stop') return await isThreadKnown(db, threadKey)
  if (incoming.kind === 'message') {
    if (incoming.mentioned || incoming.place.direct) return true
    return incoming.place.root !== incoming.id && (await isThreadKnown(db, threadKey))
  }
  if (incoming.kind === 'edit' && incoming.mentioned) return true
  return await isMessageKnown(db, threadKey, incoming.id)
}
