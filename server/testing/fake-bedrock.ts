import { constants, createServer } from 'node:http2'
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ConverseStreamCommandInput } from '@aws-sdk/client-bedrock-runtime'
import { EventStreamCodec } from '@smithy/eventstream-codec'
import { sendPieces, toUsage } from './fake-model.ts'
import type { FakeUsage, ModelFault, PiecesEnd, TokenCount } from './fake-model.ts'

/** What a model was asked; the id stands in the path. */
export type BedrockBody = Omit<ConverseStreamCommandInput, 'modelId'>
export type FakeBedrockRequest = { at: number; headers: IncomingHttpHeaders; model: string; streamed: boolean; body: BedrockBody; aborted: boolean; /** What was reported as used. */ used: TokenCount | null }

export type FakeBedrock = {
  /** What `AWS_ENDPOINT_URL_BEDROCK_RUNTIME` names. */
  readonly url: string
  readonly requests: FakeBedrockRequest[]
  reply: (request: BedrockBody) => string
  /** Of every request; `faults` go first, one request each. */
  fault: ModelFault | null
  readonly faults: ModelFault[]
  usage: FakeUsage
  /** The sum of what was reported. */
  readonly reported: TokenCount
  /** Text of the next refusal, where the wording decides what it means. */
  message: string
  close(): Promise<void>
}

/** What AWS calls a refusal of a status, unless the fault names it. */
const names: Record<number, string> = {
  400: 'ValidationException', 401: 'UnrecognizedClientException', 403: 'AccessDeniedException', 404: 'ResourceNotFoundException',
  429: 'ThrottlingException', 500: 'InternalServerException', 503: 'ServiceUnavailableException',
}

const codec = new EventStreamCodec((bytes) => Buffer.from(bytes as Uint8Array).toString('utf8'), (text) => Buffer.from(text))

/** Bedrock's Converse and ConverseStream over loopback and HTTP/2, as the SDK speaks it: binary event frames, typed exceptions. */
export async function startFakeBedrock(options: { reply?: FakeBedrock['reply'] } = {}): Promise<FakeBedrock> {
  const fake: Omit<FakeBedrock, 'url' | 'close'> = {
    requests: [], reply: options.reply ?? (() => 'The first passage tells how it works [1].\n\n- It is told there in full [1]\n'), fault: null, faults: [],
    usage: { inputTokens: 900, outputTokens: 60 }, reported: { inputTokens: 0, outputTokens: 0 }, message: 'Refused: canary of a message',
  }
  const sessions = new Set<ServerHttp2Session>()
  const server = createServer()
  server.on('session', (session) => {
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
    session.on('error', () => undefined)
  })
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined)
    answer(stream, headers).catch(() => stream.close(constants.NGHTTP2_INTERNAL_ERROR))
  })

  async function answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    const [, model, action] = /^\/model\/([^/]+)\/(converse|converse-stream)$/.exec(headers[':path'] ?? '') ?? []
    if (!model) return refuse(stream, 404, 'UnknownOperationException')
    const pieces: Buffer[] = []
    for await (const piece of stream as AsyncIterable<Buffer>) pieces.push(piece)
    const body = JSON.parse(Buffer.concat(pieces).toString('utf8')) as BedrockBody
    const logged: FakeBedrockRequest = { at: Date.now(), headers, model: decodeURIComponent(model), streamed: action === 'converse-stream', body, aborted: false, used: null }
    fake.requests.push(logged)
    stream.once('close', () => void (logged.aborted = stream.rstCode !== constants.NGHTTP2_NO_ERROR))
    const fault = fake.faults.shift() ?? fake.fault
    if (fault?.kind === 'cold') return refuse(stream, 429, 'ModelNotReadyException')
    if (fault?.kind === 'status') return refuse(stream, fault.status, fault.code ?? names[fault.status] ?? 'InternalServerException', fault.retryAfter)
    if (fault?.kind === 'hang' && fault.after === undefined) return
    const written = fault?.kind === 'empty' ? '' : fake.reply(body)
    const used = toUsage(fake.usage, toText(body), written)
    if (!logged.streamed) whole(stream, written, used)
    else if (!(await speak(stream, written, used, fault))) return
    logged.used = used
    fake.reported.inputTokens += used.inputTokens
    fake.reported.outputTokens += used.outputTokens
  }

  /** False when the answer did not come to its end. */
  async function speak(stream: ServerHttp2Stream, written: string, used: TokenCount, fault: ModelFault | null): Promise<boolean> {
    const send = (type: string, data: object, kind: 'event' | 'exception' = 'event') => {
      const headers = { ':message-type': string(kind), [kind === 'event' ? ':event-type' : ':exception-type']: string(type), ':content-type': string('application/json') }
      return void stream.write(Buffer.from(codec.encode({ headers, body: Buffer.from(JSON.stringify(data)) })))
    }
    stream.respond({ ':status': 200, 'content-type': 'application/vnd.amazon.eventstream', 'x-amzn-requestid': `fake-${fake.requests.length}` })
    send('messageStart', { role: 'assistant' })
    const end = await sendPieces(written, fault, (text) => !stream.destroyed && (send('contentBlockDelta', { contentBlockIndex: 0, delta: { text } }), true))
    if (stream.destroyed) return false
    if (end === 'error-frame') send('modelStreamErrorException', { message: 'The model died: canary of a message' }, 'exception')
    if (end !== 'whole') {
      await breakOff(end, stream)
      return false
    }
    send('contentBlockStop', { contentBlockIndex: 0 })
    send('messageStop', { stopReason: 'end_turn' })
    send('metadata', { usage: { ...used, totalTokens: used.inputTokens + used.outputTokens }, metrics: { latencyMs: 1 } })
    stream.end()
    return true
  }

  function whole(stream: ServerHttp2Stream, written: string, used: TokenCount): void {
    stream.respond({ ':status': 200, 'content-type': 'application/json', 'x-amzn-requestid': 'fake' })
    const output = { message: { role: 'assistant', content: [{ text: written }] } }
    stream.end(JSON.stringify({ output, stopReason: 'end_turn', usage: { ...used, totalTokens: used.inputTokens + used.outputTokens }, metrics: { latencyMs: 1 } }))
  }

  function refuse(stream: ServerHttp2Stream, status: number, name: string, retryAfter?: string): void {
    const headers = { ':status': status, 'content-type': 'application/json', 'x-amzn-errortype': name, 'x-amzn-requestid': 'fake' }
    stream.respond({ ...headers, ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }) })
    stream.end(JSON.stringify({ message: fake.message }))
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(fake, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const session of sessions) session.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

function string(value: string): { type: 'string'; value: string } {
  return { type: 'string', value }
}

function toText({ system = [], messages = [] }: BedrockBody): string {
  return [...system, ...messages.flatMap(({ content }) => content ?? [])].map((block) => ('text' in block ? block.text : '')).join('\n')
}

async function breakOff(kind: PiecesEnd, stream: ServerHttp2Stream): Promise<void> {
  if (kind === 'hang') return
  // A frame whose length does not fit its checksum.
  if (kind === 'malformed') stream.write(Buffer.from([0, 0, 0, 16, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]))
  // What was written must have left before the stream goes.
  if (kind === 'cut') await sleep(20)
  if (kind === 'cut') stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  else stream.end()
}
