import { rememberStore, type Store } from './store.ts'
import { runTransaction, type Transaction } from './transaction.ts'

declare const brand: unique symbol

/**
 * One tenant's data. Only `db.tenant(id)` makes it; functions on tenant data take it first. Whatever runs in its
 * transactions has the rights of the tenant's role: its own schema and nothing else.
 */
export type TenantDb = {
  readonly [brand]: 'TenantDb'
  readonly id: string
  readonly slug: string
  readonly schema: string
  transaction<T>(run: (tx: Transaction) => Promise<T>): Promise<T>
}

export function createTenantDb(store: Store, tenant: { id: string; slug: string; schema: string }): TenantDb {
  const scope = { role: tenant.schema, schema: tenant.schema }
  const door = Object.freeze({ ...tenant, transaction: <T>(run: (tx: Transaction) => Promise<T>) => runTransaction(store, scope, run) }) as TenantDb
  rememberStore(door, store)
  return door
}
