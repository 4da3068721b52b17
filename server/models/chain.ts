import { NuraError } from '#db/nura-error.ts'
import type { ChatEvent, ChatModel, ChatRequest } from './chat-model.ts'

/** One call of one model as it went: for usage, cost and metrics. */
export type ModelCall = {
  model: string
  outcome: 'answered' | 'failed' | 'interrupted'
  inputTokens: number
  outputTokens: number
  costUsd: number
  ms: number
  /** Why it failed, in our words: for the log and the trace. */
  failure: string | null
}

/**
 * Streams from the first model of a chain that answers. A model that fails before its first text is followed by the next;
 * after that a failure ends the stream, because half of two answers is none.
 * @param onCall hears of every call once, in order.
 * @throws NuraError `model-unavailable` when every model failed, with `retryAt` when each of them named a time; what the model
 * threw that had spoken; the abort reason when the signal fired.
 */
export async function* streamChain(models: readonly ChatModel[], request: ChatRequest, signal: AbortSignal, onCall: (call: ModelCall) => void): AsyncGenerator<ChatEvent> {
  const failures: unknown[] = []
  for (const model of models) {
    const started = performance.now()
    let hasSpoken = false
    const used = { inputTokens: 0, outputTokens: 0 }
    const end = (outcome: ModelCall['outcome'], error?: unknown) => {
      const costUsd = (used.inputTokens * model.price.input + used.outputTokens * model.price.output) / 1_000_000
      onCall({ model: model.id, outcome, ...used, costUsd, ms: performance.now() - started, failure: error === undefined ? null : toFailure(error) })
    }
    let ended = false
    try {
      for await (const event of model.stream(request, signal)) {
        if (event.kind === 'text') hasSpoken = true
        else Object.assign(used, { inputTokens: event.inputTokens, outputTokens: event.outputTokens })
        yield event
      }
      ended = true
      end('answered')
      return
    } catch (error) {
      ended = true
      if (signal.aborted) end('interrupted')
      else end('failed', error)
      if (signal.aborted || hasSpoken) throw error
      failures.push(error)
    } finally {
      if (!ended) end('interrupted')
    }
  }
  throw toUnavailable(failures)
}

/** Waiting helps unless every model said that it does not; when all of them named a time, it helps from the first of those. */
function toUnavailable(failures: unknown[]): NuraError {
  const told = failures.flatMap((failure) => (failure instanceof NuraError ? [failure] : []))
  const times = told.flatMap(({ retryAt }) => (retryAt ? [retryAt.getTime()] : []))
  const isHopeless = failures.length > 0 && told.length === failures.length && told.every(({ retryable }) => !retryable)
  const message = isHopeless
    ? 'No model answers: its settings must be put right first. The operator finds the reason in the log.'
    : 'No model answers just now. Try again in a minute.'
  const retryAt = times.length > 0 && times.length === failures.length ? new Date(Math.min(...times)) : undefined
  return new NuraError('model-unavailable', message, { retryable: !isHopeless, cause: failures.at(-1), ...(retryAt && { retryAt }) })
}

function toFailure(error: unknown): string {
  if (!(error instanceof NuraError)) return error instanceof Error ? error.name : 'unknown'
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}
