import { currentDataKey } from '../keys/data-keys.ts'
import { sourceCredentials } from '../keys/sealed-columns.ts'
import { openSecret, readSecret, writeSecret } from '../keys/secrets.ts'
import { storeOf } from '../store.ts'
import type { TenantDb } from '../tenant-db.ts'

/** What a site is asked with; `user` where its tokens belong to an account that is named beside them. */
export type SourceCredentials = { token: string; user?: string }

/**
 * Keeps what a source is asked with, encrypted, in place of what was kept. With the owner's rights: that the key is in force
 * stands in the control plane, the row in the tenant's schema, and both must hold at one moment.
 * @throws NuraError `encryption-key-missing`
 */
export async function saveCredentials(tenant: TenantDb, repositoryId: string, credentials: SourceCredentials): Promise<void> {
  const scope = { role: null, schema: tenant.schema }
  await writeSecret(storeOf(tenant), scope, toPlace(tenant, repositoryId), JSON.stringify(credentials), (tx, sealed) =>
    tx.execute('update repository set credentials = $2 where id = $1', [repositoryId, sealed]),
  )
}

/** @throws NuraError `encryption-key-missing`, `encryption-key-wrong` where nothing could be kept */
export async function assertKeepable(tenant: TenantDb): Promise<void> {
  await currentDataKey(storeOf(tenant), tenant.id)
}

/** Null when none are kept. @throws NuraError `encryption-key-missing`, `encryption-key-wrong`, `secret-unreadable` */
export function readCredentials(tenant: TenantDb, repositoryId: string): Promise<SourceCredentials | null> {
  return readSecret(async () => {
    const [row] = await tenant.transaction((tx) => tx.query<{ credentials: string | null }>('select credentials from repository where id = $1', [repositoryId]))
    if (!row?.credentials) return null
    return JSON.parse(await openSecret(storeOf(tenant), toPlace(tenant, repositoryId), row.credentials)) as SourceCredentials
  })
}

function toPlace(tenant: TenantDb, repositoryId: string) {
  return { tenantId: tenant.id, context: sourceCredentials.toContext(tenant.id, repositoryId) }
}
