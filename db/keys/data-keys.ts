import { randomBytes, randomUUID } from 'node:crypto'
import { NuraError } from '../nura-error.ts'
import { controlRole } from '../roles.ts'
import type { Store } from '../store.ts'
import { runTransaction, type Transaction } from '../transaction.ts'
import { keyMissing, keyWrong } from './key-errors.ts'
import type { DataKeyName } from './master-key.ts'

export type DataKey = { id: string; key: Buffer }
type WrappedKey = { id: string; wrapped: Uint8Array; wrappedBy: string }

const columns = 'id, wrapped, wrapped_by as "wrappedBy"'

/**
 * The key that a tenant's secrets are sealed with from now on; made at the first.
 * @throws NuraError `encryption-key-missing`, `encryption-key-wrong`, `unknown-tenant`
 */
export async function currentDataKey(store: Store, tenantId: string): Promise<DataKey> {
  if (!store.keyring.current) throw keyMissing()
  const row = (await findLive(store, tenantId)) ?? (await makeFirst(store, tenantId))
  return { id: row.id, key: await unwrap(store, tenantId, row) }
}

/** Null where the tenant has no such key, or none any more. @throws NuraError `encryption-key-wrong` */
export async function findDataKey(store: Store, tenantId: string, id: string): Promise<Buffer | null> {
  const kept = store.keyring.unwrapped.get(toName({ tenantId, keyId: id }))
  if (kept) return kept
  const [row] = await inControl(store, (tx) => tx.query<WrappedKey>(`select ${columns} from tenant_key where id::text = $1 and tenant_id = $2`, [id, tenantId]))
  return row ? unwrap(store, tenantId, row) : null
}

/** Makes a new key the live one; the ones of before only open from now on. @throws NuraError `encryption-key-missing`, `unknown-tenant` */
export async function replaceDataKey(store: Store, tenantId: string): Promise<string> {
  const made = await wrapNew(store, tenantId)
  await inControl(store, async (tx) => {
    // One after another, so that each sees the live key of the one before it.
    const [tenant] = await tx.query('select 1 from tenant where id = $1 and closing_at is null for no key update', [tenantId])
    if (!tenant) throw unknownTenant()
    await tx.query('update tenant_key set retired_at = now() where tenant_id = $1 and retired_at is null', [tenantId])
    await insert(tx, tenantId, made)
  })
  return made.id
}

/** Whether the key may still be written with, which it then stays until the transaction has ended. */
export async function holdDataKey(tx: Transaction, id: string): Promise<boolean> {
  return (await tx.query('select 1 from nura.tenant_key where id = $1 and retired_at is null for share', [id])).length > 0
}

async function findLive(store: Store, tenantId: string): Promise<WrappedKey | undefined> {
  return (await inControl(store, (tx) => tx.query<WrappedKey>(`select ${columns} from tenant_key where tenant_id = $1 and retired_at is null`, [tenantId])))[0]
}

/** Of several who make the first one at once, one does. */
async function makeFirst(store: Store, tenantId: string): Promise<WrappedKey> {
  const made = await wrapNew(store, tenantId)
  await inControl(store, (tx) => insert(tx, tenantId, made))
  const row = await findLive(store, tenantId)
  if (!row) throw unknownTenant()
  return row
}

async function insert(tx: Transaction, tenantId: string, { id, wrapped, wrappedBy }: WrappedKey): Promise<void> {
  await tx.query(
    `insert into tenant_key (id, tenant_id, wrapped, wrapped_by) select $1, id, $3, $4 from tenant where id = $2 and closing_at is null
     on conflict (tenant_id) where retired_at is null do nothing`,
    [id, tenantId, wrapped, wrappedBy],
  )
}

async function wrapNew({ keyring }: Store, tenantId: string): Promise<WrappedKey> {
  if (!keyring.current) throw keyMissing()
  const id = randomUUID()
  return { id, wrapped: await keyring.current.wrap(randomBytes(32), { tenantId, keyId: id }), wrappedBy: keyring.current.id }
}

async function unwrap({ keyring }: Store, tenantId: string, { id, wrapped, wrappedBy }: WrappedKey): Promise<Buffer> {
  const name = { tenantId, keyId: id }
  const kept = keyring.unwrapped.get(toName(name))
  if (kept) return kept
  const master = keyring.masters.get(wrappedBy)
  if (!master) throw keyring.masters.size === 0 ? keyMissing() : keyWrong(wrappedBy)
  const key = await master.unwrap(Buffer.from(wrapped), name)
  keyring.unwrapped.set(toName(name), key)
  return key
}

function inControl<T>(store: Store, run: (tx: Transaction) => Promise<T>): Promise<T> {
  return runTransaction(store, { role: controlRole, schema: 'nura' }, run)
}

function toName({ tenantId, keyId }: DataKeyName): string {
  return `${tenantId}:${keyId}`
}

function unknownTenant(): NuraError {
  return new NuraError('unknown-tenant', 'There is no such tenant.')
}
