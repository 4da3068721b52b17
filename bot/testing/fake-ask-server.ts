import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { listenOnLoopback } from '#server/testing/listen-on-loopback.ts'
import type { Setting } from '#server/explain-settings.ts'
import type { AnswerDone, AnswerPart, Citation, Report } from '#server/answer-part.ts'

export type Asked = { question: string; thread?: string; agent?: string; prefer?: string; timeZone?: string; retell?: string; audience: Record<string, unknown>; context?: { author: string; text: string; trusted: boolean }[]; authorization: string | undefined }

/** What the server says to one question; `break` ends the connection without `done`. */
export type Script = (asked: Asked, index: number) => AsyncIterable<AnswerPart | 'break'> | Iterable<AnswerPart | 'break'>

export type FakeAskServer = {
  readonly url: string
  readonly asked: Asked[]
  /** Requests beside `/v1/ask`. */
  readonly requests: { method: string; path: string; body: unknown }[]
  /** Questions whose connection the client closed before the answer was whole. */
  readonly aborted: string[]
  /** Answers that were deleted. */
  readonly forgotten: Set<string>
  script: Script
  readonly threads: Map<string, { subscribed: boolean; muted: boolean }>
  suggestions: string[]
  settings: Setting[]
  /** For whom and which thread settings were asked, as queries. */
  readonly settingsAsked: Record<string, string>[]
  /** The line of each stored answer that names who may know; null: none. */
  whoKnows: string | null
  /** What beginning a GitHub connection gives: an address, or how the server says no. */
  github: { url: string } | { status: number; error: { code: string; message: string; retryable: boolean } }
  /** Askers whose GitHub account is linked. */
  readonly linked: Set<string>
  close(): Promise<void>
}

export const sampleCitation: Citation = { n: 1, repository: 'acme/api', path: 'src/verify.ts', startLine: 10, endLine: 42, sha: 'a1b2c3d4e5f60718293a4b5c6d7e8f9012345678', url: 'https://git.example/acme/api/blob/a1b2c3d/src/verify.ts#L10-L42' }

export function sampleDone(answerId = 'answer-1'): AnswerDone {
  return {
    kind: 'done',
    answerId,
    agent: 'dev',
    abstained: false,
    freshness: [{ repository: 'acme/api', sha: sampleCitation.sha, branch: 'main', indexedAt: new Date(Date.now() - 4 * 60_000).toISOString() }],
    usage: { models: ['extractive:default'], tokens: 120, costUsd: 0 },
    timings: { choose: 1, retrieve: 20, answer: 5, total: 26 },
    trace: 'trace-1',
  }
}

/** A short answer with one citation. */
export function shortAnswer(text = 'Signatures are verified in `verify` [1].', answerId?: string): AnswerPart[] {
  return [{ kind: 'status', text: 'Searching acme/api' }, { kind: 'citation', citation: sampleCitation }, { kind: 'text', markdown: text }, sampleDone(answerId)]
}

