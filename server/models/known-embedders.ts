import type { Embedder } from './embedder.ts'
import { lexicalEmbedder } from './lexical.ts'

/** The embedder of a space; null where EMBEDDING_MODELS of this process names none. */
export type EmbedderOf = (space: string) => Embedder | null

export type KnownEmbedders = { of: EmbedderOf; readonly spaces: readonly string[] }

export function toEmbedderOf(embedders: readonly Embedder[]): EmbedderOf {
  return (space) => embedders.find((embedder) => embedder.space === space) ?? null
}

/** ADAPTER: the embedders that EMBEDDING_MODELS names, of which there is one yet. What builds more of them goes in its place. */
export function createKnownEmbedders(): KnownEmbedders {
  const embedders = [lexicalEmbedder]
  return { of: toEmbedderOf(embedders), spaces: embedders.map(({ space }) => space) }
}
