import type { Db } from '../index.ts'
import { storeOf, type Store } from '../store.ts'
import { toStoreError } from '../store-error.ts'

/** Keys held in this process: the embedded store has no other. */
const held = new WeakMap<Store, Set<string>>()

/**
 * Runs `run` unless someone, in whatever process, runs under the same key now. Holds one connection, no transaction, for as
 * long as `run` takes; when the holder dies the key is free at once.
 *
 * @returns false when the key is held; nothing was run then.
 */
export async function exclusively(db: Db, key: string, run: () => Promise<void>): Promise<boolean> {
  const store = storeOf(db)
  return store.kind === 'embedded' ? inProcess(store, key, run) : onServer(store, key, run)
}

async function inProcess(store: Store, key: string, run: () => Promise<void>): Promise<boolean> {
  const keys = held.get(store) ?? new Set()
  held.set(store, keys)
  if (keys.has(key)) return false
  keys.add(key)
  try {
    await run()
    return true
  } finally {
    keys.delete(key)
  }
}

async function onServer(store: Store, key: string, run: () => Promise<void>): Promise<boolean> {
  const client = await store.pool.connect().catch((error: unknown) => {
    throw toStoreError(error)
  })
  let unlocked = false
  try {
    const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock(hashtextextended($1, 0)) as locked', [key])
    if (!rows[0]?.locked) {
      unlocked = true
      return false
    }
    try {
      await run()
    } finally {
      // Before anyone hears how it went: who then tries again at once must find the key free.
      const { rows: freed } = await client.query<{ freed: boolean }>('select pg_advisory_unlock(hashtextextended($1, 0)) as freed', [key]).catch(() => ({ rows: [] }))
      unlocked = freed[0]?.freed === true
    }
    return true
  } finally {
    // A connection that may still hold the lock is destroyed, which lets go of it.
    client.release(!unlocked)
  }
}
