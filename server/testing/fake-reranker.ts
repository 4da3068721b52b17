import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { tokens } from '../tokens.ts'
import { listenOnLoopback } from './listen-on-loopback.ts'
import { sendJson } from './send-json.ts'

export type RerankBody = { query: string; texts: string[]; truncate: boolean; raw_scores: boolean }

export type RerankFault =
  | { kind: 'hang' }
  | { kind: 'status'; status: number; message?: string; retryAfter?: string }
  | { kind: 'cut' }
  | { kind: 'malformed' }
  | { kind: 'nan' }
  /** One score too few. */
  | { kind: 'short' }
  | { kind: 'slow'; ms: number }

export type FakeReranker = {
  readonly url: string
  readonly requests: RerankBody[]
  /** Of every request; `faults` go first, one request each. */
  fault: RerankFault | null
  readonly faults: RerankFault[]
  /** 0 to 1; the share of the question's words in the text unless a test says otherwise. */
  score: (query: string, text: string) => number
  aborted: number
  close(): Promise<void>
}

const sharedWords: FakeReranker['score'] = (query, text) => {
  const wanted = new Set(tokens(query))
  return wanted.intersection(new Set(tokens(text))).size / Math.max(wanted.size, 1)
}

/** `/rerank` of text-embeddings-inference over loopback: at most 32 texts, scores the best first. */
export async function startFakeReranker(): Promise<FakeReranker> {
  const fake: Omit<FakeReranker, 'url' | 'close'> = { requests: [], fault: null, faults: [], score: sharedWords, aborted: 0 }
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST' || request.url !== '/rerank') return sendJson(response, 404, { error: 'not found', error_type: 'validation' })
    const body = (await json(request)) as RerankBody
    fake.requests.push(body)
    response.once('close', () => void (fake.aborted += response.writableEnded ? 0 : 1))
    const fault = fake.faults.shift() ?? fake.fault
    if (fault?.kind === 'hang') return
    if (fault?.kind === 'slow') await sleep(fault.ms)
    if (fault?.kind === 'cut') return void response.destroy()
    if (fault?.kind === 'malformed') return void response.end('[{"index": 0, "sco')
    if (fault?.kind === 'status') return sendJson(response, fault.status, { error: fault.message ?? 'canary', error_type: 'unhealthy' }, fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter })
    if (body.texts.length > 32) return sendJson(response, 413, { error: 'batch size > maximum allowed batch size 32', error_type: 'validation' })
    const scores = body.texts.map((text, index) => ({ index, score: fault?.kind === 'nan' ? Number.NaN : fake.score(body.query, text) })).sort((a, b) => b.score - a.score)
    sendJson(response, 200, fault?.kind === 'short' ? scores.slice(1) : scores)
  }

  return Object.assign(fake, await listenOnLoopback(server))
}
