/** Says how well texts answer a question, reading both together. Optional: search is whole without one. */
export type Reranker = {
  /** `provider:model`, such as `tei:BAAI/bge-reranker-v2-m3`. */
  readonly id: string
  /** Most texts of one call. */
  readonly maxTexts: number
  /**
   * @returns one finite score a text, in the order given, the higher the better; 0 to 1.
   * @throws NuraError when there are no such scores; the signal's reason on abort.
   */
  rerank(query: string, texts: string[], signal?: AbortSignal): Promise<number[]>
}
