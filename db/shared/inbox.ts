import { randomUUID } from 'node:crypto'
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

/**
 * Writes an event down, once for each event key, whichever tenant it names. Durable when it resolves.
 * @throws NuraError `unknown-tenant`
 * @param options.revive an event that failed and is sent again is to be carried out again, and then counts as new
 */
export function accept(
  db: Db,
  event: { tenantId: string; surface: string; kind: string; eventKey: string; threadKey: string; payload: unknown; traceparent?: string | null },
  options: { revive?: boolean } = {},
): Promise<{ id: string; isNew: boolean }> {
  return db.control(async (tx) => {
    const id = randomUUID()
    const inserted = await tx.execute(
      `insert into inbox (id, tenant_id, surface, kind, event_key, thread_key, payload, traceparent)
       select $1, id, $3, $4, $5, $6, $7::jsonb, $8 from tenant where id = $2 and closing_at is null on conflict (event_key) do nothing`,
      [id, event.tenantId, event.surface, event.kind, event.eventKey, event.threadKey, toJson(event.payload), event.traceparent ?? null],
    )
    if (inserted > 0) return { id, isNew: true }
    if (options.revive) {
      const [revived] = await tx.query<{ id: string }>(
        `update inbox set state = 'accepted', outcome = null, done_at = null, received_at = now(), updated_at = now(), traceparent = $3
         where event_key = $1 and tenant_id = $2 and state = 'failed' returning id`,
        [event.eventKey, event.tenantId, event.traceparent ?? null],
      )
      if (revived) return { id: revived.id, isNew: true }
    }
    const [known] = await tx.query<{ id: string }>('select id from inbox where event_key = $1', [event.eventKey])
    if (!known) throw new NuraError('unknown-tenant', 'There is no such tenant.')
    return { id: known.id, isNew: false }
  })
}

export async function read(db: Db, id: string): Promise<InboxRow | null> {
  const rows = await db.control((tx) => tx.query<InboxRow>(`select ${columns} from inbox where id = $1`, [id]))
  return rows[0] ?? null
}

/** The span that accepted a row; null when nothing was traced. */
export async function readTraceparent(db: Db, id: string): Promise<string | null> {
  const rows = await db.control((tx) => tx.query<{ traceparent: string | null }>('select traceparent from inbox where id = $1', [id]))
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
  const rows = await db.control((tx) =>
    tx.query<{ attempts: number }>(
      `update inbox set state = 'running', attempts = attempts + 1, updated_at = now()
       where id = $1 and (state = 'accepted' or (state = 'running' and updated_at <= now() - $2 * interval '1 millisecond')) returning attempts`,
      [id, options.staleMs ?? claimLastsMs],
    ),
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
  const changed = await db.control((tx) =>
    tx.execute(`update inbox set updated_at = now()${assignments} where id = $1 and attempts = $2 and state = 'running'`, [id, attempt, ...values]),
  )
  if (changed === 0) throw new NuraError('stale-attempt', 'Another run has taken this event over.')
}

/** Unfinished rows of a thread, oldest first. */
export function pendingInThread(db: Db, threadKey: string): Promise<InboxRow[]> {
  return db.control((tx) => tx.query<InboxRow>(`select ${columns} from inbox where thread_key = $1 and state in ('accepted', 'running') order by sequence`, [threadKey]))
}

/** Rows that nobody has touched for a while and that have no end yet, longest first: what a sweeper queues again. */
export function unfinished(db: Db, search: { olderThanMs: number; limit: number }): Promise<InboxRow[]> {
  return db.control((tx) =>
    tx.query<InboxRow>(
      `select ${columns} from inbox where state in ('accepted', 'running') and updated_at <= now() - $1 * interval '1 millisecond' order by updated_at, sequence limit $2`,
      [search.olderThanMs, search.limit],
    ),
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
