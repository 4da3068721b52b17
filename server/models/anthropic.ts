import type Anthropic from '@anthropic-ai/sdk'
import type { MessageCreateParamsStreaming, RawMessageStreamEvent } from '@anthropic-ai/sdk/resources/messages'
import type { ChatEvent, ChatModel, ChatRequest } from './chat-model.ts'
import { badModel, fromFault, fromStatus, modelAway, modelRefused } from './model-error.ts'
import { findFacts, unknownModel } from './prices.ts'
import type { ModelFacts } from './prices.ts'
import { toMaxTokens, toThinking } from './to-thinking.ts'
import { toTurns } from './turns.ts'

/** A server that speaks the Messages API: Anthropic's own, or a proxy. */
export type AnthropicEndpoint = {
  /** Null for a server that asks for none. */
  apiKey: string | null
  /** Root of the API, such as `https://api.anthropic.com`. */
  baseUrl: string
}

/** A chat model behind Anthropic's Messages API. One attempt a call: who tries what next is decided by the chain. */
export function createAnthropic(model: string, endpoint: AnthropicEndpoint): ChatModel {
  const id = `anthropic:${model}`
  const facts = findFacts(id) ?? unknownModel
  const { inputTokens, outputTokens, price } = facts
  const opened = openClient(endpoint)
  opened.catch(() => undefined)
  return {
    id,
    limits: { inputTokens, outputTokens },
    price,
    async *stream(request, signal) {
      signal.throwIfAborted()
      try {
        const { client } = await opened
        yield* readEvents(await client.messages.create(toBody(model, request, facts), { signal }), id, signal)
      } catch (error) {
        signal.throwIfAborted()
        throw toModelError(error, id, await opened)
      }
    },
  }
}

/** What the SDK sends for itself. Its other headers would come from `ANTHROPIC_CUSTOM_HEADERS`, which may hold secrets of another server. */
const ownHeader = /^(?:accept|content-type|user-agent|anthropic-version|x-stainless-.*)$/i

type Opened = { client: Anthropic; APIError: typeof Anthropic.APIError }

/**
 * The SDK is large, and loaded only where a model of it is configured.
 *
 * Without a key it looks for credentials in files and the environment, hence the word in its place, which is never sent.
 */
async function openClient({ apiKey, baseUrl }: AnthropicEndpoint): Promise<Opened> {
  const { default: Sdk } = await import('@anthropic-ai/sdk')
  const client = new Sdk({
    apiKey: apiKey ?? 'none', baseURL: baseUrl, webhookKey: null, maxRetries: 0, logLevel: 'off', openTelemetry: false,
    fetch: (url, init) => {
      const headers = new Headers([...new Headers(init?.headers)].filter(([name]) => ownHeader.test(name)))
      if (apiKey !== null) headers.set('authorization', `Bearer ${apiKey}`)
      return fetch(url, { ...init, headers })
    },
  })
  return { client, APIError: Sdk.APIError }
}

async function* readEvents(events: AsyncIterable<RawMessageStreamEvent>, id: string, signal: AbortSignal): AsyncGenerator<ChatEvent> {
  const used = { inputTokens: 0, outputTokens: 0 }
  let stopReason: string | null = null
  let hasSpoken = false
  let hasEnded = false
  for await (const event of events) {
    if (event.type === 'message_start') {
      const { input_tokens, cache_creation_input_tokens, cache_read_input_tokens } = event.message.usage
      used.inputTokens = input_tokens + (cache_creation_input_tokens ?? 0) + (cache_read_input_tokens ?? 0)
    } else if (event.type === 'content_block_delta' && event.delta.type === 'text_delta' && event.delta.text) {
      hasSpoken = true
      yield { kind: 'text', text: event.delta.text }
    } else if (event.type === 'message_delta') {
      stopReason = event.delta.stop_reason ?? stopReason
      used.outputTokens = event.usage.output_tokens
    } else if (event.type === 'message_stop') hasEnded = true
  }
  // The SDK ends a stream quietly that was aborted or whose connection was closed half-way.
  signal.throwIfAborted()
  if (!hasEnded) throw modelAway(id, 'broke off before its answer was whole')
  if (stopReason === 'refusal' && !hasSpoken) throw modelRefused(id, new Error('stop reason refusal'))
  yield { kind: 'usage', ...used }
}

function toBody(model: string, { system, messages, maxOutputTokens }: ChatRequest, facts: ModelFacts): MessageCreateParamsStreaming {
  return { model, system, messages: toTurns(messages), max_tokens: toMaxTokens(maxOutputTokens, facts), stream: true, ...toThinking(facts) }
}

/** An error inside the stream comes with status 200, but has the type of an error with another. */
const statuses: Readonly<Record<string, number>> = {
  invalid_request_error: 400, authentication_error: 401, billing_error: 402, permission_error: 403, not_found_error: 404, timeout_error: 408,
  request_too_large: 413, rate_limit_error: 429, api_error: 500, overloaded_error: 529,
}

function toModelError(error: unknown, id: string, { APIError }: Opened): Error {
  if (!(error instanceof APIError)) return fromFault(id, error)
  const { type, errorCode, headers, requestID, apiMessage } = error
  const status = error.status ?? (type === null ? undefined : statuses[type] ?? 500)
  if (status === undefined) return fromFault(id, error)
  // An account without credit has no code of its own.
  if (status === 402 || /spend_limit_reached$/.test(errorCode ?? '') || /credit balance/i.test(apiMessage ?? '')) {
    return badModel(id, 'the account has no credit left or is at its limit; raise it at the provider', new Error(`status ${status}, code ${errorCode ?? type ?? 'none'}`))
  }
  return fromStatus(id, { status, code: errorCode ?? type, headers, requestId: requestID ?? null, keyName: 'ANTHROPIC_API_KEY' })
}
