import type { App, ReceiverEvent } from '@slack/bolt'
import type { Context } from 'koa'
import type { Logger } from 'pino'
import type { Intake } from '../intake.ts'
import { readBody } from '../read-body.ts'
import { isSignedBySlack, toRequestId } from './signature.ts'

/** Largest body that is read, bytes. Slack's own stay far below. */
const bodyLimit = 1024 * 1024

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
  if (raw === null) return answer(ctx, 413, 'The body is larger than 1 MB.')
  if (!isSignedBySlack(parts.signingSecret, ctx.req.headers, raw)) return answer(ctx, 401, 'The signature is missing, wrong or too old.')
  const body = parseBody(raw, ctx.get('content-type'))
  if (body === null) return answer(ctx, 400, 'The body is neither JSON nor a form.')
  if (body.ssl_check !== undefined) return answer(ctx, 200, '')
  if (body.type === 'url_verification') {
    ctx.body = { challenge: body.challenge }
    return
  }
  const retryNum = Number(ctx.get('x-slack-retry-num')) || undefined
  const retryReason = ctx.get('x-slack-retry-reason') || undefined
  const entered = parts.intake.enter(teamOf(body))
  if (entered === null) return sendAgain(ctx, 'Too much at once. Send it again.')
  const verdict = await giveToBolt(parts.app, parts.log, { body, retryNum, retryReason, requestId: toRequestId(ctx.get('x-slack-signature')) }).finally(() => entered.leave())
  if (!verdict.ok) return sendAgain(ctx, 'Not stored. Send it again.')
  ctx.status = 200
  ctx.body = verdict.body ?? ''
}

/**
 * Gives a payload to Bolt and holds the acknowledgement back until all listeners are done: Bolt would acknowledge an
 * event before it is stored.
 */
export async function giveToBolt(app: App, log: Logger, event: { body: Record<string, unknown>; retryNum?: number; retryReason?: string; requestId: string }): Promise<Verdict> {
  let body: unknown
  const held: ReceiverEvent = {
    body: event.body,
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

/** Of the payload as it was signed: events and commands name their team at the top, interactions in an object. */
function teamOf(body: Record<string, unknown>): string {
  const team = body.team as { id?: unknown } | null | undefined
  return String(body.team_id ?? team?.id ?? '')
}

function sendAgain(ctx: Context, text: string): void {
  ctx.set('retry-after', '1')
  answer(ctx, 503, text)
}

function answer(ctx: Context, status: number, text: string): void {
  ctx.status = status
  ctx.type = 'text/plain'
  ctx.body = text
}

function parseBody(raw: Buffer, contentType: string): Record<string, unknown> | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(raw)
    const form = contentType.includes('application/x-www-form-urlencoded') ? Object.fromEntries(new URLSearchParams(text)) : null
    const body: unknown = form === null ? JSON.parse(text) : form.payload === undefined ? form : JSON.parse(form.payload)
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : null
  } catch {
    // Not what Slack sends: the answer says so.
    return null
  }
}
