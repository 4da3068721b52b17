import { NuraError } from '#db/nura-error.ts'
import type { ChatEvent, ChatModel, ChatRequest } from './chat-model.ts'
import { modelAway, toFailureText } from './model-error.ts'
import { traceModel } from './trace-model.ts'

/** One call of one model as it went: for usage, cost and metrics. */
export type ModelCall = {
  model: string
  outcome: 'answered' | 'failed' | 'interrupted'
  inputTokens: number
  outputTokens: number
  /** True when the model broke off before it said what it used, and the tokens are counted from the text. */
  estimated: boolean
  costUsd: number
  ms: number
  /** Milliseconds to the first text; null when there was none. */
  firstMs: number | null
  /** Why it failed, in our words: for the log and the trace. */
  failure: string | null
}

/** What a chain tells beside the events of its models: all text so far came from a model that broke off, and the next one begins anew. */
export type ChainEvent = ChatEvent | { kind: 'restart' }

export type ChainOptions = {
  signal: AbortSignal
  /** Hears of every call once, in order. A model that rests is not called. */
  onCall(call: ModelCall): void
  /** Whether something of the text has been shown; without it all text counts as shown at once. */
  hasShown?(): boolean
  /** Longest time to the first text of any model, milliseconds; 18 s unless given. */
  patienceMs?: number
}

/** However many models of a chain hang, people hear within twenty seconds that nobody answers. */
const patience = 18_000

/** Characters of a token, where a model did not say how many it used. */
const charactersAToken = 4

/**
 * Streams from the first model of a chain that answers. A model that fails before anything of it was shown is followed by
 * the next; after that a failure ends the stream, because half of two answers is none.
 * @param toRequest the request as it fits a model's own limits
 * @throws NuraError `model-unavailable` when every model failed, with `retryAt` when each of them named a time; `model-interrupted`
 * when one broke off of which something was shown; the abort reason when the signal fired.
 */
export async function* streamChain(models: readonly ChatModel[], toRequest: (model: ChatModel) => ChatRequest, options: ChainOptions): AsyncGenerator<ChainEvent> {
  const { signal, onCall } = options
  const failures: unknown[] = []
  const giveUpAt = performance.now() + (options.patienceMs ?? patience)
  let hasGivenUp = false
  for (const model of models) {
    if (hasGivenUp || performance.now() >= giveUpAt) {
      failures.push(modelAway(model.id, 'was not asked any more'))
      continue
    }
    const request = toRequest(model)
    const call = openCall(model, request, onCall)
    const wait = openWait(model.id, giveUpAt, signal)
    try {
      for await (const event of traceModel(model, request, wait.signal)) {
        wait.end()
        call.hear(event)
        yield event
      }
      return call.end('answered')
    } catch (error) {
      if (isResting(error)) call.discard()
      else if (!signal.aborted) call.end('failed', error)
      const hasShown = call.hasSpoken() && (options.hasShown?.() ?? true)
      if (signal.aborted) throw error
      if (hasShown) throw new NuraError('model-interrupted', 'The model broke off in the middle of its answer.', { retryable: true, cause: error })
      failures.push(error)
      hasGivenUp = wait.isLate()
      if (call.hasSpoken()) yield { kind: 'restart' }
    } finally {
      wait.end()
      call.end('interrupted')
    }
  }
  throw toUnavailable(failures)
}

/** The caller's signal, which also fires when the chain has taken too long to its first text; `end` lets a model that speaks go on. A timer may fire a moment before its time, so `isLate` and not the clock says that it has. */
function openWait(id: string, until: number, signal: AbortSignal): { signal: AbortSignal; isLate(): boolean; end(): void } {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(modelAway(id, 'was waited for no longer')), Math.max(0, until - performance.now()))
  return { signal: AbortSignal.any([signal, late.signal]), isLate: () => late.signal.aborted, end: () => clearTimeout(timer) }
}

/** Counts one call; the first `end` reports it, unless it was discarded before. */
function openCall(model: ChatModel, request: ChatRequest, onCall: ChainOptions['onCall']) {
  const started = performance.now()
  let characters = 0
  let firstMs: number | null = null
  let used: { inputTokens: number; outputTokens: number } | null = null
  let isOpen = true
  return {
    hasSpoken: () => characters > 0,
    discard: () => void (isOpen = false),
    hear(event: ChatEvent) {
      if (event.kind === 'usage') return void (used = { inputTokens: event.inputTokens, outputTokens: event.outputTokens })
      firstMs ??= performance.now() - started
      characters += event.text.length
    },
    end(outcome: ModelCall['outcome'], error?: unknown) {
      if (!isOpen) return
      isOpen = false
      const estimated = used === null && characters > 0
      const { inputTokens, outputTokens } = used ?? (estimated ? estimate(request, characters) : { inputTokens: 0, outputTokens: 0 })
      const costUsd = (inputTokens * model.price.input + outputTokens * model.price.output) / 1_000_000
      onCall({ model: model.id, outcome, inputTokens, outputTokens, estimated, costUsd, ms: performance.now() - started, firstMs, failure: error === undefined ? null : toFailureText(error) })
    },
  }
}

function estimate({ system, messages }: ChatRequest, written: number): { inputTokens: number; outputTokens: number } {
  const read = messages.reduce((sum, { content }) => sum + content.length, system.length)
  return { inputTokens: Math.ceil(read / charactersAToken), outputTokens: Math.ceil(written / charactersAToken) }
}

function isResting(error: unknown): boolean {
  return error instanceof NuraError && error.code === 'model-resting'
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
