import { decrypt, encrypt } from '../encryption.ts'
import { storeOf } from '../store.ts'
import type { TenantDb } from '../tenant-db.ts'

/** What a site is asked with; `user` where its tokens belong to an account that is named beside them. */
export type SourceCredentials = { token: string; user?: string }

/**
 * Keeps what a source is asked with, encrypted, in place of what was kept.
 * @throws NuraError `encryption-key-missing`
 */
export async function saveCredentials(tenant: TenantDb, repositoryId: string, credentials: SourceCredentials): Promise<void> {
  const sealed = encrypt(storeOf(tenant).encryptionKey, JSON.stringify(credentials), toContext(tenant, repositoryId))
  await tenant.transaction((tx) => tx.execute('update repository set credentials = $2 where id = $1', [repositoryId, sealed]))
}

/** @throws NuraError `encryption-key-missing` where nothing could be kept */
export function assertKeepable(tenant: TenantDb): void {
  encrypt(storeOf(tenant).encryptionKey, '', '')
}

/** Null when none are kept. @throws NuraError `encryption-key-missing`, `encryption-key-wrong`, `secret-unreadable` */
export async function readCredentials(tenant: TenantDb, repositoryId: string): Promise<SourceCredentials | null> {
  const [row] = await tenant.transaction((tx) => tx.query<{ credentials: string | null }>('select credentials from repository where id = $1', [repositoryId]))
  if (!row?.credentials) return null
  return JSON.parse(decrypt(storeOf(tenant).encryptionKey, row.credentials, toContext(tenant, repositoryId))) as SourceCredentials
}

/** A row that is copied to another tenant or source does not open. */
function toContext(tenant: TenantDb, repositoryId: string): string {
  return `${tenant.id}:source:${repositoryId}`
}
