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
}

/**
 * Streams from the first model of a chain that answers. A model that fails before its first text is followed by the next;
 * after that a failure ends the stream, because half of two answers is none.
 * @param onCall hears of every call once, in order.
 * @throws NuraError `model-unavailable` when every model failed; the abort reason when the signal fired.
 */
export async function* streamChain(models: readonly ChatModel[], request: ChatRequest, signal: AbortSignal, onCall: (call: ModelCall) => void): AsyncGenerator<ChatEvent> {
  let failure: unknown
  for (const model of models) {
    const started = performance.now()
    let hasSpoken = false
    const used = { inputTokens: 0, outputTokens: 0 }
    const end = (outcome: ModelCall['outcome']) => {
      const costUsd = (used.inputTokens * model.price.input + used.outputTokens * model.price.output) / 1_000_000
      onCall({ model: model.id, outcome, ...used, costUsd, ms: performance.now() - started })
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
      end(signal.aborted ? 'interrupted' : 'failed')
      if (signal.aborted || hasSpoken) throw error
      failure = error
    } finally {
      if (!ended) end('interrupted')
    }
  }
  throw new NuraError('model-unavailable', 'No model answers just now. Try again in a minute.', { retryable: true, cause: failure })
}
