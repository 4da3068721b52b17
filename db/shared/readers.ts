import { controlAtOnce } from '../at-once.ts'
import type { Db } from '../index.ts'

export type Reader = { kind: 'channel' | 'person'; id: string }

/** Notes that a verified event came from this channel or person, which makes its id one that an audience may name. */
export async function remember(db: Db, tenantId: string, reader: Reader & { surface: string }): Promise<void> {
  await db.control((tx) =>
    tx.execute(
      `insert into reader (tenant_id, kind, id, surface) values ($1, $2, $3, $4) on conflict (tenant_id, kind, id) do update set seen_at = now()`,
      [tenantId, reader.kind, reader.id, reader.surface],
    ),
  )
}

export async function isKnown(db: Db, tenantId: string, kind: Reader['kind'], id: string): Promise<boolean> {
  const rows = await controlAtOnce(db, 'select 1 from reader where tenant_id = $1 and kind = $2 and id = $3', [tenantId, kind, id])
  return rows.length > 0
}

/** Forgets a channel or person, such as one that has left. */
export async function forget(db: Db, tenantId: string, reader: Reader): Promise<void> {
  await db.control((tx) => tx.execute('delete from reader where tenant_id = $1 and kind = $2 and id = $3', [tenantId, reader.kind, reader.id]))
}
