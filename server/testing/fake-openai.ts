import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions'
import type { EmbeddingCreateParams } from 'openai/resources/embeddings'
import { canary, citing, createFakeModel, obey, toBreak } from './fake-model.ts'
import type { FakeFault, FakeModel, FakeRequest } from './fake-model.ts'
import { createFakeVectors } from './fake-vectors.ts'
import type { FakeVectors } from './fake-vectors.ts'
import { listenOnLoopback } from './listen-on-loopback.ts'
import { sendJson } from './send-json.ts'

export type FakeOpenaiRequest = FakeRequest<ChatCompletionCreateParamsStreaming>
/** `cold`: a server of one's own that is loading its model. `tool-call`: the answer begins with a call of a tool that nobody offered. */
export type OpenaiFault = FakeFault | { kind: 'cold' } | { kind: 'tool-call' }
/** A call of a tool, as a model asks for it. */
export type FakeToolCall = { name: string; arguments: string }
export type OpenaiReply = FakeModel<ChatCompletionCreateParamsStreaming>['reply']

export type FakeOpenai = FakeModel<ChatCompletionCreateParamsStreaming, OpenaiFault> & {
  /** Tools that the model asks for beside its text, whether or not anybody offered one. */
  toolCalls: (body: ChatCompletionCreateParamsStreaming) => FakeToolCall[]
  /** What the model takes before its first word, milliseconds. */
  thinkMs: number
  /** What `OPENAI_BASE_URL` names. */
  readonly url: string
  /** The embedding model, with faults and a log of its own. */
  readonly vectors: FakeVectors
  /** Each request for embeddings as it came in. */
  readonly embeddingRequests: { key: string | null; body: EmbeddingCreateParams }[]
  close(): Promise<void>
}

/** Answers with one claim about the first passage, in two paragraphs. */
export const citesFirst: OpenaiReply = () => citing

/** Obeys whatever it finds in the text: says again each line that gives an order or names an address. A model taken over. */
export const obedient: OpenaiReply = ({ messages }) => {
  return obey(messages.flatMap(({ role, content }) => (role === 'system' ? [] : [textOf(content)])).join('\n'))
}

