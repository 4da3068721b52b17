import { decrypt, encrypt } from '../encryption.ts'
import { NuraError } from '../nura-error.ts'
import type { Store } from '../store.ts'
import { runTransaction, type Scope, type Transaction } from '../transaction.ts'
import { currentDataKey, findDataKey, holdDataKey, type DataKey } from './data-keys.ts'
import { keyMissing, keyWrong, unreadable } from './key-errors.ts'

/** Where a secret stands: its tenant, and what is authenticated with it, so that a row copied elsewhere does not open. */
export type SecretPlace = { tenantId: string; context: string }

const nonceBytes = 12
/** A rotation has to come between each reading and its opening to use one up. */
const readings = 3

/**
 * Writes a secret as `v2.<data key id>.<nonce>.<ciphertext and tag>`, base64url. `write` runs in a transaction that keeps the key
 * from being retired until it has ended; where it was retired before, all of it runs again under the next one.
 * @throws NuraError `encryption-key-missing`, `encryption-key-wrong`, `unknown-tenant`
 */
export async function writeSecret<T>(store: Store, scope: Scope, { tenantId, context }: SecretPlace, secret: string, write: (tx: Transaction, sealed: string) => Promise<T>): Promise<T> {
  for (;;) {
    const key = await currentDataKey(store, tenantId)
    const sealed = toText(key, encrypt(key.key, Buffer.from(secret), context))
    const written = await runTransaction(store, scope, async (tx) => ((await holdDataKey(tx, key.id)) ? { result: await write(tx, sealed) } : null))
    if (written) return written.result
  }
}

/** @throws NuraError `encryption-key-missing`, `encryption-key-wrong`, `secret-unreadable` */
export async function openSecret(store: Store, { tenantId, context }: SecretPlace, stored: string): Promise<string> {
  const [version = '', keyId = '', nonce = '', sealed = ''] = stored.split('.')
  const key = await keyOf(store, tenantId, version, keyId)
  try {
    return decrypt(key, Buffer.concat([Buffer.from(nonce, 'base64url'), Buffer.from(sealed, 'base64url')]), context).toString('utf8')
  } catch (cause) {
    throw unreadable(cause)
  }
}

/** Reads a row and opens it, again where a rotation sealed it anew and destroyed its key in between. */
export async function readSecret<T>(read: () => Promise<T>): Promise<T> {
  for (let reading = 1; ; reading++) {
    try {
      return await read()
    } catch (error) {
      if (reading === readings || !(error instanceof NuraError && error.code === 'secret-unreadable')) throw error
    }
  }
}

/** Of `v1`, from before tenants had keys of their own, it is a master key. */
async function keyOf(store: Store, tenantId: string, version: string, keyId: string): Promise<Buffer> {
  const { keyring } = store
  if (version === 'v1') {
    const key = keyring.local.get(keyId)
    if (key) return key
    throw keyring.masters.size === 0 ? keyMissing() : keyWrong(keyId)
  }
  const key = version === 'v2' ? await findDataKey(store, tenantId, keyId) : null
  if (key) return key
  throw unreadable()
}

function toText({ id }: DataKey, bytes: Buffer): string {
  return ['v2', id, bytes.subarray(0, nonceBytes).toString('base64url'), bytes.subarray(nonceBytes).toString('base64url')].join('.')
}
