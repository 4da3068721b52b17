import { ConnectorClient } from 'botframework-connector/lib/connectorApi/connectorClient.js'
import type { Activity as SdkActivity } from 'botframework-connector/lib/connectorApi/models/index.js'
import mappers from 'botframework-connector/lib/connectorApi/models/mappers.js'
import type { Logger } from 'pino'
import { RateLimiterMemory, RateLimiterQueue } from 'rate-limiter-flexible'
import { NuraError } from '#db/nura-error.ts'
import { wait } from '../ask.ts'
import type { Activity } from './activity.ts'

/** Somebody in a conversation, as far as Teams tells a bot. */
export type Member = { id: string; name: string | null; aadObjectId: string | null; tenantId: string | null; /** Such as `user` or `guest`. */ role: string | null }

export type CallOptions = { signal?: AbortSignal; /** Made once and never again, as for what only shows that work goes on. */ once?: boolean }

/**
 * Calls the Bot Framework connector of one directory: one for each, for the limit that is kept here is the directory's.
 *
 * Every method throws NuraError `teams-<refusal>` when Teams refuses (`teams-conversation-not-found`), `teams-busy` when it
 * keeps asking to wait, `teams-unreachable` when it stays away; `send` of a message also `teams-unknown-outcome` when it
 * may or may not have been shown.
 */
export type Connector = {
  /** Returns the id of the activity. */
  send(conversation: string, activity: Activity, options?: CallOptions): Promise<string>
  update(conversation: string, id: string, activity: Activity, options?: CallOptions): Promise<void>
  remove(conversation: string, id: string, options?: CallOptions): Promise<void>
  /** @param person their Teams id or their id in the directory */
  member(conversation: string, person: string, options?: CallOptions): Promise<Member>
}

export type ConnectorParts = {
  serviceUrl: string
  /** The bearer token of Nura's app, as it stands. */
  token(): Promise<string>
  log: Logger
  timeoutMs?: number
  /** Waits some milliseconds. */
  pause?: typeof wait
}

/** Teams takes this many requests a second of an app in a directory. */
const mostPerSecond = 50
/** What Teams says when it has not carried a request out and wants it again. */
const again = new Set([412, 429, 502, 504])
const firstDelayMs = 500
const longestDelayMs = 30_000
const mostTries = 6

