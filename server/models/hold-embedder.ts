import { NuraError } from '#db/nura-error.ts'
import type { EmbeddedKind, Embedder, EmbeddingCall } from './embedder.ts'
import type { EmbeddingModel } from './embedding-model.ts'
import { fromFault, modelAway, toFailureText } from './model-error.ts'
import { embeddedBytes, toEmbeddable, toRequests } from './to-embeddable.ts'

/** Milliseconds that one request may take. Someone waits for the vector of a question, and words alone find much. */
export const embedderDeadlines: Readonly<Record<EmbeddedKind, number>> = { query: 1_500, document: 60_000 }

const dimensions = 1024
/** Characters of a token, where a model does not say how many it read. */
const charactersAToken = 4

/** An embedding model as an embedder: texts that it can take, requests that it can hold, an end to each, and vectors that can be compared. */
export function holdEmbedder(model: EmbeddingModel, deadlines: Readonly<Record<EmbeddedKind, number>> = embedderDeadlines): Embedder {
  return {
    space: model.space,
    dimensions,
    maxBatch: model.limits.texts,
    async embed(texts, kind, signal, onCall) {
      signal?.throwIfAborted()
      const count = openCall(model, kind)
      const ask = async (request: string[]) => {
        const { vectors, tokens } = await withDeadline(model.id, deadlines[kind], signal, (until) => model.request(request, kind, until))
        count.add(request, tokens)
        return toUnitVectors(model.id, vectors, request.length)
      }
      try {
        const vectors: number[][] = []
        const embeddable = texts.map((text) => toEmbeddable(text, embeddedBytes[0]))
        for (const request of toRequests(embeddable, model.limits, (text) => text)) vectors.push(...(await askShorter(request, ask)))
        if (texts.length > 0) onCall?.(count.end('answered'))
        return vectors
      } catch (error) {
        if (signal?.aborted) {
          if (count.hasTokens()) onCall?.(count.end('failed'))
          throw signal.reason
        }
        const told = error instanceof NuraError ? error : fromFault(model.id, error)
        onCall?.(count.end('failed', told))
        throw told
      }
    },
  }
}

/** A refused request is tried again with shorter texts: one that is too long for the model must not keep all the others from it. */
async function askShorter(texts: string[], ask: (texts: string[]) => Promise<number[][]>): Promise<number[][]> {
  for (const [at, bytes] of embeddedBytes.entries()) {
    try {
      return await ask(at === 0 ? texts : texts.map((text) => toEmbeddable(text, bytes)))
    } catch (error) {
      const canBeShorter = texts.some((text) => Buffer.byteLength(text) > (embeddedBytes[at + 1] ?? Infinity))
      if (!canBeShorter || !(error instanceof NuraError && error.code === 'model-refused')) throw error
    }
  }
  throw new Error('the last attempt either returns or throws')
}

/** Ends with the caller's signal or with the deadline, also where a library does not look at its signal. */
async function withDeadline<T>(id: string, ms: number, signal: AbortSignal | undefined, run: (until: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(modelAway(id, `took longer than ${ms / 1000} s`)), ms)
  const until = signal ? AbortSignal.any([signal, late.signal]) : late.signal
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const end = () => reject(until.reason as Error)
  until.addEventListener('abort', end, { once: true })
  try {
    return await Promise.race([run(until), aborted])
  } finally {
    clearTimeout(timer)
    until.removeEventListener('abort', end)
  }
}

/**
 * @throws NuraError `wrong-dimensions`, which only another model mends: vectors of another length are another space. `bad-vectors`
 *   for what is no direction.
 */
function toUnitVectors(id: string, vectors: readonly unknown[], count: number): number[][] {
  if (vectors.length !== count) throw badVectors(id, `${vectors.length} vectors for ${count} texts`)
  return vectors.map((vector) => {
    if (!Array.isArray(vector)) throw badVectors(id, 'what is no vector')
    if (vector.length !== dimensions) {
      throw new NuraError('wrong-dimensions', `${id} returns vectors of ${vector.length} dimensions; Nura stores ${dimensions}. Name a model with ${dimensions} dimensions in EMBEDDING_MODELS.`)
    }
    const values = vector as unknown[]
    let squares = 0
    for (const value of values) squares += typeof value === 'number' ? value * value : Number.NaN
    if (!Number.isFinite(squares)) throw badVectors(id, 'a vector with a value that is no number')
    if (squares === 0) throw badVectors(id, 'a vector of nothing but zeros')
    const length = Math.sqrt(squares)
    return (values as number[]).map((value) => value / length)
  })
}

/** The model answers, but not with what was asked of it. */
function badVectors(id: string, what: string): NuraError {
  return new NuraError('bad-vectors', `${id} sent ${what}. Try again in a minute; if it stays, look at the model's own log.`, { retryable: true })
}

function openCall(model: EmbeddingModel, kind: EmbeddedKind) {
  const started = performance.now()
  let tokens = 0
  let estimated = false
  return {
    hasTokens: () => tokens > 0,
    add(texts: string[], told: number | null) {
      tokens += told ?? Math.ceil(texts.reduce((sum, text) => sum + text.length, 0) / charactersAToken)
      estimated ||= told === null
    },
    end(outcome: EmbeddingCall['outcome'], error?: NuraError): EmbeddingCall {
      const failure = error ? toFailureText(error) : null
      return { model: model.id, kind, outcome, tokens, estimated, costUsd: (tokens * model.price) / 1_000_000, ms: performance.now() - started, failure }
    },
  }
}
