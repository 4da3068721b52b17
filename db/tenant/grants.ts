import { readAtOnce } from '../at-once.ts'
import { NuraError } from '../nura-error.ts'
import type { TenantDb } from '../tenant-db.ts'

export type GrantReader = { kind: 'channel' | 'person'; id: string }

/** Lets a channel or person be answered from a source that is not open to the whole tenant. @throws NuraError `unknown-repository` */
export async function grantSource(tenant: TenantDb, repositoryId: string, reader: GrantReader): Promise<void> {
  await tenant.transaction(async (tx) => {
    const [known] = await tx.query('select 1 from repository where id = $1', [repositoryId])
    if (!known) throw new NuraError('unknown-repository', 'There is no such repository.', { field: 'id' })
    await tx.execute('insert into source_grant (repository_id, reader_kind, reader_id) values ($1, $2, $3) on conflict do nothing', [repositoryId, reader.kind, reader.id])
  })
}

export async function revokeSource(tenant: TenantDb, repositoryId: string, reader: GrantReader): Promise<void> {
  await tenant.transaction((tx) =>
    tx.execute('delete from source_grant where repository_id = $1 and reader_kind = $2 and reader_id = $3', [repositoryId, reader.kind, reader.id]),
  )
}

/** Who may be answered from a source beside those that its audience names. */
export function listGrants(tenant: TenantDb, repositoryId: string): Promise<GrantReader[]> {
  return tenant.transaction((tx) =>
    tx.query<GrantReader>('select reader_kind as kind, reader_id as id from source_grant where repository_id = $1 order by 1, 2', [repositoryId]),
  )
}

/** Ids of the repositories granted to this channel or person by name. */
export async function grantedSources(tenant: TenantDb, reader: GrantReader): Promise<string[]> {
  const text = 'select repository_id as id from source_grant where reader_kind = $1 and reader_id = $2 order by 1'
  const rows = await readAtOnce<{ id: string }>(tenant, { text, values: [reader.kind, reader.id] }, {})
  return rows.map(({ id }) => id)
}
