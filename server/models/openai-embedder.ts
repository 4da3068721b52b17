import { findEmbeddingFacts, takesDimensions } from './embedding-facts.ts'
import type { EmbeddingModel } from './embedding-model.ts'
import { openOpenaiClient, toModelError } from './openai.ts'
import type { OpenaiEndpoint } from './openai.ts'

/**
 * OpenAI takes 300,000 tokens and 2,048 texts a request. A character is seldom more than one token and a half; fewer texts
 * lose less when a request fails.
 */
const openaiLimits = { texts: 256, characters: 200_000 }
/** What text-embeddings-inference takes unless it is told otherwise. */
const compatibleLimits = { texts: 32, characters: 200_000 }

/** An embedding model behind OpenAI's embeddings API: OpenAI's own, or that of a compatible server. */
export function createOpenaiEmbedder(model: string, endpoint: OpenaiEndpoint): EmbeddingModel {
  const id = `openai:${model}`
  const opened = openOpenaiClient(endpoint)
  opened.catch(() => undefined)
  // Other servers refuse a parameter that they do not know.
  const more = endpoint.isOpenai && takesDimensions(model) ? { dimensions: 1024 } : {}
  return {
    id,
    ...findEmbeddingFacts(model),
    limits: endpoint.isOpenai ? openaiLimits : compatibleLimits,
    async request(texts, _kind, signal) {
      signal.throwIfAborted()
      try {
        const { client } = await opened
        const { data, usage } = await client.embeddings.create({ model, input: texts, ...more }, { signal })
        return { vectors: inOrder(data), tokens: usage?.prompt_tokens ?? null }
      } catch (error) {
        signal.throwIfAborted()
        throw toModelError(error, id, endpoint, await opened)
      }
    },
  }
}

/** Each vector says which text it is of; a server may send them in another order. */
export function inOrder(data: readonly { index?: number; embedding: unknown }[]): unknown[] {
  return data.toSorted((a, b) => (a.index ?? 0) - (b.index ?? 0)).map(({ embedding }) => embedding)
}
