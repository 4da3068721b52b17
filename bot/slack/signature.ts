import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** Seconds that Slack's clock and ours may differ, in either direction. */
const windowSeconds = 300

/**
 * Verifies the signature of a Slack webhook: true when Slack signed exactly these bytes within the last five minutes.
 *
 * Bolt's own check accepts any time in the future and text after the hash, so this one is ours: the header must be
 * `v0=` and 64 lower-case hex digits and nothing else (a header sent twice arrives joined and fails), and the body is
 * hashed as bytes, never decoded first.
 */
export function isSignedBySlack(secret: string, headers: IncomingHttpHeaders, body: Buffer, now = Date.now()): boolean {
  const signature = headers['x-slack-signature']
  const timestamp = headers['x-slack-request-timestamp']
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') return false
  if (typeof signature !== 'string' || !/^v0=[0-9a-f]{64}$/.test(signature)) return false
  if (typeof timestamp !== 'string' || !/^[0-9]{1,12}$/.test(timestamp)) return false
  if (Math.abs(now / 1000 - Number(timestamp)) > windowSeconds) return false
  const expected = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest()
  return timingSafeEqual(expected, Buffer.from(signature.slice(3), 'hex'))
}

/** Identity of a request that carries no event id: a replay has the same signature. */
export function toRequestId(signature: string): string {
  return createHash('sha256').update(signature).digest('hex').slice(0, 32)
}
