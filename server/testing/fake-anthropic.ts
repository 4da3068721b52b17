import { createServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { MessageCreateParamsStreaming } from '@anthropic-ai/sdk/resources/messages'
import { sendPieces, toUsage } from './fake-model.ts'
import type { FakeUsage, ModelFault, PiecesEnd, TokenCount } from './fake-model.ts'

export type FakeAnthropicRequest = { at: number; headers: IncomingHttpHeaders; key: string | null; body: MessageCreateParamsStreaming; aborted: boolean; /** What was reported as used. */ used: TokenCount | null }

export type FakeAnthropic = {
  /** What `ANTHROPIC_BASE_URL` names. */
  readonly url: string
  readonly requests: FakeAnthropicRequest[]
  reply: (request: MessageCreateParamsStreaming) => string
  /** Of every request; `faults` go first, one request each. */
  fault: ModelFault | null
  readonly faults: ModelFault[]
  usage: FakeUsage
  /** The sum of what was reported. */
  readonly reported: TokenCount
  stopReason: string
  close(): Promise<void>
}

/** Anthropic's messages over loopback, streamed as server-sent events, with a log of every request. */
export async function startFakeAnthropic(options: { reply?: FakeAnthropic['reply'] } = {}): Promise<FakeAnthropic> {
  const fake: Omit<FakeAnthropic, 'url' | 'close'> = {
    requests: [], reply: options.reply ?? (() => 'The first passage tells how it works [1].\n\n- It is told there in full [1]\n'), fault: null, faults: [],
    usage: { inputTokens: 900, outputTokens: 60 }, reported: { inputTokens: 0, outputTokens: 0 }, stopReason: 'end_turn',
  }
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (new URL(request.url ?? '/', 'http://fake').pathname !== '/v1/messages' || request.method !== 'POST') return refuse(response, 404, 'not_found_error')
    const body = JSON.parse(await readText(request)) as MessageCreateParamsStreaming
    const sent = request.headers['x-api-key'] ?? request.headers.authorization?.replace(/^Bearer /, '')
    const logged: FakeAnthropicRequest = { at: Date.now(), headers: request.headers, key: typeof sent === 'string' ? sent : null, body, aborted: false, used: null }
    fake.requests.push(logged)
    response.once('close', () => void (logged.aborted = !response.writableEnded))
    const fault = fake.faults.shift() ?? fake.fault
    if (fault?.kind === 'cold') return refuse(response, 529, 'overloaded_error')
    if (fault?.kind === 'status') return refuse(response, fault.status, fault.code ?? 'api_error', fault.retryAfter)
    if (fault?.kind === 'hang' && fault.after === undefined) return
    await stream(logged, fault, response)
  }

  async function stream(logged: FakeAnthropicRequest, fault: ModelFault | null, response: ServerResponse): Promise<void> {
    const { body } = logged
    const send = (type: string, data: object) => void response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`)
    const written = fault?.kind === 'empty' ? '' : fake.reply(body)
    const asked = [typeof body.system === 'string' ? body.system : '', ...body.messages.map(({ content }) => (typeof content === 'string' ? content : JSON.stringify(content)))].join('\n')
    const { inputTokens, outputTokens } = toUsage(fake.usage, asked, written)
    response.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': `req_fake_${fake.requests.length}` })
    const usage = { input_tokens: inputTokens, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 }
    send('message_start', { message: { id: 'msg_fake', type: 'message', role: 'assistant', model: body.model, content: [], stop_reason: null, stop_sequence: null, usage } })
    send('content_block_start', { index: 0, content_block: { type: 'text', text: '' } })
    send('ping', {})
    const end = await sendPieces(written, fault, (text) => !response.destroyed && (send('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }), true))
    if (response.destroyed) return
    if (end !== 'whole') return await breakOff(end, response)
    send('content_block_stop', { index: 0 })
    send('message_delta', { delta: { stop_reason: fake.stopReason, stop_sequence: null }, usage: { output_tokens: outputTokens } })
    send('message_stop', {})
    logged.used = { inputTokens, outputTokens }
    fake.reported.inputTokens += inputTokens
    fake.reported.outputTokens += outputTokens
    response.end()
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(fake, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

async function breakOff(kind: PiecesEnd, response: ServerResponse): Promise<void> {
  if (kind === 'hang') return
  if (kind === 'malformed') response.write('event: content_block_delta\ndata: {"type": "content_block_delta", "delta":\n\n')
  if (kind === 'error-frame') response.write(`event: error\ndata: ${JSON.stringify({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded: sk-canary-of-a-message' } })}\n\n`)
  // What was written must have left before the connection goes.
  if (kind === 'cut') await sleep(20)
  if (kind === 'cut') response.destroy()
  else response.end()
}

function refuse(response: ServerResponse, status: number, type: string, retryAfter?: string): void {
  const headers: Record<string, string> = { 'content-type': 'application/json', 'request-id': 'req_fake', ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }) }
  response.writeHead(status, headers)
  response.end(JSON.stringify({ type: 'error', error: { type, message: `Refused with ${status}: sk-canary-of-a-message` } }))
}

async function readText(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece)
  return Buffer.concat(pieces).toString('utf8')
}
