import { NuraError } from '#db/nura-error.ts'
import { claim, fail, finish, pendingInThread, read, reopen } from '#db/shared/inbox.ts'
import type { InboxRow } from '#db/shared/inbox.ts'
import { holdClaim, staleMs } from '#db/shared/inbox-claim.ts'
import { createRef } from '#server/errors.ts'
import { inSpan } from '#server/tracing/span.ts'
import type { Span } from '#server/tracing/span.ts'
import { currentTraceId, inTrace } from '#server/tracing/traceparent.ts'
import { answerMessage } from './answer-message.ts'
import { createTurn } from './claimed-turn.ts'
import type { Turn, TurnParts } from './claimed-turn.ts'
import { noteOutdated } from './outdated.ts'
import { Incoming } from './platform.ts'
import type { OpenPlatform, Stop } from './platform.ts'
import { applyDeletion, applyEdit } from './revisions.ts'
import { texts } from './texts.ts'

export type RunContext = { signal: AbortSignal; lastAttempt: boolean }
type Claimed = { attempt: number; platform: OpenPlatform; context: RunContext; span: Span }

/** How long a turn is tried again while Slack or the database is away. */
const giveUpMs = 30 * 60_000
/** Runs that may end with their process before a row is given up, visibly. */
const mostCrashes = 3

/**
 * Carries out one inbox row: claims it, does what it asks for, and finishes it with exactly one outcome. Safe to call any
 * number of times, from any process: a row that is done, that someone else works on, or whose turn in its thread has not
 * come is left alone.
 */
export function createTurns(parts: TurnParts): (inboxId: string, context: RunContext) => Promise<void> {
  return async function run(inboxId, context) {
    const row = await read(parts.db, inboxId)
    if (!row || row.state === 'done' || row.state === 'failed') return
    const platform = parts.platforms.get(row.surface)
    if (!platform) return parts.log.warn({ surface: row.surface, inboxId }, 'row of a surface that is not configured here')
    const [head] = await pendingInThread(parts.db, row.threadKey)
    // The turn before this one in its thread takes it up, or queues it when it ends.
    if (head && head.id !== row.id) return
    const attempt = await claim(parts.db, inboxId, { staleMs })
    if (attempt === false) return
    const about = { 'nura.tenant': row.tenantId, 'nura.inbox_id': inboxId, 'nura.surface': row.surface, 'nura.kind': row.kind, 'nura.attempt': attempt }
    await inTrace(row.traceparent, () => inSpan('turn', about, (span) => runClaimed(row, { attempt, platform, context, span })))
    const [next] = await pendingInThread(parts.db, row.threadKey)
    if (next && next.id !== inboxId) await parts.queue(next.id, next.tenantId).catch((error: unknown) => parts.log.warn({ err: error, inboxId }, 'next turn of the thread not queued'))
  }

  async function runClaimed(row: InboxRow, { attempt, platform, context, span }: Claimed): Promise<void> {
    const hold = holdClaim(parts.db, row.id, attempt, context.signal)
    const log = parts.log.child({ trace: currentTraceId() ?? `${row.id.slice(0, 8)}-${attempt}`, inboxId: row.id, surface: row.surface, kind: row.kind })
    const turn = createTurn(parts.db, row, { attempt, platform, log, signal: hold.signal })
    const incoming = Incoming.safeParse(row.payload)
    try {
      const outcome = await carryOut(parts, turn, row.state, incoming.data)
      await finish(parts.db, row.id, attempt, outcome)
      span.set({ 'nura.outcome': outcome, 'nura.agent': turn.delivery.agent })
      parts.metrics.turns.inc({ surface: row.surface, agent: turn.delivery.agent ?? 'none', outcome: outcome.split(':')[0] ?? outcome })
      log.info({ outcome }, 'turn ended')
    } catch (error) {
      span.fail(error)
      await settle(parts, turn, incoming.data, hold.signal.aborted ? hold.signal.reason : error, context).catch((cause: unknown) => {
        // Whatever it failed of: a run that comes late finds its row with another, and what that one does stands.
        if (!isOvertaken(cause)) throw cause
        log.warn('another run has taken this turn over')
      })
    } finally {
      hold.end()
    }
  }
}

async function carryOut(parts: TurnParts, turn: Turn, stateBefore: string, incoming: Incoming | undefined): Promise<string> {
  if (!incoming) throw new NuraError('bad-payload', 'The stored event is not one that this version can read.')
  // A claim that ran out: the process that held it died or froze.
  if (stateBefore === 'running') await turn.save({ crashes: turn.delivery.crashes + 1 })
  if (turn.delivery.crashes >= mostCrashes) throw new NuraError('poison', 'The event was given up: its runs ended with their process.')
  if (incoming.kind === 'action') return await turn.platform.act(turn.tenantId, incoming, turn.inboxId)
  if (incoming.kind === 'edit') return await applyEdit(parts, turn, incoming)
  if (incoming.kind === 'deletion') return await applyDeletion(parts, turn, incoming)
  if (incoming.kind === 'stop') return await stopNothing(turn, incoming)
  if (incoming.kind === 'outdated') return await noteOutdated(parts, turn, incoming)
  return await answerMessage(parts, turn, incoming)
}

/** A running turn takes up what stops it. Where none runs any more, only the status may still say otherwise. */
async function stopNothing(turn: Turn, stop: Stop): Promise<string> {
  const conversation = await turn.platform.converse(turn.tenantId, stop, turn)
  await conversation.clear({ always: true })
  return 'ignored:nothing-running'
}

const isOvertaken = (error: unknown) => error instanceof NuraError && error.code === 'stale-attempt'

/** A turn that failed: tried again while that may help, else ended with a visible line. @throws NuraError `stale-attempt` when another run has it */
async function settle(parts: TurnParts, turn: Turn, incoming: Incoming | undefined, error: unknown, context: RunContext): Promise<void> {
  if (isOvertaken(error)) throw error
  if (context.signal.aborted) {
    turn.log.info('turn given back: the process stops')
    return void (await reopen(parts.db, turn.inboxId, turn.attempt))
  }
  const verdict = turn.platform.judge(error)
  if (verdict !== null) {
    turn.log.info({ err: error, verdict }, 'nothing can be shown there any more')
    parts.metrics.turns.inc({ surface: turn.platform.name, agent: 'none', outcome: verdict })
    return await finish(parts.db, turn.inboxId, turn.attempt, verdict)
  }
  const isYoung = Date.now() - turn.receivedAt.getTime() < giveUpMs
  if (error instanceof NuraError && error.retryable && isYoung) {
    turn.log.warn({ err: error }, 'turn failed and will be tried again')
    await reopen(parts.db, turn.inboxId, turn.attempt, error.code)
    // After the queue's last attempt the sweeper goes on: the row is the record. Waiting for a moment costs no attempt.
    if (!context.lastAttempt || error.retryAt) throw error
    return
  }
  const ref = createRef()
  turn.log.error({ err: error, ref }, 'turn failed')
  if (incoming?.kind === 'message' || incoming?.kind === 'edit') {
    const conversation = await turn.platform.converse(turn.tenantId, incoming, turn).catch(() => null)
    await conversation?.say(`${texts.broken} Ref ${ref}`).catch((cause: unknown) => turn.log.error({ err: cause, ref }, 'failure not shown'))
  }
  await fail(parts.db, turn.inboxId, turn.attempt, error instanceof NuraError ? error.code : 'internal')
  parts.metrics.turns.inc({ surface: turn.platform.name, agent: 'none', outcome: 'failed' })
}
