import { chunkCap } from '#server/indexing/chunk.ts'

export const costOptions = ['own', 'host', 'aws'] as const
export type CostOption = (typeof costOptions)[number]

/** Where vectors are made in the `aws` option: an endpoint that is always on, with or without a GPU; one that is paid by the second; OpenAI. */
export const embeddingPlaces = ['gpu', 'cpu', 'serverless', 'api'] as const
export type EmbeddingPlace = (typeof embeddingPlaces)[number]

/** What a month brings. Nothing in it is measured with a real model. */
export type Load = {
  tenants: number
  /** Of each tenant, on the average. */
  chunks: number
  /** Of all tenants together, in a month. */
  questions: number
  /** `provider:model` that answers every question; null for the usual one of the option. */
  model: string | null
  /** Tokens of one question that the model reads, and of its answer that it writes. */
  inputTokens: number
  outputTokens: number
  embedding: EmbeddingPlace
  /** PostgreSQL, Redis and NAT in two zones, and two tasks of each service; the endpoint of embeddings stays one. */
  isMultiZone: boolean
}

/** Characters of English and code that a token holds, about; the same that `server/agents/memory.ts` counts by. */
const charactersAToken = 4
/** `passagesUnlessSaid` of `server/retrieval/search.ts`. */
const passages = 16
/**
 * Every passage taken for full, 6,400 tokens. Real chunks are shorter, about 865 characters on the average over seven public repositories,
 * and up to 14 more are added that show where something is used (`server/agents/gather.ts`): 30 of 865 come to the same.
 */
const passageTokens = (passages * chunkCap) / charactersAToken
/** The line above each passage: number, repository, path and lines, about 80 characters. */
const headingTokens = (passages * 80) / charactersAToken
/** `server/agents/prompts/`: rules of 1,000 characters and an agent's own words of 500, with the question and the fences. */
const instructionTokens = 450
/** One turn before: a question and an answer of at most 2,200 characters. `memoryTokens` lets a long thread have 6,000 instead. */
const threadTokens = 600
/** An answer of about 1,600 characters; the rules allow 2,200. Thoughts of models that think come on top. */
const answerTokens = 400

export const defaultLoad: Load = {
  tenants: 10,
  chunks: 50_000,
  questions: 20_000,
  model: null,
  inputTokens: passageTokens + headingTokens + instructionTokens + threadTokens,
  outputTokens: answerTokens,
  embedding: 'gpu',
  isMultiZone: false,
}

/** Tokens of a chunk when it is embedded, full; and of a question. */
export const chunkTokens = chunkCap / charactersAToken
export const questionTokens = 30
