import { WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError, WebAPIRequestError, WebClient } from '@slack/web-api'
import type { Logger } from 'pino'
import { NuraError } from '#db/nura-error.ts'
import { wait } from '../ask.ts'

export type SlackResult = Record<string, unknown> & { ok: boolean }

/**
 * Calls one method of the Web API.
 *
 * @throws NuraError `slack-<error>` when Slack refuses (`slack-message-not-found`), `slack-unknown-outcome` when a call that
 * must not be made twice may or may not have been carried out, `slack-unreachable` when Slack stays away.
 */
export type SlackCall = (method: string, args: Record<string, unknown>, options?: CallOptions) => Promise<SlackResult>

/** `patience`: seconds that the call may wait when Slack asks to; with 0 it is made once and never again. */
export type CallOptions = { signal?: AbortSignal; patience?: number }

/** Calls that leave the same state however often they are made. */
const repeatable = /\.(info|replies|history|list|test|update|delete|setStatus|setSuggestedPrompts|publish|open)$/
/** Calls that show something in a channel: made one after another, so that their order is kept while Slack asks to wait. */
const visible = /^chat\./
const retryDelaysMs = [300, 1200]
/** Seconds that a call waits where it does not say otherwise; longer ones fail and are tried again by the queue. */
const usualPatience = 120

/** The Web API for one workspace's token. `pause` waits some milliseconds. */
export function createSlackCall(options: { token: string; apiUrl: string | null; teamId?: string; log: Logger; timeoutMs?: number; pause?: typeof wait }): SlackCall {
  const pause = options.pause ?? wait
  const client = new WebClient(options.token, {
    ...(options.apiUrl ? { slackApiUrl: withSlash(options.apiUrl) } : {}),
    ...(options.teamId ? { teamId: options.teamId } : {}),
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout: options.timeoutMs ?? 10_000,
    logger: toSlackLogger(options.log),
  })
  const lanes = new Map<string, Promise<unknown>>()

  const attempt: SlackCall = async (method, args, { signal, patience = usualPatience } = {}) => {
    for (let tries = 0; ; tries++) {
      signal?.throwIfAborted()
      try {
        return (await client.apiCall(method, args)) as SlackResult
      } catch (error) {
        const limited = findRateLimit(error)
        if (limited !== null) {
          if (limited > patience || patience === 0) throw new NuraError('slack-ratelimited', `Slack asks to wait ${limited} s.`, { retryable: true, cause: error })
          options.log.warn({ method, seconds: limited }, 'slack rate limit')
          await pause(Math.max(limited * 1000, 50), signal)
          continue
        }
        const refusal = toRefusal(error, method)
        if (refusal) throw refusal
        const delay = retryDelaysMs[tries]
        if (!repeatable.test(method)) throw new NuraError('slack-unknown-outcome', `Slack did not say whether ${method} was carried out.`, { retryable: true, cause: error })
        if (delay === undefined || patience === 0) throw new NuraError('slack-unreachable', `Slack does not answer ${method}.`, { retryable: true, cause: error })
        await pause(delay, signal)
      }
    }
  }

  return (method, args, callOptions) => {
    const channel = args.channel
    if (!visible.test(method) || typeof channel !== 'string') return attempt(method, args, callOptions)
    const turn = (lanes.get(channel) ?? Promise.resolve()).catch(() => undefined).then(() => attempt(method, args, callOptions))
    const settled = turn.catch(() => undefined).finally(() => {
      if (lanes.get(channel) === settled) lanes.delete(channel)
    })
    lanes.set(channel, settled)
    return turn
  }
}

/** Slack's own name of the refusal, such as `message_not_found`; null for every other failure. */
export function refusalOf(error: unknown): string | null {
  if (!(error instanceof NuraError) || !error.code.startsWith('slack-')) return null
  return error.cause instanceof WebAPIPlatformError ? error.cause.data.error : null
}

/** Refusals that no retry changes. */
export function isFinal(error: unknown): boolean {
  const refusal = refusalOf(error)
  return refusal !== null && (isTokenDead(error) || final.has(refusal))
}

export function isTokenDead(error: unknown): boolean {
  return deadToken.has(refusalOf(error) ?? '')
}

const final = new Set(['channel_not_found', 'is_archived', 'not_in_channel', 'restricted_action', 'thread_not_found', 'message_not_found', 'cannot_reply_to_message', 'user_not_found', 'missing_scope', 'no_permission', 'messages_tab_disabled'])
const deadToken = new Set(['token_revoked', 'account_inactive', 'invalid_auth', 'not_authed', 'token_expired', 'app_uninstalled', 'team_access_not_granted'])

function toRefusal(error: unknown, method: string): NuraError | null {
  if (!(error instanceof WebAPIPlatformError)) return null
  const reason = error.data.error
  const passing = ['internal_error', 'fatal_error', 'service_unavailable', 'request_timeout'].includes(reason)
  if (passing) return null
  const detail = error.data.response_metadata?.messages?.join('; ')
  return new NuraError(`slack-${reason.replace(/[^a-z0-9]+/gi, '-').toLowerCase()}`, `Slack refused ${method}: ${reason}${detail ? ` (${detail})` : ''}.`, { cause: error })
}

function findRateLimit(error: unknown): number | null {
  if (error instanceof WebAPIRateLimitedError) return error.retryAfter
  if (error instanceof WebAPIPlatformError && error.data.error === 'ratelimited') return error.data.response_metadata?.retryAfter ?? 1
  if (error instanceof WebAPIHTTPError && error.statusCode === 429) return Number(error.headers['retry-after']) || 1
  // A 429 without a usable header comes as a plain error inside the request error.
  if (error instanceof WebAPIRequestError && /Retry header/.test(error.original.message)) return 1
  return error instanceof Error && /Retry header/.test(error.message) ? 1 : null
}

export function withSlash(url: string): string {
  return url.endsWith('/') ? url : `${url}/`
}

/** Slack's SDK logs through ours: warnings as they are, the rest only when someone debugs. */
export function toSlackLogger(log: Logger) {
  const line = (parts: unknown[]) => parts.map((part) => (part instanceof Error ? part.message : typeof part === 'string' ? part : '')).join(' ').slice(0, 500)
  return {
    debug: () => undefined,
    info: () => undefined,
    warn: (...parts: unknown[]) => log.debug({ sdk: line(parts) }, 'slack sdk'),
    error: (...parts: unknown[]) => log.warn({ sdk: line(parts) }, 'slack sdk'),
    setLevel: () => undefined,
    getLevel: () => 'warn' as never,
    setName: () => undefined,
  }
}
