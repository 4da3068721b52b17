import type { Db } from '../index.ts'

/** A finished row whose reply is, or was, visible. */
export type RepliedRow = { id: string; tenantId: string; delivery: unknown; doneAt: Date }

const replied = `state = 'done' and jsonb_array_length(coalesce(delivery->'messages', '[]')) > 0`

/** The newest reply to a message, directly or joined with others; null when it has none. */
export async function findReply(db: Db, threadKey: string, messageId: string): Promise<RepliedRow | null> {
  const rows = await db.control((tx) =>
    tx.query<RepliedRow>(
      `select id, tenant_id as "tenantId", delivery, done_at as "doneAt" from inbox
       where thread_key = $1 and ${replied} and kind in ('message', 'edit')
         and (payload->>'id' = $2 or delivery->'burst'->'messages' @> jsonb_build_array(jsonb_build_object('id', $2::text)))
       order by sequence desc limit 1`,
      [threadKey, messageId],
    ),
  )
  return rows[0] ?? null
}

/** Replies in which an answer was told again for somebody else. */
export async function findRetold(db: Db, threadKey: string, answerId: string): Promise<RepliedRow[]> {
  return await db.control((tx) =>
    tx.query<RepliedRow>(
      `select id, tenant_id as "tenantId", delivery, done_at as "doneAt" from inbox
       where thread_key = $1 and ${replied} and kind = 'message' and payload->'retell'->>'answerId' = $2 order by sequence`,
      [threadKey, answerId],
    ),
  )
}

/** The newest answer of a thread. */
export async function lastReply(db: Db, threadKey: string): Promise<RepliedRow | null> {
  const rows = await db.control((tx) =>
    tx.query<RepliedRow>(
      `select id, tenant_id as "tenantId", delivery, done_at as "doneAt" from inbox
       where thread_key = $1 and ${replied} and delivery ? 'answerId' order by sequence desc limit 1`,
      [threadKey],
    ),
  )
  return rows[0] ?? null
}

/** Who last got an answer in a thread before a message; null when nobody has. */
export async function lastAsker(db: Db, threadKey: string, beforeMessageId: string): Promise<string | null> {
  const rows = await db.control((tx) =>
    tx.query<{ author: string }>(
      `select payload->>'author' as author from inbox
       where thread_key = $1 and ${replied} and kind in ('message', 'edit') and payload->>'id' < $2 order by sequence desc limit 1`,
      [threadKey, beforeMessageId],
    ),
  )
  return rows[0]?.author ?? null
}

/** Takes what a message said out of every row that holds it. Its keys stay, so that a repeated event is still known. */
export async function forgetText(db: Db, threadKey: string, messageId: string): Promise<void> {
  await db.control((tx) =>
    tx.query(
      `update inbox set payload = payload || '{"text": "", "attachments": []}', delivery = delivery - 'burst'
       where thread_key = $1 and payload->>'id' = $2 and kind in ('message', 'edit')`,
      [threadKey, messageId],
    ),
  )
}

/** Lets a finished row run again, as when its person asks for a retry. False when it is not finished. */
export async function runAgain(db: Db, id: string): Promise<boolean> {
  const changed = await db.control((tx) =>
    tx.execute(`update inbox set state = 'accepted', outcome = null, error = null, done_at = null, updated_at = now() where id = $1 and state in ('done', 'failed')`, [id]),
  )
  return changed > 0
}

/** The row whose reply a message of Nura's shows, or showed; null when none does. */
export async function findShowing(db: Db, threadKey: string, messageId: string): Promise<string | null> {
  const rows = await db.control((tx) =>
    tx.query<{ id: string }>(
      `select id from inbox where thread_key = $1 and kind in ('message', 'edit') and delivery->'messages' @> jsonb_build_array($2::text)
       order by sequence desc limit 1`,
      [threadKey, messageId],
    ),
  )
  return rows[0]?.id ?? null
}
