import type OpenAI from 'openai'
import type { ChatCompletionChunk, ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions'
import type { ChatEvent, ChatModel, ChatRequest } from './chat-model.ts'
import { badModel, fromFault, fromStatus, modelAway, modelCold } from './model-error.ts'
import { findFacts, unknownModel } from './prices.ts'

/** A server that speaks chat completions: OpenAI's own, or a compatible one such as vLLM. */
export type OpenaiEndpoint = {
  /** Null for a server that asks for none. */
  apiKey: string | null
  /** Root of the API, such as `https://api.openai.com/v1`. */
  baseUrl: string
  /** Whether the server is OpenAI's, or a proxy to it: those know newer parameters than the compatible ones. */
  isOpenai: boolean
}

/** A chat model behind OpenAI's chat completions. One attempt a call: who tries what next is decided by the chain. */
export function createOpenai(model: string, endpoint: OpenaiEndpoint): ChatModel {
  const id = `openai:${model}`
  const { price, ...limits } = findFacts(id) ?? unknownModel
  const opened = openOpenaiClient(endpoint)
  opened.catch(() => undefined)
  return {
    id,
    limits,
    price,
    async *stream(request, signal) {
      signal.throwIfAborted()
      try {
        const { client } = await opened
        yield* readChunks(await client.chat.completions.create(toBody(model, request, limits.outputTokens, endpoint.isOpenai), { signal }), id, signal)
      } catch (error) {
        signal.throwIfAborted()
        throw toModelError(error, id, endpoint, await opened)
      }
    },
  }
}

export type OpenedOpenai = { client: OpenAI; APIError: typeof OpenAI.APIError }

/**
 * The SDK is large, and loaded only where a model of it is configured.
 *
 * Keys and accounts are given, so that it takes none from the environment; its log would show what a model said.
 */
export async function openOpenaiClient({ apiKey, baseUrl }: OpenaiEndpoint): Promise<OpenedOpenai> {
  const { default: Sdk } = await import('openai')
  const client = new Sdk({
    apiKey: apiKey ?? 'none', baseURL: baseUrl, maxRetries: 0, logLevel: 'off',
    adminAPIKey: null, organization: null, project: null, webhookSecret: null,
    ...(apiKey === null ? { defaultHeaders: { authorization: null } } : {}),
  })
  return { client, APIError: Sdk.APIError }
}

async function* readChunks(chunks: AsyncIterable<ChatCompletionChunk>, id: string, signal: AbortSignal): AsyncGenerator<ChatEvent> {
  let ended: string | null = null
  let used = { inputTokens: 0, outputTokens: 0 }
  for await (const chunk of chunks) {
    const [choice] = chunk.choices ?? []
    const text = choice?.delta?.content
    if (text) yield { kind: 'text', text }
    ended = choice?.finish_reason ?? ended
    if (chunk.usage) used = { inputTokens: chunk.usage.prompt_tokens, outputTokens: chunk.usage.completion_tokens }
  }
  // The SDK ends a stream quietly that was aborted or whose connection was closed half-way.
  signal.throwIfAborted()
  if (ended === null) throw modelAway(id, 'broke off before its answer was whole')
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

/** Of a server of our own, one that refuses connections or says that it loads is starting; OpenAI's never is. */
export function toModelError(error: unknown, id: string, { isOpenai }: Pick<OpenaiEndpoint, 'isOpenai'>, { APIError }: Pick<OpenedOpenai, 'APIError'>): Error {
  if (!(error instanceof APIError) || error.status === undefined) {
    const fault = fromFault(id, error)
    return !isOpenai && fault.cause instanceof Error && fault.cause.message === 'ECONNREFUSED' ? modelCold(id, fault.cause) : fault
  }
  const { status, headers, requestID } = error
  const code = error.code ?? error.type ?? null
  if (code === 'insufficient_quota') return badModel(id, 'the account has no credit left; add some at the provider', new Error(`status ${status}, code ${code}`))
  if (!isOpenai && status === 503 && /loading|starting|warming|not ready/i.test(error.message)) return modelCold(id, new Error(`status ${status}`))
  return fromStatus(id, { status, code, headers, requestId: requestID ?? null, keyName: 'OPENAI_API_KEY' })
}
