import OpenAI from 'openai'
import type { ChatCompletionChunk, ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions'
import { NuraError } from '#db/nura-error.ts'
import type { ChatEvent, ChatModel, ChatRequest } from './chat-model.ts'
import { findFacts, unknownModel } from './prices.ts'

/** A server that speaks chat completions: OpenAI's own, or a compatible one such as vLLM. */
export type OpenaiEndpoint = {
  /** Null for a server that asks for none. */
  apiKey: string | null
  /** Root of the API, such as `https://api.openai.com/v1`. */
  baseUrl: string
  /** Whether the server is OpenAI's, or a proxy to it: those know newer parameters than the compatible ones. */
  isOpenai: boolean
  deadlines?: Deadlines
}

/** Milliseconds. */
export type Deadlines = {
  /** Longest time without a token, the first one included. */
  silence: number
  /** Longest time of a whole answer. */
  total: number
}

/**
 * Of two models of a chain that both hang, the second has given up, too, after half a minute, which people still wait for;
 * what takes longer than two minutes is not read by anyone.
 */
const deadlines: Deadlines = { silence: 15_000, total: 120_000 }

/** Most characters of a token of text; a server that sends more keeps to no limit. */
const longestToken = 16

/** A chat model behind OpenAI's chat completions. One attempt a call: who tries what next is decided by the chain. */
export function createOpenai(model: string, endpoint: OpenaiEndpoint): ChatModel {
  const id = `openai:${model}`
  const { price, ...limits } = findFacts(id) ?? unknownModel
  // Keys and accounts are given, so that the SDK takes none from the environment; its log would show what a model said.
  const client = new OpenAI({
    apiKey: endpoint.apiKey ?? 'none', baseURL: endpoint.baseUrl, maxRetries: 0, logLevel: 'off',
    adminAPIKey: null, organization: null, project: null, webhookSecret: null,
    ...(endpoint.apiKey === null ? { defaultHeaders: { authorization: null } } : {}),
  })
  return {
    id,
    limits,
    price,
    async *stream(request, signal) {
      signal.throwIfAborted()
      const watch = createWatch(endpoint.deadlines ?? deadlines, signal, id)
      try {
        const body = toBody(model, request, limits.outputTokens, endpoint.isOpenai)
        const mostCharacters = Math.min(request.maxOutputTokens, limits.outputTokens) * longestToken
        yield* readChunks(await client.chat.completions.create(body, { signal: watch.signal }), { id, watch, mostCharacters })
      } catch (error) {
        signal.throwIfAborted()
        watch.signal.throwIfAborted()
        throw error instanceof NuraError ? error : toModelError(error, id)
      } finally {
        watch.end()
      }
    },
  }
}

type Reading = { id: string; watch: Watch; mostCharacters: number }

async function* readChunks(chunks: AsyncIterable<ChatCompletionChunk>, reading: Reading): AsyncGenerator<ChatEvent> {
  const { id, watch, mostCharacters } = reading
  let length = 0
  let ended: string | null = null
  let used = { inputTokens: 0, outputTokens: 0 }
  for await (const chunk of chunks) {
    watch.signal.throwIfAborted()
    watch.listen()
    const [choice] = chunk.choices ?? []
    const text = choice?.delta?.content
    if (text) {
      length += text.length
      if (length > mostCharacters) throw toAway(id, 'wrote more than it was asked for')
      watch.rest()
      yield { kind: 'text', text }
      watch.signal.throwIfAborted()
      watch.listen()
    }
    ended = choice?.finish_reason ?? ended
    if (chunk.usage) used = { inputTokens: chunk.usage.prompt_tokens, outputTokens: chunk.usage.completion_tokens }
  }
  // The SDK ends a stream quietly that was aborted or whose connection was closed half-way.
  watch.signal.throwIfAborted()
  if (ended === null) throw toAway(id, 'broke off before its answer was whole')
  if (length === 0) throw toAway(id, 'answered with nothing')
  yield { kind: 'usage', ...used }
}

function toBody(model: string, request: ChatRequest, mostTokens: number, isOpenai: boolean): ChatCompletionCreateParamsStreaming {
  const maxTokens = Math.min(request.maxOutputTokens, mostTokens)
  return {
    model,
    messages: [{ role: 'system', content: request.system }, ...request.messages],
    stream: true,
    stream_options: { include_usage: true },
    ...(isOpenai ? { max_completion_tokens: maxTokens } : { max_tokens: maxTokens }),
  }
}

type Watch = {
  readonly signal: AbortSignal
  /** From here the model may be silent for so long. */
  listen(): void
  /** Whoever reads is busy with what was said: silence does not count. */
  rest(): void
  end(): void
}

/** Ends with the caller's signal, and by itself when nothing is heard for too long or the whole takes too long. */
function createWatch({ silence, total }: Deadlines, signal: AbortSignal, id: string): Watch {
  const stop = new AbortController()
  const late = (what: string) => stop.abort(toAway(id, what))
  const whole = setTimeout(late, total, `took longer than ${total / 1000} s`)
  let quiet: NodeJS.Timeout | undefined
  const rest = () => clearTimeout(quiet)
  const listen = () => {
    rest()
    quiet = setTimeout(late, silence, `said nothing for ${silence / 1000} s`)
  }
  listen()
  return {
    signal: AbortSignal.any([signal, stop.signal]),
    listen,
    rest,
    end() {
      clearTimeout(whole)
      rest()
    },
  }
}

/** What the provider wrote is not repeated: it may hold a key or the question. Status, code and request id find it there. */
function toModelError(error: unknown, id: string): NuraError {
  if (!(error instanceof OpenAI.APIError) || error.status === undefined) {
    const what = error instanceof SyntaxError ? 'sent what cannot be read' : 'cannot be reached or broke off'
    return toAway(id, what, { cause: new Error(codeOf(error)) })
  }
  const { status, code, headers } = error
  const cause = new Error(`status ${status}, code ${code ?? error.type ?? 'none'}, request ${error.requestID ?? 'unknown'}`)
  const fix = code === 'insufficient_quota' ? 'the account has no credit left; add some at the provider' : fixes[status]
  if (fix) return new NuraError('bad-model', `${id}: ${fix}.`, { cause })
  const later = { cause, retryAt: toRetryAt(headers) }
  if (status === 429) return toAway(id, 'is asked too often just now', later)
  if (status >= 500 || status === 408 || status === 409) return toAway(id, `failed with status ${status}`, later)
  const advice = 'Ask something shorter, or name another model.'
  return new NuraError('model-refused', `${id} refused the request (status ${status}). ${advice}`, { cause })
}

/** What only the operator can mend, by HTTP status. */
const fixes: Record<number, string> = {
  401: 'the server refuses the key; check OPENAI_API_KEY',
  403: 'the key may not use this model; allow it at the provider, or name another model',
  404: 'the server has no such model; check the name and the base URL',
}

function toAway(id: string, what: string, more: { cause?: unknown; retryAt?: Date | undefined } = {}): NuraError {
  return new NuraError('model-unavailable', `${id} ${what}. Try again in a minute.`, { retryable: true, ...more })
}

/** `Retry-After` holds seconds or a date; some servers send `retry-after-ms`, which is finer. */
function toRetryAt(headers: Headers | undefined): Date | undefined {
  const milliseconds = Number(headers?.get('retry-after-ms') || Number.NaN)
  if (Number.isFinite(milliseconds)) return new Date(Date.now() + milliseconds)
  const written = headers?.get('retry-after')
  if (!written) return undefined
  const seconds = Number(written)
  const at = Number.isNaN(seconds) ? Date.parse(written) : Date.now() + seconds * 1000
  return Number.isNaN(at) ? undefined : new Date(at)
}

/** The code of a fault of the connection or of the server, such as ECONNREFUSED, else the kind of error. */
function codeOf(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) if ('code' in at && typeof at.code === 'string') return at.code
  return error instanceof Error ? error.name : 'unknown'
}
