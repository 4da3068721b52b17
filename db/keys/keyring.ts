import { LRUCache } from 'lru-cache'
import { createKmsMasterKey } from './kms-master-key.ts'
import { createLocalMasterKey } from './local-master-key.ts'
import type { MasterKey } from './master-key.ts'

/** How long an unwrapped data key is kept in memory, milliseconds: so long does a destroyed key live on at most. */
const keptMs = 5 * 60_000
const most = 1_000

export type KeyringConfig = {
  /** 32 bytes; null: tokens are refused, unless a key of KMS is named. */
  encryptionKey: Buffer | null
  /** Master keys of before, which unwrap only: 32 bytes each, or the name of a key of KMS. */
  previousKeys?: readonly (Buffer | string)[]
  /** Wraps in place of `encryptionKey`, which then unwraps only. */
  kmsKey?: string | null
}

/** The master keys of this process, and the data keys it has unwrapped of late. */
export type Keyring = {
  /** Wraps new data keys; null where no key was given. */
  readonly current: MasterKey | null
  /** Every master key that may unwrap, by id. */
  readonly masters: ReadonlyMap<string, MasterKey>
  /** Local keys by id: rows of `v1` were sealed with them directly. */
  readonly local: ReadonlyMap<string, Buffer>
  readonly unwrapped: LRUCache<string, Buffer>
}

export function createKeyring({ encryptionKey, previousKeys = [], kmsKey = null }: KeyringConfig): Keyring {
  const given = [...(kmsKey ? [kmsKey] : []), ...(encryptionKey ? [encryptionKey] : []), ...previousKeys]
  const made = given.map((key) => ({ key, master: typeof key === 'string' ? createKmsMasterKey(key) : createLocalMasterKey(key) }))
  return {
    current: kmsKey || encryptionKey ? made[0]!.master : null,
    masters: new Map(made.map(({ master }) => [master.id, master])),
    local: new Map(made.flatMap(({ key, master }) => (typeof key === 'string' ? [] : [[master.id, key] as const]))),
    unwrapped: new LRUCache({ max: most, ttl: keptMs }),
  }
}
