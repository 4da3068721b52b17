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
   * @returns one unit vector a text, in the order given.
   * @throws NuraError with `retryable` telling whether waiting helps.
   */
  embed(texts: string[], kind: 'document' | 'query', signal?: AbortSignal): Promise<number[][]>
}
