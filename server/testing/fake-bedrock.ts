import { createServer } from 'node:http2'
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ConverseStreamRequest } from '@aws-sdk/client-bedrock-runtime'
import { EventStreamCodec } from '@smithy/eventstream-codec'
import { canary, citing, createFakeModel, obey, toBreak } from './fake-model.ts'
import type { FakeFault, FakeModel } from './fake-model.ts'

/** What was asked, with what the address and the signature say: nothing of those is in the body on the wire. */
export type BedrockRequest = ConverseStreamRequest & { modelId: string; streamed: boolean; region: string | null }

export type BedrockFault =
  | FakeFault
  /** An imported model that is being loaded. */
  | { kind: 'cold' }
  /** Declines with status 200, before a word or after so many pieces. */
  | { kind: 'refusal'; after: number }

export type FakeBedrock = FakeModel<BedrockRequest, BedrockFault> & {
  /** What `AWS_ENDPOINT_URL_BEDROCK_RUNTIME` names. */
  readonly url: string
  /** Connections that are open. */
  readonly sessions: ReadonlySet<ServerHttp2Session>
  close(): Promise<void>
}

/** A model taken over: see `obey`. */
export const obedientBedrock: FakeBedrock['reply'] = ({ messages }) => obey(JSON.stringify(messages).replaceAll('\\n', '\n'))

