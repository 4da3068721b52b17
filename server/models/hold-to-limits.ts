import type { ChatEvent, ChatModel, ChatRequest } from './chat-model.ts'
import { modelAway } from './model-error.ts'

/** Milliseconds. */
export type Deadlines = {
  /** Longest time to the first token. */
  first: number
  /** Longest time between two tokens after that. */
  silence: number
  /** Longest time of a whole answer. */
  total: number
}

/** Two models of a chain that both hang leave the third four seconds of the twenty that people wait; nobody reads what takes longer than two minutes. */
export const deadlines: Deadlines = { first: 8_000, silence: 15_000, total: 120_000 }

/** Most characters of a token of text; a server that sends more keeps to no limit. */
const longestToken = 16

/** The same model, ended when it says nothing, too little, too much or for too long. */
export function holdToLimits(model: ChatModel, { first, silence, total }: Deadlines = deadlines): ChatModel {
  return {
    ...model,
    async *stream(request, signal) {
      signal.throwIfAborted()
      // An answer that comes at once has no first token: it has the time to one, and of one silence.
      const watch = createWatch(model.id, { first: model.streams === false ? first + silence : first, silence, total }, signal)
      try {
        yield* read(model, request, watch)
      } catch (error) {
        signal.throwIfAborted()
        watch.signal.throwIfAborted()
        throw error
      } finally {
        watch.end()
      }
    },
  }
}

async function* read(model: ChatModel, request: ChatRequest, watch: Watch): AsyncGenerator<ChatEvent> {
  const mostCharacters = Math.min(request.maxOutputTokens, model.limits.outputTokens) * longestToken
  let length = 0
  for await (const event of model.stream(request, watch.signal)) {
    watch.signal.throwIfAborted()
    if (event.kind === 'text') {
      length += event.text.length
      if (length > mostCharacters) throw modelAway(model.id, 'wrote more than it was asked for')
    } else if (length === 0) throw modelAway(model.id, 'answered with nothing')
    watch.rest()
    yield event
    watch.signal.throwIfAborted()
    watch.listen()
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
function createWatch(id: string, { first, silence, total }: Deadlines, signal: AbortSignal): Watch {
  const stop = new AbortController()
  const late = (what: string) => stop.abort(modelAway(id, what))
  const whole = setTimeout(late, total, `took longer than ${total / 1000} s`)
  let quiet = setTimeout(late, first, `said nothing for ${first / 1000} s`)
  const rest = () => clearTimeout(quiet)
  return {
    signal: AbortSignal.any([signal, stop.signal]),
    listen() {
      rest()
      quiet = setTimeout(late, silence, `said nothing for ${silence / 1000} s`)
    },
    rest,
    end() {
      clearTimeout(whole)
      rest()
    },
  }
}
