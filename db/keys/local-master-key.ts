import { createHash } from 'node:crypto'
import { decrypt, encrypt } from '../encryption.ts'
import { unreadable } from './key-errors.ts'
import type { DataKeyName, MasterKey } from './master-key.ts'

/** `NURA_ENCRYPTION_KEY`, or the embedded store's own key. */
export function createLocalMasterKey(key: Buffer): MasterKey {
  return {
    id: toKeyId(key),
    wrap: async (dataKey, name) => encrypt(key, dataKey, toContext(name)),
    async unwrap(wrapped, name) {
      try {
        return decrypt(key, wrapped, toContext(name))
      } catch (cause) {
        throw unreadable(cause)
      }
    },
  }
}

/** The first 8 hex digits of the key's sha256. */
export function toKeyId(key: Buffer): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 8)
}

function toContext({ tenantId, keyId }: DataKeyName): string {
  return `${tenantId}:${keyId}`
}
