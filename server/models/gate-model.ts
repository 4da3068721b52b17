import type { ChatModel } from './chat-model.ts'
import type { Gate } from './gate.ts'

/** The same model, asked only when its gate lets it be, and judged by how each call ends. */
export function gateModel(model: ChatModel, gate: Gate): ChatModel {
  return {
    ...model,
    async *stream(request, signal) {
      const pass = gate.enter()
      let ended = false
      try {
        yield* model.stream(request, signal)
        ended = true
        pass.succeed()
      } catch (error) {
        ended = true
        if (signal.aborted) pass.abandon()
        else pass.fail(error)
        throw error
      } finally {
        // Whoever read it stopped before its end.
        if (!ended) pass.abandon()
      }
    },
  }
}
