import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { NuraError } from './nura-error.ts'

/**
 * A secret at rest: `v1.<key id>.<nonce>.<ciphertext and tag>`, base64url, AES-256-GCM with a fresh 96-bit nonce.
 *
 * `context` (tenant and platform) is authenticated with it, so that a row copied to another tenant does not open. The key
 * id is the first 8 hex digits of the key's sha256: it tells which key a row needs and nothing else.
 */
export function encrypt(key: Buffer | null, secret: string, context: string): string {
  const usable = requireKey(key)
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', usable, nonce).setAAD(Buffer.from(context))
  const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return ['v1', toKeyId(usable), nonce.toString('base64url'), sealed.toString('base64url')].join('.')
}

/** @throws NuraError `encryption-key-missing`, `encryption-key-wrong`, `secret-unreadable` */
export function decrypt(key: Buffer | null, stored: string, context: string): string {
  const usable = requireKey(key)
  const [version, keyId, nonce, sealed] = stored.split('.')
  if (version !== 'v1' || !keyId || !nonce || !sealed) throw unreadable()
  if (keyId !== toKeyId(usable)) {
    throw new NuraError('encryption-key-wrong', `A stored token was encrypted with another key (id ${keyId}). Set NURA_ENCRYPTION_KEY to that key, or install the app again.`)
  }
  const bytes = Buffer.from(sealed, 'base64url')
  try {
    const decipher = createDecipheriv('aes-256-gcm', usable, Buffer.from(nonce, 'base64url'), { authTagLength: 16 })
    decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(-16))
    return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString('utf8')
  } catch (cause) {
    throw unreadable(cause)
  }
}

function toKeyId(key: Buffer): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 8)
}

function requireKey(key: Buffer | null): Buffer {
  if (key) return key
  throw new NuraError('encryption-key-missing', 'Tokens are stored encrypted only. Set NURA_ENCRYPTION_KEY to 32 random bytes in base64: openssl rand -base64 32')
}

function unreadable(cause?: unknown): NuraError {
  return new NuraError('secret-unreadable', 'A stored token was changed or belongs to another tenant. Install the app again.', { cause })
}
