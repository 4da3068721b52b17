import type { BedrockRuntimeClient, ContentBlock, ConverseStreamOutput, ConverseStreamRequest, TokenUsage } from '@aws-sdk/client-bedrock-runtime'
import type { ChatEvent, ChatModel, ChatRequest } from './chat-model.ts'
import { modelAway, modelRefused } from './model-error.ts'
import { toBedrockError } from './bedrock-error.ts'
import { findFacts, unknownModel } from './prices.ts'
import type { ModelFacts } from './prices.ts'
import { toMaxTokens, toThinking } from './to-thinking.ts'
import { toTurns } from './turns.ts'

/** Where Bedrock is asked. Credentials are found by the AWS SDK, by its own rules. */
export type BedrockEndpoint = {
  /** Null leaves it to the SDK, which reads a profile; the region of an ARN goes first. */
  region: string | null
  /** Null for the address of the region, or the one that `AWS_ENDPOINT_URL_BEDROCK_RUNTIME` names. */
  baseUrl: string | null
}

/**
 * A chat model of Amazon Bedrock, by the Converse API. One attempt a call: who tries what next is decided by the chain.
 * @param facts what is known of the model, where it is not described
 */
export function createBedrock(model: string, endpoint: BedrockEndpoint, facts = findFacts(`bedrock:${model}`) ?? unknownModel): ChatModel {
  const id = `bedrock:${model}`
  const { inputTokens, outputTokens, price, streams } = facts
  const opened = openClient(model, endpoint)
  opened.catch(() => undefined)
  return {
    id,
    limits: { inputTokens, outputTokens },
    price,
    ...(streams === false && { streams }),
    async *stream(request, signal) {
      signal.throwIfAborted()
      // Whoever stops reading, for whatever reason, closes the stream: nothing else would.
      const stop = new AbortController()
      const options = { abortSignal: AbortSignal.any([signal, stop.signal]) }
      const input = toInput(model, request, facts)
      try {
        const { client, ConverseCommand, ConverseStreamCommand } = await opened
        if (streams === false) yield* readWhole(await client.send(new ConverseCommand(input), options), id)
        else yield* readEvents((await client.send(new ConverseStreamCommand(input), options)).stream ?? [], id, signal)
      } catch (error) {
        signal.throwIfAborted()
        throw toBedrockError(error, id)
      } finally {
        stop.abort()
      }
    },
  }
}

/** The region that the ARN of a model names: nowhere else is the model. */
export function toArnRegion(model: string): string | null {
  return /^arn:[^:]+:bedrock:([^:]+):/.exec(model)?.[1] ?? null
}

/** The SDK is large, and loaded only where a model of it is configured. */
async function openClient(model: string, { region, baseUrl }: BedrockEndpoint) {
  const { BedrockRuntimeClient: Client, ConverseCommand, ConverseStreamCommand } = await import('@aws-sdk/client-bedrock-runtime')
  const chosen = toArnRegion(model) ?? region
  const client: BedrockRuntimeClient = new Client({
    maxAttempts: 1,
    ...(chosen !== null && { region: chosen }),
    // A signature tells nobody the secret that made it; a Bedrock API key would be told to whoever is asked.
    ...(baseUrl !== null && { endpoint: baseUrl, ...(isAws(baseUrl) ? {} : { token: refuseToken, authSchemePreference: ['sigv4'] }) }),
  })
  return { client, ConverseCommand, ConverseStreamCommand }
}

function isAws(baseUrl: string): boolean {
  return /\.(?:amazonaws\.com(?:\.cn)?|api\.aws)$/.test(URL.parse(baseUrl)?.hostname ?? '')
}

function refuseToken(): Promise<never> {
  return Promise.reject(new Error('a Bedrock API key goes to AWS alone'))
}

async function* readEvents(events: AsyncIterable<ConverseStreamOutput> | [], id: string, signal: AbortSignal): AsyncGenerator<ChatEvent> {
  let used: TokenUsage | undefined
  let stopReason: string | undefined
  let hasSpoken = false
  for await (const { contentBlockDelta, messageStop, metadata } of events) {
    // What had come in before is still given out after an abort.
    signal.throwIfAborted()
    const text = contentBlockDelta?.delta?.text
    if (text) {
      hasSpoken = true
      yield { kind: 'text', text }
    }
    stopReason = messageStop?.stopReason ?? stopReason
    used = metadata?.usage ?? used
  }
  if (stopReason === undefined) throw modelAway(id, 'broke off before its answer was whole')
  yield toUsage(used, stopReason, hasSpoken, id)
}

function* readWhole(answer: { output?: { message?: { content?: ContentBlock[] } }; usage?: TokenUsage; stopReason?: string }, id: string): Generator<ChatEvent> {
  const text = (answer.output?.message?.content ?? []).map((block) => block.text ?? '').join('')
  if (text) yield { kind: 'text', text }
  yield toUsage(answer.usage, answer.stopReason, text !== '', id)
}

function toUsage(used: TokenUsage | undefined, stopReason: string | undefined, hasSpoken: boolean, id: string): ChatEvent {
  if (!hasSpoken && /^(?:refusal|guardrail_intervened|content_filtered)$/.test(stopReason ?? '')) throw modelRefused(id, new Error(`stop reason ${stopReason}`))
  const { inputTokens = 0, outputTokens = 0, cacheReadInputTokens = 0, cacheWriteInputTokens = 0 } = used ?? {}
  return { kind: 'usage', inputTokens: inputTokens + cacheReadInputTokens + cacheWriteInputTokens, outputTokens }
}

function toInput(model: string, { system, messages, maxOutputTokens }: ChatRequest, facts: ModelFacts): ConverseStreamRequest {
  const takesSystem = facts.system !== false
  const turns = toTurns(takesSystem ? messages : [{ role: 'user', content: system }, ...messages])
  const more = toThinking(facts)
  return {
    modelId: model,
    ...(takesSystem && { system: [{ text: system }] }),
    messages: turns.map(({ role, content }) => ({ role, content: [{ text: content }] })),
    inferenceConfig: { maxTokens: toMaxTokens(maxOutputTokens, facts) },
    ...(Object.keys(more).length > 0 && { additionalModelRequestFields: more }),
  }
}
