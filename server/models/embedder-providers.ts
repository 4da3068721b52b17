import { NuraError } from '#db/nura-error.ts'
import type { EmbeddingModel } from './embedding-model.ts'
import { findEmbeddingFacts } from './embedding-facts.ts'
import { isAt, toChain, toId } from './index.ts'
import type { ModelName, ModelSettings } from './index.ts'
import { createOpenaiEmbedder } from './openai-embedder.ts'
import { createSagemakerEmbedder } from './sagemaker-embedder.ts'
import type { SagemakerEndpoint } from './sagemaker-embedder.ts'

/** What embedders need beside a name. */
export type EmbedderSettings = Pick<ModelSettings, 'openai'> & {
  /** `endpoint` is null where none is named. */
  sagemaker: Omit<SagemakerEndpoint, 'endpoint'> & { endpoint: string | null }
}

/** Where embedding models come from. A new one is a file and a line in `embedderProviders`. */
export type EmbedderProvider = {
  readonly name: string
  /** What the model needs and is not set, with the fix. */
  lacks?(name: ModelName, settings: EmbedderSettings): string | null
  /** Null for the embedder that every process has. */
  create: ((name: ModelName, settings: EmbedderSettings) => EmbeddingModel) | null
}

/** THE list of providers of embedding models. */
export const embedderProviders: readonly EmbedderProvider[] = [
  { name: 'lexical', create: null },
  {
    name: 'openai',
    lacks: ({ baseUrl, ...name }, { openai }) =>
      openai.apiKey === null && isAt(openai.baseUrl, baseUrl) ? `OPENAI_API_KEY; set it, or name a server that asks for none: ${toId({ ...name, baseUrl })}@https://…` : null,
    create({ model, baseUrl }, { openai }) {
      const apiKey = isAt(openai.baseUrl, baseUrl) ? openai.apiKey : null
      return createOpenaiEmbedder(model, { apiKey, baseUrl: baseUrl ?? openai.baseUrl, isOpenai: baseUrl === null })
    },
  },
  {
    name: 'sagemaker',
    lacks: (_, { sagemaker }) => (sagemaker.endpoint === null ? 'SAGEMAKER_EMBEDDING_ENDPOINT; set it to the name of the endpoint that serves the model' : null),
    create: ({ model }, { sagemaker }) => createSagemakerEmbedder(model, { ...sagemaker, endpoint: sagemaker.endpoint! }),
  },
]

/** The chain that needs no key. */
export const defaultEmbedders = 'lexical:default'

/**
 * Reads a chain such as `sagemaker:bge-m3, openai:BAAI/bge-m3@http://tei:8080/v1`, first choice first.
 * @throws NuraError `bad-model`
 */
export function toEmbedderChain(text: string, field: string): ModelName[] {
  const chain = toChain(text, field, { providers: embedderProviders.map(({ name }) => name), example: defaultEmbedders })
  for (const { provider, model, baseUrl } of chain) {
    if (provider === 'lexical' && model !== 'default') throw new NuraError('bad-model', `${field}: lexical has one model: ${defaultEmbedders}.`, { field })
    if (provider === 'sagemaker' && baseUrl !== null) {
      throw new NuraError('bad-model', `${field}: sagemaker:${model} has no address of its own; SAGEMAKER_EMBEDDING_ENDPOINT names its endpoint, AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME another server.`, { field })
    }
    findEmbeddingFacts(model)
  }
  return chain
}

/** What keeps a chain from being used: one sentence for each model that lacks something, with the fix. */
export function lackingEmbedderKeys(chain: ModelName[], settings: EmbedderSettings): string[] {
  return chain.flatMap((name) => {
    const lack = findEmbedderProvider(name.provider).lacks?.(name, settings)
    return lack ? [`${toId(name)} needs ${lack}`] : []
  })
}

/** `toEmbedderChain` lets no other name through. */
export function findEmbedderProvider(name: string): EmbedderProvider {
  return embedderProviders.find((provider) => provider.name === name)!
}
