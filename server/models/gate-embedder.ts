import type { Embedder } from './embedder.ts'
import type { Gate } from './gate.ts'

/** The same embedder, asked only when its gate lets it be, and judged by how each call ends. */
export function gateEmbedder(embedder: Embedder, gate: Gate): Embedder {
  return {
    ...embedder,
    async embed(texts, kind, signal, onCall) {
      signal?.throwIfAborted()
      const pass = gate.enter()
      try {
        const vectors = await embedder.embed(texts, kind, signal, onCall)
        pass.succeed()
        return vectors
      } catch (error) {
        if (signal?.aborted) pass.abandon()
        else pass.fail(error)
        throw error
      }
    },
  }
}