export function createConnector(parts: ConnectorParts): Connector {
  const pause = parts.pause ?? wait
  const { conversations } = createClient(parts)
  const gate = new RateLimiterQueue(new RateLimiterMemory({ points: mostPerSecond, duration: 1 }))

  /** `repeatable`: leaves the same state however often it is made. */
  async function call<T>(what: string, repeatable: boolean, options: CallOptions, run: (request: { abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      options.signal?.throwIfAborted()
      await gate.removeTokens(1)
      const timeout = AbortSignal.timeout(parts.timeoutMs ?? 15_000)
      try {
        return await run({ abortSignal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout })
      } catch (error) {
        // The turn is over, and whether Teams has carried this out is nobody's question any more: the next run asks.
        if (options.signal?.aborted && repeatable) throw options.signal.reason
        if (error instanceof NuraError) throw error
        const failure = toFailure(error)
        const isLast = options.once === true || tries === mostTries
        if (failure.status !== null && again.has(failure.status)) {
          if (isLast) throw new NuraError('teams-busy', `Teams keeps asking to wait with ${what}.`, { retryable: true, cause: error })
          const ms = Math.max(failure.retryAfterMs ?? 0, 0) + toDelay(tries)
          if (ms > 2 * longestDelayMs) throw new NuraError('teams-busy', `Teams asks to wait ${Math.ceil(ms / 1000)} s with ${what}.`, { retryable: true, retryAt: new Date(Date.now() + ms), cause: error })
          parts.log.warn({ what, status: failure.status, ms: Math.round(ms), tries }, 'teams asks to wait')
          await pause(ms, options.signal)
        } else if (failure.status === 401) throw new NuraError('teams-unauthorized', 'Teams does not take the token of the app: check MicrosoftAppId, MicrosoftAppPassword and MicrosoftAppTenantId.', { retryable: true, cause: error })
        else if (failure.status !== null && failure.status < 500) throw toRefusal(failure, what, error)
        else if (!repeatable && !failure.unsent) throw new NuraError('teams-unknown-outcome', `Teams did not say whether ${what} was carried out.`, { retryable: true, cause: error })
        else if (isLast) throw new NuraError('teams-unreachable', `Teams does not answer ${what}.`, { retryable: true, cause: error })
        else await pause(toDelay(tries), options.signal)
      }
    }
  }

  return {
    async send(conversation, activity, options = {}) {
      const what = `${activity.type} to a conversation`
      const sent = await call(what, activity.type === 'typing', options, (request) => conversations.sendToConversation(conversation, toSdk(activity), request))
      if (activity.type === 'message' && !sent.id) throw new NuraError('teams-unknown-outcome', 'Teams did not name the message it showed.', { retryable: true })
      return sent.id ?? ''
    },
    async update(conversation, id, activity, options = {}) {
      await call('the change of a message', true, options, (request) => conversations.updateActivity(conversation, id, toSdk(activity), request))
    },
    async remove(conversation, id, options = {}) {
      await call('the removal of a message', true, options, (request) => conversations.deleteActivity(conversation, id, request))
    },
    async member(conversation, person, options = {}) {
      const found = await call('a look at a member', true, options, (request) => conversations.getConversationMember(conversation, person, request))
      const { id, name, aadObjectId, tenantId, userRole } = found as unknown as Record<string, unknown>
      return { id: toText(id) ?? person, name: toText(name), aadObjectId: toText(aadObjectId), tenantId: toText(tenantId), role: toText(userRole) }
    },
  }
}

function createClient(parts: ConnectorParts): ConnectorClient {
  // The SDK's mappers know no entity but the mention and drop every other field of one; of a member they know less than Teams tells.
  for (const mapper of [mappers.Entity, mappers.ChannelAccount]) (mapper.type as { additionalProperties?: unknown }).additionalProperties = { type: { name: 'any' } }
  const client = new ConnectorClient(
    {
      async signRequest(request) {
        request.headers.set('authorization', `Bearer ${await parts.token()}`)
        return request
      },
    },
    { baseUri: parts.serviceUrl.replace(/\/+$/, '') },
  )
  // It would post a message again whose answer was lost, and carry the token to wherever it is redirected.
  const { pipeline } = (client as unknown as { client: { pipeline: { removePolicy(policy: { name: string }): unknown[] } } }).client
  for (const name of ['defaultRetryPolicy', 'redirectPolicy']) {
    if (pipeline.removePolicy({ name }).length !== 1) throw new Error(`The connector of the Bot Framework has no ${name} any more.`)
  }
  return client
}

/** Our activity is what goes over the wire; the SDK's type asks for fields that Teams fills in. */
function toSdk(activity: Activity): Partial<SdkActivity> {
  return activity as unknown as Partial<SdkActivity>
}

type Failure = { status: number | null; code: string; message: string; retryAfterMs: number | null; /** The request never left. */ unsent: boolean }

function toFailure(error: unknown): Failure {
  const { statusCode, code, message, details, response } = (error ?? {}) as { statusCode?: unknown; code?: unknown; message?: unknown; details?: unknown; response?: { headers?: { get?(name: string): string | undefined } } }
  const told = (details as { error?: { code?: unknown; message?: unknown } } | undefined)?.error
  const after = response?.headers?.get?.('retry-after')
  return {
    status: typeof statusCode === 'number' ? statusCode : null,
    code: toText(told?.code) ?? toText(code) ?? '',
    message: toText(told?.message) ?? toText(message) ?? '',
    retryAfterMs: toMilliseconds(after),
    unsent: ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'].includes(toText(code) ?? ''),
  }
}

function toText(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function toMilliseconds(retryAfter: string | undefined): number | null {
  if (!retryAfter) return null
  const ms = /^\d+(\.\d+)?$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - Date.now()
  return Number.isFinite(ms) ? ms : null
}

/** Doubles from try to try, and is spread so that those who were sent away together do not come back together. */
function toDelay(tries: number): number {
  return Math.min(longestDelayMs, firstDelayMs * 2 ** (tries - 1)) * (0.5 + Math.random() / 2)
}

function toRefusal(failure: Failure, what: string, cause: unknown): NuraError {
  const reason = failure.code && !/^REST_/.test(failure.code) ? failure.code : `status ${failure.status}`
  const code = reason.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').replace(/[^a-z0-9]+/gi, '-').toLowerCase()
  return new NuraError(`teams-${code}`, `Teams refused ${what}: ${reason}${failure.message ? ` (${failure.message.slice(0, 200)})` : ''}.`, { cause: Object.assign(new Error(failure.message, { cause }), { refusal: failure }) })
}

/** How Teams refused: the HTTP status with Teams' own name and words for it; null for every other failure. */
export function refusalOf(error: unknown): { status: number; code: string; message: string } | null {
  if (!(error instanceof NuraError) || !error.code.startsWith('teams-')) return null
  const refusal = (error.cause as { refusal?: Failure } | undefined)?.refusal
  return refusal && refusal.status !== null ? { status: refusal.status, code: refusal.code, message: refusal.message } : null
}

/** Refusals that no retry changes. */
export function isFinal(error: unknown): boolean {
  const status = refusalOf(error)?.status
  return status !== undefined && [400, 403, 404, 405, 410, 413].includes(status)
}

/** The conversation let Nura go: it was uninstalled there, or an admin blocked it. */
export function isGone(error: unknown): boolean {
  return ['BotNotInConversationRoster', 'BotDisabledByAdmin'].includes(refusalOf(error)?.code ?? '')
}

export function isUnknown(error: unknown): boolean {
  return error instanceof NuraError && error.code === 'teams-unknown-outcome'
}
