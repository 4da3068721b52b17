import { createHmac } from 'node:crypto'

/** The headers Slack would send with `body`. */
export function signAsSlack(secret: string, body: string | Buffer, now = Date.now()): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000))
  const hash = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest('hex')
  return { 'x-slack-signature': `v0=${hash}`, 'x-slack-request-timestamp': timestamp }
}
