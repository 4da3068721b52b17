import { BedrockRuntimeClient, BedrockRuntimeServiceException, ConverseCommand, ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime'
import type { ConverseStreamCommandInput, ConverseStreamOutput } from '@aws-sdk/client-bedrock-runtime'
import type { ChatEvent, ChatModel, ChatRequest } from './chat-model.ts'
import { joinNeighbours } from './join-neighbours.ts'
import { badModel, fromFault, modelAway, modelCold, modelRefused, toRetryAt } from './model-error.ts'
import { findFacts, unknownModel } from './prices.ts'

export type BedrockEndpoint = {
  /** Another address than the region's own. */
  baseUrl: string | null
}

/**
 * A chat model behind Bedrock's Converse, streamed where it can stream. Region and credentials are the AWS SDK's own to find.
 * One attempt a call: who tries what next is decided by the chain.
 *
 * @param model a model id, the id of an inference profile, or the ARN of an imported model
 */
export function createBedrock(model: string, { baseUrl }: BedrockEndpoint): ChatModel {
  const id = `bedrock:${model}`
  const { price, streams = true, system: takesSystem = true, ...limits } = findFacts(id) ?? unknownModel
  let client: BedrockRuntimeClient | undefined
  return {
    id,
    limits,
    price,
    async *stream(request, signal) {
      signal.throwIfAborted()
      // Made with the first call: it looks for region and credentials in the environment and on disk.
      client ??= new BedrockRuntimeClient({ maxAttempts: 1, ...(baseUrl === null ? {} : { endpoint: baseUrl }) })
      try {
        const input = toInput(model, request, { mostTokens: limits.outputTokens, takesSystem })
        if (streams) {
          const { stream } = await client.send(new ConverseStreamCommand(input), { abortSignal: signal })
          yield* readStream(stream ?? none(), id, signal)
        } else {
          const { output, usage } = await client.send(new ConverseCommand(input), { abortSignal: signal })
          for (const { text } of output?.message?.content ?? []) if (text) yield { kind: 'text', text }
          yield { kind: 'usage', inputTokens: usage?.inputTokens ?? 0, outputTokens: usage?.outputTokens ?? 0 }
        }
      } catch (error) {
        signal.throwIfAborted()
        throw toModelError(error, id)
      }
    },
  }
}

async function* readStream(events: AsyncIterable<ConverseStreamOutput>, id: string, signal: AbortSignal): AsyncGenerator<ChatEvent> {
  const used = { inputTokens: 0, outputTokens: 0 }
  let ended: string | null = null
  for await (const { contentBlockDelta, messageStop, metadata } of events) {
    signal.throwIfAborted()
    const text = contentBlockDelta?.delta?.text
    if (text) yield { kind: 'text', text }
    ended = messageStop?.stopReason ?? ended
    if (metadata?.usage) Object.assign(used, { inputTokens: metadata.usage.inputTokens ?? 0, outputTokens: metadata.usage.outputTokens ?? 0 })
  }
  signal.throwIfAborted()
  if (ended === null) throw modelAway(id, 'broke off before its answer was whole')
  yield { kind: 'usage', ...used }
}

async function* none(): AsyncGenerator<never> {}

function toInput(modelId: string, request: ChatRequest, { mostTokens, takesSystem }: { mostTokens: number; takesSystem: boolean }): ConverseStreamCommandInput {
  const messages = joinNeighbours(request.messages).map(({ role, content }) => ({ role, content: [{ text: content }] }))
  if (!takesSystem) messages[0]?.content.unshift({ text: request.system })
  const inferenceConfig = { maxTokens: Math.min(request.maxOutputTokens, mostTokens) }
  return { modelId, messages, inferenceConfig, ...(takesSystem ? { system: [{ text: request.system }] } : {}) }
}

/** What AWS calls a failure, by what it means for a chain. `bad` names what to put right. */
const meanings: Record<string, 'away' | 'cold' | { bad: string }> = {
  ThrottlingException: 'away',
  ServiceQuotaExceededException: 'away',
  ServiceUnavailableException: 'away',
  InternalServerException: 'away',
  ModelStreamErrorException: 'away',
  ModelErrorException: 'away',
  ModelTimeoutException: 'away',
  ModelNotReadyException: 'cold',
  AccessDeniedException: { bad: 'the account may not use this model; allow it in Bedrock, or name another model' },
  ResourceNotFoundException: { bad: 'Bedrock has no such model in this region; check its id and AWS_REGION' },
  UnrecognizedClientException: { bad: 'AWS refuses the credentials; check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the role' },
  InvalidSignatureException: { bad: 'AWS refuses the credentials; check AWS_SECRET_ACCESS_KEY and the clock' },
  ExpiredTokenException: { bad: 'the AWS credentials have expired; renew them' },
  CredentialsProviderError: { bad: 'there are no AWS credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the process a role' },
}

/** Bedrock words a retired or mistaken id as an invalid request. */
const noSuchModel = /model identifier is invalid|end of its life|isn.t supported|on-demand throughput/i

/** What the provider wrote is read but not repeated: it may hold the question. */
function toModelError(error: unknown, id: string): Error {
  if (!(error instanceof Error)) return fromFault(id, error)
  if (/Region is missing|Region not accepted/i.test(error.message)) return badModel(id, 'AWS needs a region; set AWS_REGION')
  const status = error instanceof BedrockRuntimeServiceException ? error.$metadata?.httpStatusCode : undefined
  const meaning = meanings[error.name] ?? (error.name === 'ValidationException' && noSuchModel.test(error.message) ? { bad: 'Bedrock has no such model any more, or not under this id; name another one' } : undefined)
  const cause = new Error(`${error.name}, status ${status ?? 'none'}, request ${error instanceof BedrockRuntimeServiceException ? (error.$metadata?.requestId ?? 'unknown') : 'unknown'}`)
  if (typeof meaning === 'object') return badModel(id, meaning.bad, cause)
  if (meaning === 'cold') return modelCold(id, cause)
  if (meaning === 'away') return modelAway(id, error.name === 'ThrottlingException' ? 'is asked too often just now' : 'failed', { cause, retryAt: toRetryAt(headersOf(error)) })
  if (status === undefined) return fromFault(id, error)
  return status >= 500 || status === 429 ? modelAway(id, `failed with status ${status}`, { cause, retryAt: toRetryAt(headersOf(error)) }) : modelRefused(id, cause)
}

function headersOf(error: Error): Headers | undefined {
  const given = error instanceof BedrockRuntimeServiceException ? error.$response?.headers : undefined
  // HTTP/2 keeps its own fields, such as `:status`, among them.
  return given && new Headers(Object.entries(given).filter(([name]) => !name.startsWith(':')))
}
