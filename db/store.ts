import type { MikroORM } from '@mikro-orm/postgresql'
import type { Keyring } from './keys/keyring.ts'
import type { Pool } from './pool.ts'

/** What a `Db` and its `TenantDb`s stand on. Stays inside `db/`. */
export type Store = {
  readonly kind: 'embedded' | 'postgres'
  readonly pool: Pool
  readonly orm: MikroORM
  /** Where the `vector` extension lives; `extensions` unless a server's administrator put it elsewhere. */
  extensionSchema: string
  /** Encrypts tokens at rest. */
  readonly keyring: Keyring
}

const stores = new WeakMap<object, Store>()

/** Remembers what `door` (a `Db` or a `TenantDb`) stands on, out of reach of whoever holds the door. */
export function rememberStore(door: object, store: Store): void {
  stores.set(door, store)
}

export function storeOf(door: object): Store {
  const store = stores.get(door)
  if (!store) throw new TypeError('Not a Db or TenantDb that openDb made.')
  return store
}
