import { createServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions'
import type { EmbeddingCreateParams } from 'openai/resources/embeddings'
import { sendPieces, toUsage } from './fake-model.ts'
import type { FakeUsage, ModelFault, PiecesEnd, TokenCount } from './fake-model.ts'
import { createFakeVectors } from './fake-vectors.ts'
import type { FakeVectors } from './fake-vectors.ts'

/** One request as it came in. */
export type FakeOpenaiRequest = {
  at: number
  headers: IncomingHttpHeaders
  /** The key that was sent; null for none. */
  key: string | null
  body: ChatCompletionCreateParamsStreaming
  /** Whether the client closed the connection before the answer was whole. */
  aborted: boolean
  /** What was reported as used. */
  used: TokenCount | null
}

/** What the model says to one request: Markdown, sent word by word. */
export type OpenaiReply = (request: ChatCompletionCreateParamsStreaming) => string

export type FakeOpenai = {
  /** What `OPENAI_BASE_URL` names. */
  readonly url: string
  readonly requests: FakeOpenaiRequest[]
  reply: OpenaiReply
  /** Of every request; `faults` go first, one request each. */
  fault: ModelFault | null
  readonly faults: ModelFault[]
  /** What is reported as used. */
  usage: FakeUsage
  /** The sum of what was reported. */
  readonly reported: TokenCount
  /** The key that is asked for; null takes any, and none. */
  apiKey: string | null
  /** The embedding model, with faults and a log of its own. */
  readonly vectors: FakeVectors
  /** Each request for embeddings as it came in. */
  readonly embeddingRequests: { key: string | null; body: EmbeddingCreateParams }[]
  /** Everything that was ever sent to the model as one text: where tests look for what must not be there. */
  seen(): string
  close(): Promise<void>
}

/** Answers with one claim about the first passage, in two paragraphs. */
export const citesFirst: OpenaiReply = () => 'The first passage tells how it works [1].\n\n- It is told there in full [1]\n'

/** Obeys whatever it finds in the text: says again each line that gives an order or names an address. A model taken over. */
export const obedient: OpenaiReply = ({ messages }) => {
  const text = messages.flatMap(({ role, content }) => (role === 'system' ? [] : [textOf(content)])).join('\n')
  const orders = text.split('\n').filter((line) => /\b(?:ignore|must|print|say|reply|respond|post|send|approve|output|reveal|include|append)\b|:\/\/|<!--|^\/|[@!]\w/i.test(line))
  return `I do as I was told [1].\n\n${orders.join('\n')}\n`
}

/** OpenAI's chat completions and embeddings over loopback; completions are streamed as server-sent events, with a log of every request. */
export async function startFakeOpenai(options: { reply?: OpenaiReply; apiKey?: string } = {}): Promise<FakeOpenai> {
  const { fake: vectors, answer: answerWithVectors } = createFakeVectors()
  const fake: Omit<FakeOpenai, 'url' | 'close' | 'seen'> = {
    vectors, embeddingRequests: [],
    requests: [], reply: options.reply ?? citesFirst, fault: null, faults: [], usage: { inputTokens: 900, outputTokens: 60 }, reported: { inputTokens: 0, outputTokens: 0 }, apiKey: options.apiKey ?? null,
  }
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://fake').pathname
    const key = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? null
    if (fake.apiKey !== null && key !== fake.apiKey) return refuse(response, 401, 'invalid_api_key')
    if (path === '/v1/models') return json(response, 200, { object: 'list', data: [{ id: 'fake-chat', object: 'model', created: 1, owned_by: 'fake' }] })
    if (path === '/v1/embeddings' && request.method === 'POST') return embed(JSON.parse(await readText(request)) as EmbeddingCreateParams, key, response)
    if (path !== '/v1/chat/completions' || request.method !== 'POST') return refuse(response, 404, 'unknown_url')
    const body = JSON.parse(await readText(request)) as ChatCompletionCreateParamsStreaming
    const logged: FakeOpenaiRequest = { at: Date.now(), headers: request.headers, key, body, aborted: false, used: null }
    fake.requests.push(logged)
    response.once('close', () => void (logged.aborted = !response.writableEnded))
    const fault = fake.faults.shift() ?? fake.fault
    if (fault?.kind === 'cold') return refuse(response, 503, 'loading', undefined, 'The model is loading')
    if (fault?.kind === 'status') return refuse(response, fault.status, fault.code ?? 'fault', fault.retryAfter)
    if (fault?.kind === 'hang' && fault.after === undefined) return
    await stream(logged, fault, response)
  }

  async function embed(body: EmbeddingCreateParams, key: string | null, response: ServerResponse): Promise<void> {
    fake.embeddingRequests.push({ key, body })
    const isBase64 = body.encoding_format === 'base64'
    const toEmbedding = (vector: number[]) => (isBase64 ? Buffer.from(Float32Array.from(vector).buffer).toString('base64') : vector)
    await answerWithVectors(body.input as string[], response, {
      refuse: (status, { code, message, retryAfter }) => refuse(response, status, code, retryAfter, message),
      send(found, tokens) {
        const data = found.map((vector, index) => ({ object: 'embedding', index, embedding: toEmbedding(vector) }))
        // The last first: each says which text it is of.
        json(response, 200, { object: 'list', model: body.model, data: data.toReversed(), usage: { prompt_tokens: tokens, total_tokens: tokens } })
      },
    })
  }

  async function stream(logged: FakeOpenaiRequest, fault: ModelFault | null, response: ServerResponse): Promise<void> {
    const { body } = logged
    const frame = (fields: object) => ({ id: 'chatcmpl-fake', object: 'chat.completion.chunk', created: 1, model: body.model, ...fields })
    const send = (data: unknown) => void response.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`)
    const choice = (delta: object, finish_reason: string | null = null) => frame({ choices: [{ index: 0, delta, finish_reason }], ...(body.stream_options?.include_usage ? { usage: null } : {}) })
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': `req_fake_${fake.requests.length}` })
    send(choice({ role: 'assistant', content: '' }))
    const written = fake.reply(body)
    const end = await sendPieces(written, fault, (content) => !response.destroyed && (send(choice({ content })), true))
    if (response.destroyed) return
    if (end !== 'whole') return await breakOff(end, response)
    send(choice({}, 'stop'))
    const { inputTokens, outputTokens } = toUsage(fake.usage, body.messages.map(({ content }) => textOf(content)).join('\n'), fault?.kind === 'empty' ? '' : written)
    logged.used = { inputTokens, outputTokens }
    fake.reported.inputTokens += inputTokens
    fake.reported.outputTokens += outputTokens
    if (body.stream_options?.include_usage) send(frame({ choices: [], usage: { prompt_tokens: inputTokens, completion_tokens: outputTokens, total_tokens: inputTokens + outputTokens } }))
    send('[DONE]')
    response.end()
  }

  async function breakOff(kind: PiecesEnd, response: ServerResponse): Promise<void> {
    if (kind === 'hang') return
    if (kind === 'malformed') response.write('data: {"choices": [{"delta":\n\n')
    if (kind === 'error-frame') response.write(`data: ${JSON.stringify({ error: { message: 'The server had an error', type: 'server_error', code: null } })}\n\n`)
    // What was written must have left before the connection goes.
    if (kind === 'cut') await sleep(20)
    if (kind === 'cut') response.destroy()
    else response.end()
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(fake, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    seen: () => fake.requests.map(({ body }) => body.messages.map(({ content }) => textOf(content)).join('\n')).join('\n'),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

function refuse(response: ServerResponse, status: number, code: string, retryAfter?: string, message = `Refused with ${status}: sk-canary-of-a-message`): void {
  const headers: Record<string, string> = { 'x-request-id': 'req_fake' }
  if (retryAfter !== undefined) headers['retry-after'] = retryAfter
  // OpenAI repeats a part of the key in its own message.
  json(response, status, { error: { message, type: 'fake', param: null, code } }, headers)
}

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

function textOf(content: unknown): string {
  return typeof content === 'string' ? content : JSON.stringify(content)
}

async function readText(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece)
  return Buffer.concat(pieces).toString('utf8')
}
