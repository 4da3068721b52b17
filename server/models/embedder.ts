/**
 * Turns text into vectors. One embedder is one embedding space: `space` names model and dimensions, and vectors of
 * different spaces are never compared.
 */
export type Embedder = {
  /** Stored as `embedding_model` with every vector; matches `^[a-z0-9][a-z0-9._:/-]{0,126}$`, such as `lexical:default`. */
  readonly space: string
  readonly dimensions: 1024
  /** Most texts of one call to `embed`. */
  readonly maxBatch: number
  /**
   * @param onCall hears of every call of a model that costs something, once, before `embed` ends.
   * @returns one unit vector a text, in the order given.
   * @throws NuraError with `retryable` telling whether waiting helps; the signal's reason on abort.
   */
  embed(texts: string[], kind: EmbeddedKind, signal?: AbortSignal, onCall?: OnEmbeddingCall): Promise<number[][]>
}

export type EmbeddedKind = 'document' | 'query'

/** One call of one embedding model as it went: for usage, cost and metrics. */
export type EmbeddingCall = {
  /** `provider:model` */
  model: string
  kind: EmbeddedKind
  outcome: 'answered' | 'failed'
  tokens: number
  /** True when the model does not say how many tokens it read, and they are counted from the text. */
  estimated: boolean
  costUsd: number
  ms: number
  /** Why it failed, in our words: for the log. */
  failure: string | null
}

export type OnEmbeddingCall = (call: EmbeddingCall) => void

/** The embedder of a space; null where this process has none. `onCall` hears of all that it costs. */
export type EmbedderOf = (space: string, onCall?: OnEmbeddingCall) => Embedder | null

/** The embedders of a process: for each space one, which may be several models that serve the same space. */
export type Embedders = {
  /** Of the space that a tenant without any index begins in. */
  readonly primary: Embedder
  readonly spaces: readonly string[]
  readonly of: EmbedderOf
}

/** One embedder a space; of two with the same space the first. */
export function toEmbedders(list: readonly [Embedder, ...Embedder[]]): Embedders {
  const bySpace = new Map(list.toReversed().map((embedder) => [embedder.space, embedder]))
  return {
    primary: list[0],
    spaces: [...new Set(list.map(({ space }) => space))],
    of(space, onCall) {
      const embedder = bySpace.get(space)
      if (!embedder) return null
      return onCall ? { ...embedder, embed: (texts, kind, signal) => embedder.embed(texts, kind, signal, onCall) } : embedder
    },
  }
}
