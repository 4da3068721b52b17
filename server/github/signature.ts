import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/**
 * Whether GitHub signed exactly these bytes with the webhook's secret: SHA-256 alone, in constant time. A header that came twice
 * arrives joined, and is no signature. Nothing of what a stranger sends is decoded before: that would cost more memory than the
 * bytes do.
 */
export function isSignedByGithub(secret: string, headers: IncomingHttpHeaders, bytes: Buffer): boolean {
  const signature = headers['x-hub-signature-256']
  if (secret === '' || bytes.length === 0 || typeof signature !== 'string' || !/^sha256=[0-9a-f]{64}$/.test(signature)) return false
  return timingSafeEqual(createHmac('sha256', secret).update(bytes).digest(), Buffer.from(signature.slice('sha256='.length), 'hex'))
}
