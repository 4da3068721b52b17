import type { EmbeddedKind } from './embedder.ts'

/** One embedding model behind a network, as its vendor serves it. `holdEmbedder` makes an `Embedder` of it. */
export type EmbeddingModel = {
  /** `provider:model`, such as `openai:text-embedding-3-large`. */
  readonly id: string
  /** Its embedding space, the same for one model wherever it is served. */
  readonly space: string
  /** US dollars for a million tokens. */
  readonly price: number
  /** What one request may hold. */
  readonly limits: { readonly texts: number; readonly characters: number }
  /**
   * One request, one attempt. No text is empty, too long or malformed.
   * @returns what the model sent, unchecked; `tokens` is null when it did not say.
   * @throws NuraError in the words of `model-error.ts`; the signal's reason on abort
   */
  request(texts: string[], kind: EmbeddedKind, signal: AbortSignal): Promise<{ vectors: readonly unknown[]; tokens: number | null }>
}
