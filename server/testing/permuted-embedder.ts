import type { Embedder } from '../models/embedder.ts'
import { lexicalEmbedder } from '../models/lexical.ts'

export type PermutedEmbedder = Embedder & {
  /** Every text that was embedded as a document, in order. */
  readonly documents: string[]
}

/**
 * A space of its own beside the lexical one: the same vectors with their dimensions in another order. Within it texts are as
 * near to each other as in the lexical space; across spaces nearness means nothing.
 */
export function createPermutedEmbedder(space: string, shift: number): PermutedEmbedder {
  const documents: string[] = []
  return {
    ...lexicalEmbedder,
    space,
    maxBatch: 32,
    documents,
    async embed(texts, kind, signal) {
      if (kind === 'document') documents.push(...texts)
      const vectors = await lexicalEmbedder.embed(texts, kind, signal)
      return vectors.map((vector) => vector.map((_, at) => vector[(at * 5 + shift) % vector.length]!))
    },
  }
}
