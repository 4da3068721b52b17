import type { TenantDb } from '../tenant-db.ts'

/** Ids of the repositories granted to this channel or person by name. */
export async function grantedSources(tenant: TenantDb, reader: { kind: 'channel' | 'person'; id: string }): Promise<string[]> {
  const rows = await tenant.transaction((tx) =>
    tx.query<{ id: string }>(
      'select repository_id as id from source_grant where reader_kind = $1 and reader_id = $2 order by 1',
      [reader.kind, reader.id],
    ),
  )
  return rows.map(({ id }) => id)
}
