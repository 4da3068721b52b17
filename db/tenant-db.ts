import { rememberStore, storeOf, type Store } from './store.ts'
import { joinTransaction, readTenant, runTransaction, type Transaction } from './transaction.ts'

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
  /**
   * Many reads as of one moment, in one transaction instead of one each: whatever reads through the snapshot reads there. It
   * closes when `run` ends, and a connection waits for it: nothing may be waited for in it but the store.
   */
  snapshot<T>(run: (snapshot: TenantDb) => Promise<T>): Promise<T>
  /** The same for what is written: all of it or nothing. */
  together<T>(run: (joined: TenantDb) => Promise<T>): Promise<T>
}

export function createTenantDb(store: Store, tenant: { id: string; slug: string; schema: string }): TenantDb {
  const scope = { role: tenant.schema, schema: tenant.schema }
  const door: TenantDb = Object.freeze({
    ...tenant,
    transaction: <T>(run: (tx: Transaction) => Promise<T>) => runTransaction(store, scope, run),
    snapshot: <T>(run: (snapshot: TenantDb) => Promise<T>) => readTenant(door, (tx) => run(join(door, tx))),
    together: <T>(run: (joined: TenantDb) => Promise<T>) => door.transaction((tx) => run(join(door, tx))),
  } as TenantDb)
  rememberStore(door, store)
  return door
}

/** A door to the same tenant, through which everything is read and written in one open transaction. */
function join(tenant: TenantDb, tx: Transaction): TenantDb {
  const joined: TenantDb = Object.freeze({
    ...tenant,
    transaction: <T>(run: (tx: Transaction) => Promise<T>) => run(tx),
    snapshot: <T>(run: (snapshot: TenantDb) => Promise<T>) => run(joined),
    together: <T>(run: (joined: TenantDb) => Promise<T>) => run(joined),
  })
  rememberStore(joined, storeOf(tenant))
  joinTransaction(joined, tx)
  return joined
}
