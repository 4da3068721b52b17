import type { IncomingHttpHeaders } from 'node:http'
import type { App, ReceiverEvent } from '@slack/bolt'
import type { Context } from 'koa'
import type { Logger } from 'pino'
import { parseJson } from '#server/middleware/parse-json.ts'
import { within } from '#server/within.ts'
import { answerPlatform } from '../answer-platform.ts'
import type { Intake } from '../intake.ts'
import { readBody } from '../read-body.ts'
import { toReceivedPayload } from './received-payload.ts'
import { isSignedBySlack, toRequestId } from './signature.ts'

/** Largest body that is read, bytes. Slack's own stay far below. */
const bodyLimit = 1024 * 1024
/** Longest that storing is waited for, milliseconds: Slack listens for three seconds, and then sends it again. */
const patienceMs = 2_500

export const eventsPath = '/slack/events'

/** What Bolt said to one payload: the body of the 200, or that it must be sent again. */
type Verdict = { ok: true; body: unknown } | { ok: false }

/**
 * Takes one request of Slack's: size, signature over the raw bytes, then Bolt. Anything that is not signed is 401 and
 * leaves no trace; what was signed but could not be stored, or comes while too much is on its way, is 503, for then Slack
 * sends it again.
 */
export async function takeRequest(ctx: Context, parts: { app: App; signingSecret: string; intake: Intake; log: Logger }): Promise<void> {
  ctx.set('cache-control', 'no-store')
  const raw = await readBody(ctx, bodyLimit)
  if (raw === null) return
  if (!isSignedBySlack(parts.signingSecret, ctx.req.headers, raw)) {
    tellWrongTime(parts, ctx.req.headers, raw)
    return answerPlatform(ctx, 401, 'The signature is missing, wrong or too old.')
  }
  const body = parseBody(raw, ctx.get('content-type'))
  if (body === null) return answerPlatform(ctx, 400, 'The body is neither JSON nor a form.')
  if (body.ssl_check !== undefined) return answerPlatform(ctx, 200, '')
  if (body.type === 'url_verification') {
    ctx.body = { challenge: body.challenge }
    return
  }
  const retryNum = Number(ctx.get('x-slack-retry-num')) || undefined
  const retryReason = ctx.get('x-slack-retry-reason') || undefined
  const entered = parts.intake.enter(teamOf(body))
  if (entered === null) return answerPlatform(ctx, 503, 'Too much at once. Send it again.')
  const giving = giveToBolt(parts.app, parts.log, { body, retryNum, retryReason, requestId: toRequestId(ctx.get('x-slack-signature')) }).finally(() => entered.leave())
  // What is stored after all is one with what Slack sends again.
  const verdict = await within(giving, patienceMs)
  if (!verdict?.ok) return answerPlatform(ctx, 503, 'Not stored. Send it again.')
  ctx.status = 200
  ctx.body = verdict.body ?? ''
}

/**
 * Gives a payload to Bolt and holds the acknowledgement back until all listeners are done: Bolt would acknowledge an
 * event before it is stored.
 */
export async function giveToBolt(app: App, log: Logger, event: { body: Record<string, unknown>; retryNum?: number; retryReason?: string; requestId: string }): Promise<Verdict> {
  const received = toReceivedPayload(event.body)
  if (received === null) {
    // It would be the same if it were sent again.
    log.warn({ keys: Object.keys(event.body).slice(0, 20) }, 'a slack payload has not the shape that Slack documents; nothing of it is kept')
    return { ok: true, body: '' }
  }
  let body: unknown
  const held: ReceiverEvent = {
    body: received,
    ack: async (response?: unknown) => void (body = response ?? body),
    customProperties: { requestId: event.requestId },
    ...(event.retryNum === undefined ? {} : { retryNum: event.retryNum }),
    ...(event.retryReason === undefined ? {} : { retryReason: event.retryReason }),
  }
  try {
    await app.processEvent(held)
    return { ok: true, body }
  } catch (error) {
    log.error({ err: error }, 'slack payload not stored')
    return { ok: false }
  }
}

/** What Slack did sign, at another time than ours: the only sign that an operator gets of a clock that is wrong. */
function tellWrongTime({ signingSecret, log }: { signingSecret: string; log: Logger }, headers: IncomingHttpHeaders, raw: Buffer): void {
  const signedAt = Number(headers['x-slack-request-timestamp']) * 1000
  if (!isSignedBySlack(signingSecret, headers, raw, signedAt)) return
  const aheadSeconds = Math.round((Date.now() - signedAt) / 1000)
  log.warn({ aheadSeconds }, 'a request that Slack signed is not of these five minutes: somebody repeats it, or the clock of this machine is wrong')
}

/** Of the payload as it was signed: events and commands name their team at the top, interactions in an object. */
function teamOf(body: Record<string, unknown>): string {
  const id = body.team_id ?? (body.team as { id?: unknown } | null | undefined)?.id
  return typeof id === 'string' ? id : ''
}

function parseBody(raw: Buffer, contentType: string): Record<string, unknown> | null {
  try {
    const form = contentType.includes('application/x-www-form-urlencoded') ? readForm(raw) : null
    const body = form === null ? parseJson(raw, { odd: 'mend' }) : form.payload === undefined ? form : parseJson(form.payload, { odd: 'mend' })
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : null
  } catch {
    // Not what Slack sends: the answer says so.
    return null
  }
}

/** @throws TypeError when the bytes are not UTF-8 */
function readForm(raw: Buffer): Record<string, string> {
  const fields = new URLSearchParams(new TextDecoder('utf-8', { fatal: true }).decode(raw))
  return Object.fromEntries([...fields].map(([name, value]) => [name, value.replaceAll('\0', '\ufffd')]))
}
