import type { Logger } from 'pino'
import type { Db } from '#db/index.ts'
import { read } from '#db/shared/inbox.ts'
import type { InboxRow } from '#db/shared/inbox.ts'
import { Delivery } from '../delivery.ts'
import type { NuraApi } from '../nura-api.ts'
import { Incoming } from '../platform.ts'
import type { Action, PlatformParts } from '../platform.ts'
import { refusalOf } from './call.ts'
import type { Workspace } from './installations.ts'

export type ActParts = {
  db: Db
  api: NuraApi
  log: Logger
  workspace: Workspace
  receive: PlatformParts['receive']
  queue: PlatformParts['queue']
  /** User group that is called when Nura does not know; null when none is configured. */
  helpGroup: string | null
  /** The row of the action. */
  inboxId: string
}

/**
 * The reply that a button belongs to. A button's value is only a row's id: the row must be this workspace's, and the click
 * must come from the conversation that the reply was given in, so that nobody reads what was said elsewhere.
 */
export async function findTarget(parts: ActParts, action: Action, inboxId: string): Promise<{ row: InboxRow; incoming: Incoming; delivery: Delivery } | null> {
  const row = /^[0-9a-f-]{36}$/.test(inboxId) ? await read(parts.db, inboxId) : null
  const incoming = Incoming.safeParse(row?.payload)
  if (!row || row.tenantId !== parts.workspace.tenantId || !incoming.success || incoming.data.place.channel !== action.place.channel) return null
  return { row, incoming: incoming.data, delivery: Delivery.parse(row.delivery ?? {}) }
}

/** Tells the one who clicked, and nobody else. Returns `outcome`. */
export async function whisper(parts: ActParts, action: Action, text: string, outcome: string): Promise<string> {
  const { channel, root } = action.place
  await parts.workspace
    .call('chat.postEphemeral', { channel, user: action.author, ...(root ? { thread_ts: root } : {}), text, link_names: false })
    .catch((error: unknown) => parts.log.info({ refusal: refusalOf(error) }, 'whisper not shown'))
  return outcome
}
