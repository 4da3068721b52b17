import type { Metrics } from '../metrics.ts'
import type { Embedder } from './embedder.ts'

/** The same embedder, whose calls are timed and whose chunks are counted: what a push cost can be read off a running process. */
export function measureEmbedder(embedder: Embedder, metrics: Pick<Metrics, 'embedding' | 'embeddedChunks'>): Embedder {
  const model = embedder.space
  return {
    ...embedder,
    async embed(texts, kind, signal, onCall) {
      const end = metrics.embedding.startTimer({ model })
      const vectors = await embedder.embed(texts, kind, signal, onCall)
      end()
      if (kind === 'document') metrics.embeddedChunks.inc({ model }, texts.length)
      return vectors
    },
  }
}
