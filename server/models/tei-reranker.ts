import { badModel, fromFault, fromStatus, modelAway, modelCold } from './model-error.ts'
import type { Reranker } from './reranker.ts'

/** What the server takes unless it is told otherwise. */
const maxTexts = 32
/** Reads some 8,000 tokens with the question; more of a text changes little and costs time. */
const mostCharacters = 2_000

/** A reranker behind `/rerank` of text-embeddings-inference. @param baseUrl root of the server, such as `http://reranker:8080` */
export function createTeiReranker(model: string, baseUrl: string): Reranker {
  const id = `tei:${model}`
  const url = `${baseUrl.replace(/\/+$/, '')}/rerank`
  return {
    id,
    maxTexts,
    async rerank(query, texts, signal) {
      signal?.throwIfAborted()
      if (texts.length === 0) return []
      const clean = (text: string) => text.slice(0, mostCharacters).toWellFormed().replaceAll('\0', ' ')
      const body = JSON.stringify({ query: clean(query), texts: texts.map(clean), truncate: true, raw_scores: false })
      try {
        const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal: signal ?? null })
        if (!response.ok) throw await toError(id, response)
        return toScores(id, await response.json(), texts.length)
      } catch (error) {
        signal?.throwIfAborted()
        const fault = fromFault(id, error)
        throw fault.cause instanceof Error && fault.cause.message === 'ECONNREFUSED' ? modelCold(id, fault.cause) : fault
      }
    },
  }
}

async function toError(id: string, response: Response): Promise<Error> {
  const { status, headers } = response
  const said = await response.text()
  if (status === 503 && /loading|starting|warming|not ready/i.test(said)) return modelCold(id, new Error(`status ${status}`))
  if (status === 401) return badModel(id, 'the server asks for a key, and none is sent; serve the reranker without one', new Error(`status ${status}`))
  return fromStatus(id, { status, code: null, requestId: headers.get('x-request-id'), headers, keyName: 'the key' })
}

/** Scores come the best first, each with the place of its text. */
function toScores(id: string, body: unknown, count: number): number[] {
  const scores = Array.from({ length: count }, () => Number.NaN)
  for (const { index, score } of Array.isArray(body) ? (body as { index?: unknown; score?: unknown }[]) : []) {
    if (typeof index === 'number' && index in scores && typeof score === 'number') scores[index] = score
  }
  if (!scores.every(Number.isFinite)) throw modelAway(id, 'did not score every text')
  return scores
}
