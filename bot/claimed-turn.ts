import type { Logger } from 'pino'
import type { Db } from '#db/index.ts'
import { claim, finish, pendingInThread, saveDelivery } from '#db/shared/inbox.ts'
import type { Metrics } from '#server/metrics.ts'
import type { Waiting } from './burst.ts'
import type { BusyNotes } from './busy-notes.ts'
import { Delivery } from './delivery.ts'
import type { NuraApi } from './nura-api.ts'
import { Incoming } from './platform.ts'
import type { OpenPlatform, Shown } from './platform.ts'

export type TurnParts = {
  db: Db
  api: NuraApi
  platforms: ReadonlyMap<string, OpenPlatform>
  /** Leaves a hint that this row waits. A failure is no loss: the sweeper leaves it again. */
  queue(inboxId: string, tenantId: string): Promise<void>
  busy: BusyNotes
  metrics: Pick<Metrics, 'turns'>
  log: Logger
  /** Milliseconds between looks at what came in meanwhile. */
  watchMs?: number
}

/** One claimed inbox row and what its run may do with it. */
export type Turn = {
  readonly inboxId: string
  readonly tenantId: string
  readonly threadKey: string
  readonly attempt: number
  readonly receivedAt: Date
  readonly platform: OpenPlatform
  readonly delivery: Delivery
  /** Keeps `change` with the row. @throws NuraError `stale-attempt` when another run has taken the row over */
  save(change: Partial<Delivery>): Promise<void>
  readonly shown: Shown
  readonly log: Logger
  /** Aborted when the process stops. */
  readonly signal: AbortSignal
}

type Row = { id: string; tenantId: string; threadKey: string; delivery: unknown; receivedAt: Date }

export function createTurn(db: Db, row: Row, run: { attempt: number; platform: OpenPlatform; log: Logger; signal: AbortSignal }): Turn {
  const delivery = Delivery.parse(row.delivery ?? {})
  const save = async (change: Partial<Delivery>) => {
    Object.assign(delivery, change)
    await saveDelivery(db, row.id, run.attempt, delivery)
  }
  const shown: Shown = {
    get messages() {
      return delivery.messages
    },
    save: (messages) => save({ messages: [...messages] }),
  }
  return { inboxId: row.id, tenantId: row.tenantId, threadKey: row.threadKey, receivedAt: row.receivedAt, delivery, save, shown, ...run }
}

/** What waits in the turn's thread beside it, in the order it came. */
export async function waitingBeside(db: Db, turn: Turn): Promise<Waiting[]> {
  const rows = await pendingInThread(db, turn.threadKey)
  return rows.flatMap((row) => {
    const incoming = Incoming.safeParse(row.payload)
    return row.id === turn.inboxId || !incoming.success ? [] : [{ id: row.id, incoming: incoming.data }]
  })
}

/** Finishes rows that a turn has taken up, so that they get no turn of their own. */
export async function takeUp(db: Db, inboxIds: string[], outcome: string): Promise<void> {
  for (const id of inboxIds) {
    const attempt = await claim(db, id)
    if (attempt !== false) await finish(db, id, attempt, outcome)
  }
}
