import type { Db } from '../index.ts'
import { NuraError } from '../nura-error.ts'
import { toSchemaName } from '../provision.ts'
import { storeOf, type Store } from '../store.ts'
import { runTransaction, type Scope } from '../transaction.ts'
import { replaceDataKey } from './data-keys.ts'
import { sealedColumns, type SealedColumn } from './sealed-columns.ts'
import { openSecret, writeSecret } from './secrets.ts'

/** What a rotation did: the new key, secrets sealed with it, secrets that no key here opens, and keys of before that it destroyed. */
export type Rotation = { keyId: string; resealed: number; unreadable: number; destroyed: number }

type SealedRow = { id: string; sealed: string }

/**
 * Gives a tenant a new data key, wrapped by the master key of now, seals each of its secrets with it, and destroys the keys that
 * nothing needs any more. People read and write meanwhile. What an interrupted one left, the next one does.
 * @throws NuraError `encryption-key-missing`, `unknown-tenant`
 */
export async function rotateKeys(db: Db, tenantId: string): Promise<Rotation> {
  const store = storeOf(db)
  const scope = { role: null, schema: toSchemaName(tenantId) }
  const keyId = await replaceDataKey(store, tenantId)
  let [resealed, unreadable] = [0, 0]
  for (const place of sealedColumns) {
    for (const row of await listSealed(store, scope, place, tenantId)) {
      const done = await reseal(store, scope, place, tenantId, row)
      if (done === 'resealed') resealed++
      if (done === 'unreadable') unreadable++
    }
  }
  return { keyId, resealed, unreadable, destroyed: await destroyUnused(store, scope, tenantId) }
}

function listSealed(store: Store, scope: Scope, { table, column, ofTenant }: SealedColumn, tenantId: string): Promise<SealedRow[]> {
  return runTransaction(store, scope, (tx) => tx.query<SealedRow>(`select id, ${column} as sealed from ${table} where ${ofTenant} and ${column} <> ''`, [tenantId]))
}

/** A row that was written meanwhile is left alone: it is under the new key already. */
async function reseal(store: Store, scope: Scope, { table, column, toContext }: SealedColumn, tenantId: string, { id, sealed }: SealedRow): Promise<'resealed' | 'unreadable' | 'changed'> {
  const place = { tenantId, context: toContext(tenantId, id) }
  const secret = await openSecret(store, place, sealed).catch(orLost)
  if (secret === null) {
    const [same] = await runTransaction(store, scope, (tx) => tx.query(`select 1 from ${table} where id = $1 and ${column} = $2`, [id, sealed]))
    return same ? 'unreadable' : 'changed'
  }
  const swapped = await writeSecret(store, scope, place, secret, (tx, next) => tx.execute(`update ${table} set ${column} = $3 where id = $1 and ${column} = $2`, [id, sealed, next]))
  return swapped > 0 ? 'resealed' : 'changed'
}

/** What asking again does not open; a key store that is away ends the run instead. */
function orLost(error: unknown): null {
  if (error instanceof NuraError && !error.retryable && lostCodes.has(error.code)) return null
  throw error
}
const lostCodes = new Set(['secret-unreadable', 'encryption-key-wrong'])

/** Nobody writes with a retired key any more, so that one without rows stays without. */
function destroyUnused(store: Store, scope: Scope, tenantId: string): Promise<number> {
  const unused = sealedColumns.map(({ table, column, ofTenant }) => `not exists (select 1 from ${table} where ${ofTenant} and ${column} like 'v2.' || tenant_key.id || '.%')`)
  return runTransaction(store, scope, (tx) => tx.execute(`delete from nura.tenant_key where tenant_id = $1 and retired_at is not null and ${unused.join(' and ')}`, [tenantId]))
}
