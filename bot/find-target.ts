import type { Db } from '#db/index.ts'
import { read } from '#db/shared/inbox.ts'
import type { InboxRow } from '#db/shared/inbox.ts'
import { Delivery } from './delivery.ts'
import { Incoming } from './platform.ts'
import type { Action } from './platform.ts'

/** The row of a reply, what it answers, and how it was delivered. */
export type Target = { row: InboxRow; incoming: Incoming; delivery: Delivery }

/**
 * The reply that a button belongs to. A button's value is only a row's id: the row must be this tenant's, and the click must come
 * from the conversation that the reply was given in, so that nobody reads what was said elsewhere.
 */
export async function findTarget({ db, tenantId }: { db: Db; tenantId: string }, action: Action, inboxId: string): Promise<Target | null> {
  const row = /^[0-9a-f-]{36}$/.test(inboxId) ? await read(db, inboxId) : null
  const incoming = Incoming.safeParse(row?.payload)
  if (!row || row.tenantId !== tenantId || !incoming.success) return null
  const { surface, workspace, channel } = incoming.data.place
  if (surface !== action.place.surface || workspace !== action.place.workspace || channel !== action.place.channel) return null
  return { row, incoming: incoming.data, delivery: Delivery.parse(row.delivery ?? {}) }
}
