import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { MessageCreateParamsStreaming } from '@anthropic-ai/sdk/resources/messages'
import { canary, citing, createFakeModel, obey, toBreak } from './fake-model.ts'
import type { FakeFault, FakeModel } from './fake-model.ts'
import { listenOnLoopback } from './listen-on-loopback.ts'
import { sendJson } from './send-json.ts'

export type AnthropicFault =
  | FakeFault
  /** Declines with status 200, before a word or after so many pieces. */
  | { kind: 'refusal'; after: number }
  /** Thinks, and calls a tool that nobody offered, before it answers. */
  | { kind: 'other-blocks' }

export type FakeAnthropic = FakeModel<MessageCreateParamsStreaming, AnthropicFault> & {
  /** What `ANTHROPIC_BASE_URL` names. */
  readonly url: string
  close(): Promise<void>
}

/** A model taken over: see `obey`. */
export const obedientClaude: FakeAnthropic['reply'] = ({ messages }) => obey(messages.map(({ content }) => textOf(content)).join('\n'))

/** Anthropic's Messages API over loopback, streamed as server-sent events, with a log of every request. */
export async function startFakeAnthropic(options: { reply?: FakeAnthropic['reply']; apiKey?: string } = {}): Promise<FakeAnthropic> {
  const fake = createFakeModel<MessageCreateParamsStreaming, AnthropicFault>(toText, { reply: () => citing, ...options })
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { authorization, 'x-api-key': apiKey, 'anthropic-version': version } = request.headers
    const key = /^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? (typeof apiKey === 'string' ? apiKey : null)
    if (fake.apiKey !== null && key !== fake.apiKey) return refuse(response, { status: 401, code: 'authentication_error' })
    if (request.url !== '/v1/messages' || request.method !== 'POST') return refuse(response, { status: 404, code: 'not_found_error' })
    const body = (await json(request)) as MessageCreateParamsStreaming
    const fault = fake.take({ headers: request.headers, key, body }, response)
    if (fault?.kind === 'status') return refuse(response, fault)
    if (!/^\d{4}-\d\d-\d\d$/.test(String(version)) || !isSound(body)) return refuse(response, { status: 400, code: 'invalid_request_error' })
    if (fault?.kind === 'hang' && fault.after === undefined) return
    await stream(body, fault, response)
  }

  async function stream(body: MessageCreateParamsStreaming, fault: AnthropicFault | null, response: ServerResponse): Promise<void> {
    const send = (type: string, fields: object = {}) => void response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`)
    response.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': `req_fake_${fake.requests.length}` })
    const { inputTokens } = fake.measure(body, '')
    // A part always comes from the cache, and a part goes into it: who counts must add them.
    const [read, created] = [Math.floor(inputTokens / 3), Math.floor(inputTokens / 9)]
    const usage = { input_tokens: inputTokens - read - created, cache_creation_input_tokens: created, cache_read_input_tokens: read, output_tokens: 1 }
    send('message_start', { message: { id: 'msg_fake', type: 'message', role: 'assistant', content: [], model: body.model, stop_reason: null, stop_sequence: null, usage } })
    send('ping')
    let index = 0
    if (fault?.kind === 'other-blocks') for (const [start, delta] of otherBlocks) {
      send('content_block_start', { index, content_block: start })
      send('content_block_delta', { index, delta })
      send('content_block_stop', { index: index++ })
    }
    send('content_block_start', { index, content_block: { type: 'text', text: '' } })
    let written = ''
    for await (const text of fake.speak(body, fault, response)) {
      written += text
      send('content_block_delta', { index, delta: { type: 'text_delta', text } })
    }
    if (response.destroyed) return
    const broken = toBreak(fault)
    if (broken && broken.kind !== 'refusal') return await breakOff(broken, response)
    send('content_block_stop', { index })
    const { outputTokens } = fake.report(body, written)
    const tokens = { input_tokens: null, cache_creation_input_tokens: null, cache_read_input_tokens: null, output_tokens: outputTokens }
    send('message_delta', { delta: { stop_reason: broken ? 'refusal' : 'end_turn', stop_sequence: null }, usage: tokens })
    send('message_stop')
    response.end()
  }

  async function breakOff(fault: Extract<FakeFault, { after?: number }>, response: ServerResponse): Promise<void> {
    if (fault.kind === 'hang') return
    if (fault.kind === 'malformed') response.write('event: content_block_delta\ndata: {"type": "content_block_delta",\n\n')
    if (fault.kind === 'error-frame') response.write(`event: error\ndata: ${JSON.stringify(toError(fault.code ?? 'overloaded_error'))}\n\n`)
    // What was written must have left before the connection goes.
    if (fault.kind === 'cut') await sleep(20)
    if (fault.kind === 'cut') response.destroy()
    else response.end()
  }

  return Object.assign(fake, await listenOnLoopback(server))
}

const otherBlocks = [
  [{ type: 'thinking', thinking: '', signature: '' }, { type: 'thinking_delta', thinking: 'I wonder about the canary.' }],
  [{ type: 'tool_use', id: 'toolu_fake', name: 'canary', input: {} }, { type: 'input_json_delta', partial_json: '{"canary":1}' }],
]

/** As strict as the strictest model behind this API. */
function isSound({ max_tokens, messages, system, stream }: MessageCreateParamsStreaming): boolean {
  const roles = messages.map(({ role }) => role)
  return max_tokens > 0 && stream && system !== '' && roles[0] === 'user' && roles.at(-1) === 'user'
    && roles.every((role, at) => role !== roles[at - 1]) && messages.every(({ content }) => textOf(content).trim() !== '')
}

function refuse(response: ServerResponse, { status, code = 'api_error', message, retryAfter }: { status: number; code?: string; message?: string; retryAfter?: string }): void {
  sendJson(response, status, toError(code, message), { 'request-id': 'req_fake', ...(retryAfter !== undefined && { 'retry-after': retryAfter }) })
}

function toError(type: string, message = 'Refused'): object {
  return { type: 'error', error: { type, message: `${message}: ${canary}` }, request_id: 'req_fake' }
}

function toText({ system, messages }: MessageCreateParamsStreaming): string {
  return [textOf(system ?? ''), ...messages.map(({ content }) => textOf(content))].join('\n')
}

function textOf(content: unknown): string {
  return typeof content === 'string' ? content : JSON.stringify(content)
}