const codec = new EventStreamCodec((bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8')), (text) => Buffer.from(text, 'utf8'))

/** Bedrock's Converse and ConverseStream over loopback, HTTP/2 without TLS and binary event frames, with a log of every request. */
export async function startFakeBedrock(options: { reply?: FakeBedrock['reply']; apiKey?: string } = {}): Promise<FakeBedrock> {
  const fake = createFakeModel<BedrockRequest, BedrockFault>(toText, { reply: () => citing, ...options })
  const sessions = new Set<ServerHttp2Session>()
  const server = createServer()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('error', () => session.destroy()).once('close', () => sessions.delete(session))
  })
  server.on('stream', (stream, headers) => {
    stream.on('error', () => stream.destroy())
    answer(stream, headers).catch(() => stream.destroy())
  })

  async function answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    const [, id, action] = /^\/model\/([^/]+)\/(converse|converse-stream)$/.exec(headers[':path'] ?? '') ?? []
    const [, signer = null, region = null] = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d+\/([^/]+)\/bedrock\/aws4_request/.exec(headers.authorization ?? '') ?? []
    const key = signer ?? /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? null
    if (!id || headers[':method'] !== 'POST') return refuse(stream, { status: 404, code: 'UnknownOperationException' })
    if (key === null) return refuse(stream, { status: 403, code: 'MissingAuthenticationTokenException' })
    if (fake.apiKey !== null && key !== fake.apiKey) return refuse(stream, { status: 403, code: 'UnrecognizedClientException' })
    const sent = (await json(stream)) as Omit<ConverseStreamRequest, 'modelId'>
    const body = { ...sent, modelId: decodeURIComponent(id), streamed: action === 'converse-stream', region }
    const fault = fake.take({ headers, key, body }, { once: stream.once.bind(stream), get writableEnded() { return !stream.aborted } })
    if (fault?.kind === 'status') return refuse(stream, fault)
    if (fault?.kind === 'cold') return refuse(stream, { status: 429, code: 'ModelNotReadyException', message: 'Model is not ready for inference' })
    if (!isSound(body)) return refuse(stream, { status: 400, code: 'ValidationException', message: 'The request is malformed' })
    if (fault?.kind === 'hang' && fault.after === undefined) return
    await (body.streamed ? speak : say)(body, fault, stream)
  }

  async function speak(body: BedrockRequest, fault: BedrockFault | null, stream: ServerHttp2Stream): Promise<void> {
    const send = (type: string, fields: object) => void stream.write(toFrame('event', type, fields))
    stream.respond({ ':status': 200, 'content-type': 'application/vnd.amazon.eventstream', 'x-amzn-requestid': `req-fake-${fake.requests.length}` })
    send('messageStart', { role: 'assistant' })
    let written = ''
    for await (const text of fake.speak(body, fault, stream)) {
      written += text
      send('contentBlockDelta', { contentBlockIndex: 0, delta: { text } })
    }
    if (stream.destroyed) return
    const broken = toBreak(fault)
    if (broken && broken.kind !== 'refusal') return await breakOff(broken, stream)
    send('contentBlockStop', { contentBlockIndex: 0 })
    send('messageStop', { stopReason: broken ? 'guardrail_intervened' : 'end_turn' })
    send('metadata', { usage: used(body, written), metrics: { latencyMs: 1 } })
    stream.end()
  }

  async function say(body: BedrockRequest, fault: BedrockFault | null, stream: ServerHttp2Stream): Promise<void> {
    let text = ''
    for await (const piece of fake.speak(body, fault, stream)) text += piece
    const content = text === '' ? [] : [{ text }]
    const stopReason = fault?.kind === 'refusal' ? 'guardrail_intervened' : 'end_turn'
    reply(stream, 200, { output: { message: { role: 'assistant', content } }, stopReason, usage: used(body, text), metrics: { latencyMs: 1 } })
  }

  function used(body: BedrockRequest, written: string): object {
    const { inputTokens, outputTokens } = fake.report(body, written)
    return { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens }
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(fake, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sessions,
    async close() {
      for (const session of sessions) session.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

async function breakOff(fault: Extract<FakeFault, { after?: number }>, stream: ServerHttp2Stream): Promise<void> {
  if (fault.kind === 'hang') return
  if (fault.kind === 'malformed') {
    const frame = Buffer.from(toFrame('event', 'contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'x' } }))
    // The checksum at its end no longer fits.
    frame[frame.length - 1]! ^= 0xff
    stream.write(frame)
  }
  if (fault.kind === 'error-frame') stream.write(toFrame('exception', fault.code ?? 'modelStreamErrorException', { message: canary }))
  // What was written must have left before the connection goes.
  if (fault.kind === 'cut') await sleep(20)
  if (fault.kind === 'cut') stream.session?.destroy()
  else stream.end()
}

function toFrame(kind: 'event' | 'exception', type: string, fields: object): Uint8Array {
  const text = (value: string) => ({ type: 'string' as const, value })
  // Real frames are padded so that their length tells nothing.
  return codec.encode({
    headers: { ':message-type': text(kind), [`:${kind}-type`]: text(type), ':content-type': text('application/json') },
    body: Buffer.from(JSON.stringify(kind === 'event' ? { ...fields, p: 'abcdefgh' } : fields)),
  })
}

/** As strict as the strictest model behind this API. */
function isSound({ messages = [], system, inferenceConfig }: BedrockRequest): boolean {
  const roles = messages.map(({ role }) => role)
  const texts = [...messages.flatMap(({ content }) => content ?? []), ...(system ?? [])].map(({ text }) => text)
  return (inferenceConfig?.maxTokens ?? 0) > 0 && roles[0] === 'user' && roles.at(-1) === 'user'
    && roles.every((role, at) => role !== roles[at - 1]) && texts.every((text) => (text ?? '').trim() !== '')
}

function refuse(stream: ServerHttp2Stream, { status, code = 'InternalServerException', message = 'Refused', retryAfter }: { status: number; code?: string; message?: string; retryAfter?: string }): void {
  const uri = 'http://internal.amazon.com/coral/com.amazon.bedrock/'
  reply(stream, status, { message: `${message}: ${canary}` }, { 'x-amzn-errortype': `${code}:${uri}`, ...(retryAfter !== undefined && { 'retry-after': retryAfter }) })
}

function reply(stream: ServerHttp2Stream, status: number, body: object, headers: Record<string, string> = {}): void {
  stream.respond({ ':status': status, 'content-type': 'application/json', 'x-amzn-requestid': 'req-fake', ...headers })
  stream.end(JSON.stringify(body))
}

function toText({ system = [], messages = [] }: BedrockRequest): string {
  return [...system, ...messages.flatMap(({ content }) => content ?? [])].map(({ text }) => text ?? '').join('\n')
}
