import type { IncomingHttpHeaders } from 'node:http'
import { Webhooks } from '@octokit/webhooks'

/**
 * The text that GitHub signed with the webhook's secret; null when it did not sign exactly these bytes.
 *
 * SHA-256 alone, compared in constant time. A header that came twice arrives joined, and is no signature; bytes that are not
 * UTF-8 never come from GitHub, and would be another text than the one that was signed.
 */
export async function readSigned(secret: string, headers: IncomingHttpHeaders, bytes: Buffer): Promise<string | null> {
  const signature = headers['x-hub-signature-256']
  const text = decode(bytes)
  if (secret === '' || !text || typeof signature !== 'string' || !/^sha256=[0-9a-f]{64}$/.test(signature)) return null
  return (await new Webhooks({ secret }).verify(text, signature)) ? text : null
}

/** Exactly the bytes, as text; null when they are not UTF-8. */
function decode(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return null
  }
}