/** The server as the bot sees it: `/v1/ask` as server-sent events and the routes beside it, scripted, over loopback. */
export async function startFakeAskServer(script: Script = (_asked, index) => shortAnswer(undefined, `answer-${index + 1}`)): Promise<FakeAskServer> {
  const fake: Omit<FakeAskServer, 'url' | 'close'> = { github: { url: 'https://github.example/apps/nura/installations/new?state=s' }, linked: new Set(), asked: [], requests: [], aborted: [], forgotten: new Set(), whoKnows: null, script, threads: new Map(), settingsAsked: [], settings: [{ name: 'Dev answers with', value: 'openai:gpt-4.1', source: 'line-up: NURA_MODELS=development', explanation: 'Code.' }], suggestions: ['Where do we verify signatures?', 'How are jobs queued?', 'What does `serve` start?'] }
  /** What was answered, as it is stored. */
  const told = new Map<string, { markdown: string; reports: Report[] }>()
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readJson(request)
    const { pathname: path, searchParams } = new URL(request.url ?? '/', 'http://server')
    const method = request.method ?? 'GET'
    if (path === '/v1/ask') return await stream({ ...(body as Asked), authorization: request.headers.authorization }, response)
    fake.requests.push({ method, path, body })
    const [, , kind, id = ''] = path.split('/').map(decodeURIComponent)
    if (kind === 'threads') {
      const thread = { subscribed: false, muted: false, ...fake.threads.get(id), ...(method === 'PATCH' ? (body as object) : {}) }
      if (method === 'PATCH') fake.threads.set(id, thread)
      return json(response, method === 'GET' && !fake.threads.has(id) ? 404 : 200, thread)
    }
    if (kind === 'config') {
      fake.settingsAsked.push(Object.fromEntries(searchParams))
      return json(response, 200, { settings: fake.settings })
    }
    if (kind === 'suggestions') return json(response, 200, { suggestions: fake.suggestions })
    if (kind === 'github' && method === 'POST') {
      if ('error' in fake.github) return json(response, fake.github.status, { error: { ...fake.github.error, ref: 'ABC123' } })
      return json(response, 201, { url: fake.github.url, expiresAt: new Date(Date.now() + 15 * 60_000).toISOString() })
    }
    if (kind === 'github') return json(response, 200, { unlinked: fake.linked.delete(toSubject(request.headers.authorization)) })
    if (kind === 'answers' && method === 'GET') {
      const considered = [{ path: 'src/verify.ts', startLine: 10, endLine: 42, role: 'source', score: 0.82, fileScore: 0.4, legs: { bm25: 7.5, vector: 0.61 }, chosen: true }]
      if (fake.forgotten.has(id)) return json(response, 404, {})
      return json(response, 200, { id, agent: 'dev', markdown: '', reports: [], ...told.get(id), abstained: false, citations: [sampleCitation], usage: { models: ['extractive:default'], tokens: 120, costUsd: 0 }, trace: { ...(fake.whoKnows === null ? {} : { whoKnows: { owners: [], line: fake.whoKnows } }), chosen: { agent: 'dev', reason: 'asks where something is' }, search: { considered }, timings: { retrieve: 20, total: 26 } } })
    }
    if (kind === 'answers' && method === 'DELETE') fake.forgotten.add(id)
    return json(response, method === 'DELETE' ? 204 : 200, {})
  }

  async function stream(asked: Asked, response: ServerResponse): Promise<void> {
    fake.asked.push(asked)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    let whole = false
    response.on('close', () => {
      if (!whole) fake.aborted.push(asked.question)
    })
    let markdown = ''
    const reports: Report[] = []
    for await (const part of fake.script(asked, fake.asked.length - 1)) {
      if (response.destroyed) return
      if (part !== 'break' && part.kind === 'text') markdown += part.markdown
      if (part !== 'break' && part.kind === 'report') reports.push(part.report)
      if (part !== 'break' && part.kind === 'done') told.set(part.answerId, { markdown, reports })
      if (part === 'break') return void response.destroy()
      response.write(toEvent(part))
    }
    whole = true
    response.end()
  }

  return Object.assign(fake, await listenOnLoopback(server))
}

/** Whom the token of a request names. */
function toSubject(authorization = ''): string {
  const [, payload = ''] = authorization.split('.')
  return String((JSON.parse(Buffer.from(payload, 'base64url').toString('utf8') || '{}') as { sub?: string }).sub)
}

function toEvent(part: AnswerPart): string {
  const { kind, ...fields } = part
  const [event, data] = part.kind === 'text' ? ['token', { text: part.markdown }] : part.kind === 'citation' ? [kind, part.citation] : part.kind === 'report' ? [kind, part.report] : part.kind === 'step' ? [kind, part.step] : [kind, fields]
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(status === 204 ? undefined : JSON.stringify(body))
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = []
  for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece)
  return pieces.length === 0 ? null : JSON.parse(Buffer.concat(pieces).toString('utf8'))
}
