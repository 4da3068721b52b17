import { randomUUID } from 'node:crypto'
import { controlAtOnce } from '../at-once.ts'
import type { Db } from '../index.ts'
import { NuraError } from '../nura-error.ts'
import { toJson } from '../text.ts'

/** An accepted event. The row is the record: whatever a queue says, it is unfinished until it is `done` or `failed`. */
export type InboxRow = {
  id: string
  tenantId: string
  surface: string
  kind: string
  eventKey: string
  threadKey: string
  payload: unknown
  /** What its runs have shown so far; null before the first. */
  delivery: unknown
  state: 'accepted' | 'running' | 'done' | 'failed'
  attempts: number
  outcome: string | null
  error: string | null
  receivedAt: Date
  updatedAt: Date
  doneAt: Date | null
  /** The span that accepted it, as W3C writes it; null when nothing was traced. */
  traceparent: string | null
}

/** A claim that its holder has not renewed for so long is given to the next who asks. */
export const claimLastsMs = 20_000

const columns = `id, tenant_id as "tenantId", surface, kind, event_key as "eventKey", thread_key as "threadKey", payload, delivery, state, attempts,
  outcome, error, received_at as "receivedAt", updated_at as "updatedAt", done_at as "doneAt", traceparent`

export type Event = { tenantId: string; surface: string; kind: string; eventKey: string; threadKey: string; payload: unknown; traceparent?: string | null }

/** What must be known already for an event to be written down: something of its thread, or a message there by its id. */
export type Known = { thread: true } | { messageId: string }

/**
 * Writes an event down, once for each event key, whichever tenant it names. Durable when it resolves.
 * @throws NuraError `unknown-tenant`
 * @param options.revive an event that failed and is sent again is to be carried out again, and then counts as new
 */
export async function accept(db: Db, event: Event, options: { revive?: boolean } = {}): Promise<{ id: string; isNew: boolean }> {
  const written = (await write(db, event, 'true', []))!
  if (written.isNew || !options.revive) return written
  const [revived] = await controlAtOnce<{ id: string }>(
    db,
    `update inbox set state = 'accepted', outcome = null, done_at = null, received_at = now(), updated_at = now(), traceparent = $3
     where event_key = $1 and tenant_id = $2 and state = 'failed' returning id`,
    [event.eventKey, event.tenantId, event.traceparent ?? null],
  )
  return revived ? { id: revived.id, isNew: true } : written
}

/** As `accept`, but only where `known` holds: what people say to each other is not kept. Null where it does not. */
export function acceptWhere(db: Db, event: Event, known: Known): Promise<{ id: string; isNew: boolean } | null> {
  return 'thread' in known
    ? write(db, event, 'exists (select from inbox where thread_key = $6)', [])
    : write(db, event, `exists (select from inbox where thread_key = $6 and payload->>'id' = $9)`, [known.messageId])
}

/** Platforms wait for this: it is one statement, whatever it finds. */
async function write(db: Db, event: Event, condition: string, values: unknown[]): Promise<{ id: string; isNew: boolean } | null> {
  const { tenantId, surface, kind, eventKey, threadKey, payload, traceparent = null } = event
  const [found] = await controlAtOnce<{ added: string | null; known: string | null; concerns: boolean }>(
    db,
    `with asked as (select ${condition} as concerns, exists (select from tenant where id = $2::uuid and closing_at is null) as is_there),
     added as (
       insert into inbox (id, tenant_id, surface, kind, event_key, thread_key, payload, traceparent)
       select $1::uuid, $2::uuid, $3, $4, $5, $6, $7::jsonb, $8 from asked where concerns and is_there on conflict (event_key) do nothing returning id
     )
     select (select id from added) as added, (select id from inbox where event_key = $5) as known, concerns from asked`,
    [randomUUID(), tenantId, surface, kind, eventKey, threadKey, toJson(payload), traceparent, ...values],
  )
  if (!found?.concerns) return null
  if (found.added !== null) return { id: found.added, isNew: true }
  // Written by another process while this statement ran, which therefore does not see it.
  const id = found.known ?? (await controlAtOnce<{ id: string }>(db, 'select id from inbox where event_key = $1', [eventKey]))[0]?.id
  if (id === undefined) throw new NuraError('unknown-tenant', 'There is no such tenant.')
  return { id, isNew: false }
}

export async function read(db: Db, id: string): Promise<InboxRow | null> {
  const rows = await controlAtOnce<InboxRow>(db, `select ${columns} from inbox where id = $1`, [id])
  return rows[0] ?? null
}

/** The span that accepted a row; null when nothing was traced. */
export async function readTraceparent(db: Db, id: string): Promise<string | null> {
  const rows = await controlAtOnce<{ traceparent: string | null }>(db, 'select traceparent from inbox where id = $1', [id])
  return rows[0]?.traceparent ?? null
}

export async function findByKey(db: Db, eventKey: string): Promise<InboxRow | null> {
  const rows = await db.control((tx) => tx.query<InboxRow>(`select ${columns} from inbox where event_key = $1`, [eventKey]))
  return rows[0] ?? null
}

