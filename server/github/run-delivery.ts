import { NuraError } from '#db/nura-error.ts'
import { claim, fail, finish, pendingInThread, read, reopen, saveDelivery } from '#db/shared/inbox.ts'
import type { InboxRow } from '#db/shared/inbox.ts'
import { holdClaim, staleMs } from '#db/shared/inbox-claim.ts'
import { createRef } from '../errors.ts'
import type { Logger } from '../log.ts'
import { leaveHint } from '../routes/leave-hint.ts'
import { inSpan } from '../tracing/span.ts'
import type { Span } from '../tracing/span.ts'
import { currentTraceId, inTrace } from '../tracing/traceparent.ts'
import { deliver } from './deliver.ts'
import type { DeliverParts } from './deliver.ts'
import { GithubEvent } from './github-event.ts'
import { toDeliveryJob } from './hints.ts'

export type DeliveryParts = DeliverParts & { log: Logger }
export type DeliveryContext = { signal: AbortSignal; lastAttempt: boolean }

/** How long an event is tried again while a store or GitHub is away; waits that GitHub asks for come on top. */
const giveUpMs = 30 * 60_000
const giveUpWaitingMs = 6 * 3_600_000

/**
 * Carries out one inbox row of GitHub's: claims it, does what its event asks for, and finishes it with exactly one outcome.
 * Safe to call any number of times, from any process: a row that is done, that someone else works on, or whose turn in its
 * thread has not come is left alone.
 *
 * @throws what is to be tried again, after the row was given back
 */
export function createDeliveries(parts: DeliveryParts): (inboxId: string, context: DeliveryContext) => Promise<void> {
  return async function run(inboxId, context) {
    context.signal.throwIfAborted()
    const row = await read(parts.db, inboxId)
    if (!row || row.surface !== 'github' || row.state === 'done' || row.state === 'failed') return
    const [head] = await pendingInThread(parts.db, row.threadKey)
    // The one before this in its thread queues it when it ends.
    if (head && head.id !== row.id) return
    const attempt = await claim(parts.db, inboxId, { staleMs })
    if (attempt === false) return
    const about = { 'nura.tenant': row.tenantId, 'nura.inbox_id': inboxId, 'nura.surface': 'github', 'nura.kind': row.kind, 'nura.attempt': attempt }
    await inTrace(row.traceparent, () => inSpan('delivery', about, (span) => runClaimed(row, attempt, context, span)))
    const [next] = await pendingInThread(parts.db, row.threadKey)
    if (next && next.id !== inboxId) await leaveHint(parts.log, () => parts.enqueue(toDeliveryJob(next.kind), { inboxId: next.id, tenantId: next.tenantId }, { dedupe: next.id }))
  }

  async function runClaimed(row: InboxRow, attempt: number, context: DeliveryContext, span: Span): Promise<void> {
    const hold = holdClaim(parts.db, row.id, attempt, context.signal)
    const log = parts.log.child({ trace: currentTraceId() ?? `${row.id.slice(0, 8)}-${attempt}`, inboxId: row.id, surface: 'github', kind: row.kind })
    try {
      const outcome = await carryOut(parts, row, attempt, { ...context, signal: hold.signal }, log)
      // A failure that was shown is one all the same: delivered again, the event runs again.
      if (outcome.startsWith('failed:')) await fail(parts.db, row.id, attempt, outcome.slice('failed:'.length))
      else await finish(parts.db, row.id, attempt, outcome)
      span.set({ 'nura.outcome': outcome })
      log.info({ outcome }, 'delivery carried out')
    } catch (error) {
      span.fail(error)
      await settle(parts, row, attempt, hold.signal.aborted ? hold.signal.reason : error, context, log)
    } finally {
      hold.end()
    }
  }
}

async function carryOut(parts: DeliveryParts, row: InboxRow, attempt: number, context: DeliveryContext, log: Logger): Promise<string> {
  const event = GithubEvent.safeParse(row.payload)
  if (!event.success) throw new NuraError('bad-payload', 'The stored event is not one that this version can read.')
  const save = (delivery: unknown) => saveDelivery(parts.db, row.id, attempt, delivery)
  const lastAttempt = context.lastAttempt || ageOf(row) > giveUpMs
  return deliver(parts, await parts.db.tenant(row.tenantId), { event: event.data, inboxId: row.id, delivery: row.delivery, save, signal: context.signal, lastAttempt, log })
}

/** A run that failed: given back while trying again may help, else ended as failed, so that a new delivery of it runs again. */
async function settle(parts: DeliveryParts, row: InboxRow, attempt: number, error: unknown, context: DeliveryContext, log: Logger): Promise<void> {
  if (error instanceof NuraError && error.code === 'stale-attempt') return log.warn('another run has taken this delivery over')
  if (context.signal.aborted) {
    await reopen(parts.db, row.id, attempt)
    throw error
  }
  const told = error instanceof NuraError ? error : null
  // A store that dropped the connection is no NuraError: what nobody expected is tried as often as the queue does.
  const mayPass = told ? told.retryable && ageOf(row) < (told.retryAt ? giveUpWaitingMs : giveUpMs) : !context.lastAttempt
  if (mayPass) {
    await reopen(parts.db, row.id, attempt, told?.code ?? 'internal')
    // After the queue's last attempt the sweeper goes on: the row is the record.
    if (told?.retryAt || !context.lastAttempt) throw error
    return log.warn({ err: error }, 'delivery failed and will be tried again')
  }
  log.error({ err: error, ref: createRef() }, 'delivery failed')
  await fail(parts.db, row.id, attempt, told?.code ?? 'internal')
}

function ageOf(row: InboxRow): number {
  return Date.now() - row.receivedAt.getTime()
}
