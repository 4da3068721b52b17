import Anthropic from '@anthropic-ai/sdk'
import type { MessageCreateParamsStreaming, RawMessageStreamEvent } from '@anthropic-ai/sdk/resources/messages'
import type { ChatEvent, ChatModel, ChatRequest } from './chat-model.ts'
import { joinNeighbours } from './join-neighbours.ts'
import { badModel, fromFault, fromStatus, modelAway, modelRefused } from './model-error.ts'
import { findFacts, unknownModel } from './prices.ts'

export type AnthropicEndpoint = {
  /** Null for a proxy that asks for none. */
  apiKey: string | null
  /** Root of the API, such as `https://api.anthropic.com`. */
  baseUrl: string
}

/** A chat model behind Anthropic's messages. One attempt a call: who tries what next is decided by the chain. */
export function createAnthropic(model: string, { apiKey, baseUrl }: AnthropicEndpoint): ChatModel {
  const id = `anthropic:${model}`
  const { price, ...limits } = findFacts(id) ?? unknownModel
  // Everything that the SDK would else take from the environment or from a profile on disk is given; its log would show what a model said.
  const client = new Anthropic({
    apiKey: apiKey ?? 'none', baseURL: baseUrl, maxRetries: 0, logLevel: 'off', webhookKey: null, openTelemetry: false,
    ...(apiKey === null ? { defaultHeaders: { authorization: null, 'x-api-key': null } } : {}),
  })
  return {
    id,
    limits,
    price,
    async *stream(request, signal) {
      signal.throwIfAborted()
      try {
        yield* readEvents(await client.messages.create(toBody(model, request, limits.outputTokens), { signal }), id, signal)
      } catch (error) {
        signal.throwIfAborted()
        throw toModelError(error, id)
      }
    },
  }
}

async function* readEvents(events: AsyncIterable<RawMessageStreamEvent>, id: string, signal: AbortSignal): AsyncGenerator<ChatEvent> {
  const used = { inputTokens: 0, outputTokens: 0 }
  let isWhole = false
  let isRefused = false
  let length = 0
  for await (const event of events) {
    if (event.type === 'message_start') {
      const { input_tokens: fresh, cache_creation_input_tokens: written, cache_read_input_tokens: read } = event.message.usage
      used.inputTokens = fresh + (written ?? 0) + (read ?? 0)
    } else if (event.type === 'content_block_delta' && event.delta.type === 'text_delta' && event.delta.text !== '') {
      length += event.delta.text.length
      yield { kind: 'text', text: event.delta.text }
    } else if (event.type === 'message_delta') {
      used.outputTokens = event.usage.output_tokens
      isRefused = event.delta.stop_reason === 'refusal'
    } else if (event.type === 'message_stop') isWhole = true
  }
  // The SDK ends a stream quietly that was aborted or whose connection was closed half-way.
  signal.throwIfAborted()
  if (!isWhole) throw modelAway(id, 'broke off before its answer was whole')
  if (isRefused && length === 0) throw modelRefused(id, new Error('stop reason refusal'))
  yield { kind: 'usage', ...used }
}

function toBody(model: string, request: ChatRequest, mostTokens: number): MessageCreateParamsStreaming {
  return {
    model,
    system: request.system,
    messages: joinNeighbours(request.messages),
    max_tokens: Math.min(request.maxOutputTokens, mostTokens),
    stream: true,
  }
}

/** Kinds of error that come inside a stream, where there is no status any more, as the statuses they stand for. */
const statuses: Record<string, number> = {
  overloaded_error: 529, api_error: 500, timeout_error: 504, rate_limit_error: 429,
  authentication_error: 401, permission_error: 403, not_found_error: 404, invalid_request_error: 400, request_too_large: 413,
}

function toModelError(error: unknown, id: string): Error {
  if (!(error instanceof Anthropic.APIError)) return fromFault(id, error)
  const { headers, requestID: requestId, type } = error
  const status = error.status ?? statuses[type ?? '']
  if (status === undefined) return fromFault(id, error)
  if (type === 'billing_error') return badModel(id, 'the account has no credit left; add some at the provider', new Error(`status ${status}, code ${type}`))
  return fromStatus(id, { status, code: type, headers, requestId: requestId ?? null, keyName: 'ANTHROPIC_API_KEY' })
}