/** The row whose reply shows a stored answer; null when none does. */
export async function findByAnswer(db: Db, tenantId: string, answerId: string): Promise<InboxRow | null> {
  const rows = await db.control((tx) =>
    tx.query<InboxRow>(`select ${columns} from inbox where delivery ? 'answerId' and delivery->>'answerId' = $2 and tenant_id = $1 order by sequence desc limit 1`, [tenantId, answerId]),
  )
  return rows[0] ?? null
}

/**
 * Takes a row to run it: an accepted one, or one whose holder has not renewed its claim. Of any number of callers one wins.
 *
 * @returns the attempt, which the winner shows with every later write; false when the row is finished or someone holds it.
 */
export async function claim(db: Db, id: string, options: { staleMs?: number } = {}): Promise<number | false> {
  const rows = await controlAtOnce<{ attempts: number }>(
    db,
    `update inbox set state = 'running', attempts = attempts + 1, updated_at = now()
     where id = $1 and (state = 'accepted' or (state = 'running' and updated_at <= now() - $2 * interval '1 millisecond')) returning attempts`,
    [id, options.staleMs ?? claimLastsMs],
  )
  return rows[0]?.attempts ?? false
}

/** Renews a claim; call it well within `claimLastsMs` while a run takes time. @throws NuraError `stale-attempt` */
export const renew = (db: Db, id: string, attempt: number) => change(db, id, attempt, '', [])

/** Keeps what this run has shown. @throws NuraError `stale-attempt` when another run has taken the row over */
export const saveDelivery = (db: Db, id: string, attempt: number, delivery: unknown) => change(db, id, attempt, ', delivery = $3', [toJson(delivery)])

/** Ends the row with its outcome. @throws NuraError `stale-attempt` */
export const finish = (db: Db, id: string, attempt: number, outcome: string) =>
  change(db, id, attempt, `, state = 'done', outcome = $3, error = null, done_at = now()`, [outcome])

/** Gives the row back for another attempt. @throws NuraError `stale-attempt` */
export const reopen = (db: Db, id: string, attempt: number, error: string | null = null) => change(db, id, attempt, `, state = 'accepted', error = $3`, [error])

/** Ends the row as failed; its person has been told. @throws NuraError `stale-attempt` */
export const fail = (db: Db, id: string, attempt: number, error: string) =>
  change(db, id, attempt, `, state = 'failed', outcome = 'failed', error = $3, done_at = now()`, [error])

async function change(db: Db, id: string, attempt: number, assignments: string, values: unknown[]): Promise<void> {
  const changed = await controlAtOnce(db, `update inbox set updated_at = now()${assignments} where id = $1 and attempts = $2 and state = 'running' returning id`, [id, attempt, ...values])
  if (changed.length === 0) throw new NuraError('stale-attempt', 'Another run has taken this event over.')
}

/** Unfinished rows of a thread, oldest first. */
export function pendingInThread(db: Db, threadKey: string): Promise<InboxRow[]> {
  return controlAtOnce<InboxRow>(db, `select ${columns} from inbox where thread_key = $1 and state in ('accepted', 'running') order by sequence`, [threadKey])
}

/**
 * Rows that nobody has touched for a while and that have no end yet: what a sweeper queues again. Tenants take turns, each with
 * its longest first, so that one with more than `limit` keeps nobody waiting.
 */
export function unfinished(db: Db, search: { olderThanMs: number; limit: number }): Promise<Pick<InboxRow, 'id' | 'tenantId' | 'surface' | 'kind' | 'threadKey'>[]> {
  return controlAtOnce(
    db,
    `select id, tenant_id as "tenantId", surface, kind, thread_key as "threadKey" from (
       select id, tenant_id, surface, kind, thread_key, updated_at, sequence, row_number() over (partition by tenant_id order by updated_at, sequence) as turn
       from inbox where state in ('accepted', 'running') and updated_at <= now() - $1 * interval '1 millisecond'
     ) as waiting order by turn, updated_at, sequence limit $2`,
    [search.olderThanMs, search.limit],
  )
}

/** Rows that ended without an outcome, or have had none for too long. Must be 0. */
export async function countWithoutOutcome(db: Db, tooLongMs = 10 * 60_000): Promise<number> {
  const rows = await db.control((tx) =>
    tx.query<{ rows: number }>(
      `select count(*)::int as rows from inbox where outcome is null and (state in ('done', 'failed') or received_at <= now() - $1 * interval '1 millisecond')`,
      [tooLongMs],
    ),
  )
  return rows[0]!.rows
}

/** Gives back every claim at once: right only where no other process can hold one, as when the embedded store opens. */
export async function releaseClaims(db: Db): Promise<void> {
  await db.control((tx) => tx.execute(`update inbox set state = 'accepted' where state = 'running'`))
}

/** Deletes rows that ended before `olderThan`. Keep at least a day: platforms deliver an event again for hours. */
export function purge(db: Db, olderThan: Date): Promise<number> {
  return db.control((tx) => tx.execute('delete from inbox where done_at < $1', [olderThan]))
}