/** OpenAI's chat completions and embeddings over loopback; completions are streamed as server-sent events, with a log of every request. */
export async function startFakeOpenai(options: { reply?: OpenaiReply; apiKey?: string } = {}): Promise<FakeOpenai> {
  const { fake: vectors, answer: answerWithVectors } = createFakeVectors()
  const embeddingRequests: FakeOpenai['embeddingRequests'] = []
  const fake = createFakeModel<ChatCompletionCreateParamsStreaming, OpenaiFault>(({ messages }) => messages.map(({ content }) => textOf(content)).join('\n'), { reply: citesFirst, ...options })
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://fake').pathname
    const key = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? null
    if (fake.apiKey !== null && key !== fake.apiKey) return refuse(response, { status: 401, code: 'invalid_api_key' })
    if (path === '/v1/models') return sendJson(response, 200, { object: 'list', data: [{ id: 'fake-chat', object: 'model', created: 1, owned_by: 'fake' }] })
    if (path === '/v1/embeddings' && request.method === 'POST') return embed((await json(request)) as EmbeddingCreateParams, key, response)
    if (path !== '/v1/chat/completions' || request.method !== 'POST') return refuse(response, { status: 404, code: 'unknown_url' })
    const body = (await json(request)) as ChatCompletionCreateParamsStreaming
    const fault = fake.take({ headers: request.headers, key, body }, response)
    if (fault?.kind === 'cold') return refuse(response, { status: 503, code: 'loading', message: 'The model is loading' })
    if (fault?.kind === 'status') return refuse(response, fault)
    if (fault?.kind === 'hang' && fault.after === undefined) return
    await stream(body, fault, response)
  }

  async function embed(body: EmbeddingCreateParams, key: string | null, response: ServerResponse): Promise<void> {
    embeddingRequests.push({ key, body })
    const isBase64 = body.encoding_format === 'base64'
    const toEmbedding = (vector: number[]) => (isBase64 ? Buffer.from(Float32Array.from(vector).buffer).toString('base64') : vector)
    await answerWithVectors(body.input as string[], response, {
      refuse: (status, fault) => refuse(response, { status, ...fault }),
      send(found, tokens) {
        const data = found.map((vector, index) => ({ object: 'embedding', index, embedding: toEmbedding(vector) }))
        // The last first: each says which text it is of.
        sendJson(response, 200, { object: 'list', model: body.model, data: data.toReversed(), usage: { prompt_tokens: tokens, total_tokens: tokens } })
      },
    })
  }

  async function stream(body: ChatCompletionCreateParamsStreaming, fault: OpenaiFault | null, response: ServerResponse): Promise<void> {
    const frame = (fields: object) => ({ id: 'chatcmpl-fake', object: 'chat.completion.chunk', created: 1, model: body.model, ...fields })
    const send = (data: unknown) => void response.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`)
    const choice = (delta: object, finish_reason: string | null = null) => frame({ choices: [{ index: 0, delta, finish_reason }], ...(body.stream_options?.include_usage ? { usage: null } : {}) })
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': `req_fake_${fake.requests.length}` })
    send(choice({ role: 'assistant', content: '' }))
    const calls = fault?.kind === 'tool-call' ? [{ name: 'shell', arguments: '{"command":"env"}' }] : openai.toolCalls(body)
    for (const [index, call] of calls.entries()) send(choice({ tool_calls: [{ index, id: `call_${index + 1}`, type: 'function', function: call }] }))
    if (openai.thinkMs > 0) await sleep(openai.thinkMs)
    let written = ''
    for await (const content of fake.speak(body, fault, response)) {
      written += content
      send(choice({ content }))
    }
    if (response.destroyed) return
    const broken = toBreak(fault)
    if (broken) return await breakOff(broken.kind, response)
    send(choice({}, calls.length > 0 && written === '' ? 'tool_calls' : 'stop'))
    if (body.stream_options?.include_usage) {
      const { inputTokens, outputTokens } = fake.report(body, written)
      send(frame({ choices: [], usage: { prompt_tokens: inputTokens, completion_tokens: outputTokens, total_tokens: inputTokens + outputTokens } }))
    }
    send('[DONE]')
    response.end()
  }

  async function breakOff(kind: OpenaiFault['kind'], response: ServerResponse): Promise<void> {
    if (kind === 'hang') return
    if (kind === 'malformed') response.write('data: {"choices": [{"delta":\n\n')
    if (kind === 'error-frame') response.write(`data: ${JSON.stringify({ error: { message: 'The server had an error', type: 'server_error', code: null } })}\n\n`)
    // What was written must have left before the connection goes.
    if (kind === 'cut') await sleep(20)
    if (kind === 'cut') response.destroy()
    else response.end()
  }

  const { url, close } = await listenOnLoopback(server)
  const openai: FakeOpenai = Object.assign(fake, {
    toolCalls: () => [],
    thinkMs: 0,
    vectors,
    embeddingRequests,
    url: `${url}/v1`,
    close,
  })
  return openai
}

function refuse(response: ServerResponse, { status, code = 'fault', retryAfter, message = 'Refused' }: { status: number; code?: string; retryAfter?: string; message?: string }): void {
  const headers: Record<string, string> = { 'x-request-id': 'req_fake' }
  if (retryAfter !== undefined) headers['retry-after'] = retryAfter
  // OpenAI repeats a part of the key in its own message.
  sendJson(response, status, { error: { message: `${message}: ${canary}`, type: 'fake', param: null, code } }, headers)
}

function textOf(content: unknown): string {
  return typeof content === 'string' ? content : JSON.stringify(content)
}
