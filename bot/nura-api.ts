import { SignJWT } from 'jose'
import { z } from 'zod'
import { NuraError } from '#db/nura-error.ts'
import { Citation, Report, Usage } from '#server/answer-part.ts'
import type { AnswerPart } from '#server/answer-part.ts'
import type { Setting } from '#server/explain-settings.ts'
import type { Audience } from '#server/retrieval/audience.ts'
import { inSpanStream } from '#server/tracing/span.ts'
import { currentTraceparent } from '#server/tracing/traceparent.ts'
import { ask } from './ask.ts'
import type { AskBody, Fetch } from './ask.ts'

/** A stored answer with what led to it. Everything under `trace` is shown as far as it is there. */
export const StoredAnswer = z.object({
  id: z.string(),
  agent: z.string(),
  /** The text as it was written, with `[n]`. */
  markdown: z.string().default(''),
  abstained: z.boolean().default(false),
  citations: z.array(Citation).default([]),
  reports: z.array(Report).default([]),
  usage: Usage.partial().default({}),
  trace: z.unknown(),
})
export type StoredAnswer = z.infer<typeof StoredAnswer>

const Thread = z.object({ subscribed: z.boolean().default(false), muted: z.boolean().default(false) })
export type Thread = z.infer<typeof Thread>

const Settings = z.object({ settings: z.array(z.object({ name: z.string(), value: z.string(), source: z.string(), explanation: z.string() })) })

/** What the bot asks of the server, for one tenant in the name of one person. */
export type TenantApi = {
  ask(body: AskBody, signal: AbortSignal): AsyncIterable<AnswerPart>
  /** @throws NuraError `not-found` */
  readAnswer(id: string): Promise<StoredAnswer>
  /** Deletes the stored text of an answer; one that is gone already is no error. */
  forgetAnswer(id: string): Promise<void>
  giveFeedback(id: string, feedback: { verdict: 'up' | 'down'; reason?: string }): Promise<void>
  /** Questions that the tenant's own repositories answer; [] when there are none or the server is away. */
  suggestions(audience: Audience): Promise<string[]>
  /** What is in force for these readers; `thread` is the key of the thread that is asked about, null for none. */
  readSettings(audience: Audience, thread: string | null): Promise<Setting[]>
  readThread(key: string): Promise<Thread>
  updateThread(key: string, change: Partial<Thread>): Promise<void>
  /**
   * Begins to connect a GitHub installation, or the asker's own account: an address for their browser.
   * @param name what people call the asker
   * @throws NuraError `github-…` whose message is for people
   */
  connectGithub(kind: 'installation' | 'person', name: string | null): Promise<{ url: string }>
  /** False when the asker had no account linked. */
  unlinkGithub(): Promise<boolean>
}

export type NuraApi = { as(tenantId: string, asker: string): TenantApi }

/** How the server says no. */
const Refusal = z.object({ error: z.object({ code: z.string(), message: z.string(), retryable: z.boolean() }) })

/** Milliseconds that a plain request may take. */
const requestMs = 10_000

/**
 * The server as the bot sees it. With a secret every request carries a token of one minute for one tenant and asker;
 * without one the server knows only the tenant `local` and listens on loopback.
 */
export function createNuraApi(config: { url: string; secret: string | null }): NuraApi {
  const key = config.secret === null ? null : new TextEncoder().encode(config.secret)

  async function authorization(tenantId: string, asker: string): Promise<Record<string, string>> {
    if (key === null) return {}
    const token = new SignJWT({ tenant: tenantId }).setProtectedHeader({ alg: 'HS256' }).setAudience('nura').setSubject(asker).setIssuedAt().setExpirationTime('60s')
    return { authorization: `Bearer ${await token.sign(key)}` }
  }

  return {
    as(tenantId, asker) {
      const send: Fetch = async (path, { method, body, accept, signal }) =>
        fetch(new URL(path, config.url), {
          method,
          headers: { accept: accept ?? 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...(await authorization(tenantId, asker)), ...traceHeaders() },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          signal: signal ?? AbortSignal.timeout(requestMs),
          redirect: 'error',
        })
      const request = async (method: string, path: string, body?: unknown): Promise<unknown> => {
        const response = await send(path, { method, body }).catch((cause: unknown) => {
          throw new NuraError('server-unreachable', 'My server does not answer. Try again in a moment.', { retryable: true, cause })
        })
        if (response.ok) return response.status === 204 ? null : await response.json().catch(() => null)
        throw toError(response.status, Refusal.safeParse(await response.json().catch(() => null)).data)
      }
      const answerPath = (id: string) => `/v1/answers/${encodeURIComponent(id)}`
      const threadPath = (threadKey: string) => `/v1/threads/${encodeURIComponent(threadKey)}`
      return {
        ask: (body, signal) => inSpanStream('ask', { 'nura.tenant': tenantId }, () => ask(send, body, signal), { kind: 'client' }),
        readAnswer: async (id) => StoredAnswer.parse(await request('GET', answerPath(id))),
        forgetAnswer: async (id) => void (await orMissing(request('DELETE', answerPath(id)), null)),
        giveFeedback: async (id, feedback) => void (await request('POST', `${answerPath(id)}/feedback`, feedback)),
        suggestions: async (audience) => readSuggestions(await request('GET', `/v1/suggestions?${toQuery(audience)}`).catch(() => [])),
        readSettings: async (audience, thread) => Settings.parse(await request('GET', `/v1/config?${toQuery(audience, thread === null ? {} : { thread })}`)).settings,
        readThread: async (threadKey) => Thread.parse((await orMissing(request('GET', threadPath(threadKey)), {})) ?? {}),
        updateThread: async (threadKey, change) => void (await request('PATCH', threadPath(threadKey), change)),
        connectGithub: async (kind, name) => z.object({ url: z.string() }).parse(await request('POST', '/v1/github/connections', { kind, ...(name === null ? {} : { name }) })),
        unlinkGithub: async () => z.object({ unlinked: z.boolean() }).parse(await request('DELETE', '/v1/github/connections/person')).unlinked,
      }
    },
  }
}

/** W3C trace context: the server goes on with the trace of the turn. */
function traceHeaders(): Record<string, string> {
  const traceparent = currentTraceparent()
  return traceparent === null ? {} : { traceparent }
}

function toError(status: number, refusal: z.infer<typeof Refusal> | undefined): NuraError {
  if (refusal?.error.code.startsWith('github-')) return new NuraError(refusal.error.code, refusal.error.message, { retryable: refusal.error.retryable })
  if (status === 404) return new NuraError('not-found', 'This is no longer kept.')
  if (status === 401 || status === 403) return new NuraError('server-refused', 'My server refused me: NURA_SERVICE_SECRET must be the same for bot and server.')
  return new NuraError('server-failed', `My server answered ${status}.`, { retryable: status >= 500 || status === 429 })
}

async function orMissing<T>(request: Promise<T>, missing: T): Promise<T> {
  return request.catch((error: unknown) => {
    if (error instanceof NuraError && error.code === 'not-found') return missing
    throw error
  })
}

function toQuery(audience: Audience, more: Record<string, string> = {}): string {
  return new URLSearchParams({ audience: audience.kind, ...('id' in audience ? { id: audience.id } : {}), ...more }).toString()
}

function readSuggestions(body: unknown): string[] {
  const list = typeof body === 'object' && body !== null ? ('suggestions' in body ? body.suggestions : 'questions' in body ? body.questions : body) : []
  return z.array(z.string()).catch([]).parse(list)
}
