import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { listenOnLoopback } from '#server/testing/listen-on-loopback.ts'
import { attachFakeSlackSocket } from './fake-slack-socket.ts'
import type { FakeSlackSocket } from './fake-slack-socket.ts'
import { checkMessage, methods } from './fake-slack-methods.ts'
import type { Workspace } from './fake-slack-methods.ts'

/** One call of the Web API as it came over the wire. */
export type Call = { method: string; args: Record<string, unknown>; token: string; raw: string; at: number }

/** What goes wrong with a call. `commits`: Slack carries the call out and then fails to say so. */
export type Fault =
  | { kind: 'ratelimited'; seconds: number }
  | { kind: 'refuse'; error: string }
  | { kind: 'status'; status: number; commits: boolean }
  | { kind: 'hang'; commits: boolean }

export type FakeSlack = {
  /** Root of its Web API, for SLACK_API_URL. */
  readonly url: string
  readonly workspace: Workspace
  /** Workspaces beside it; a call belongs to the one whose token it carries. */
  readonly beside: readonly Workspace[]
  /** Its end of Socket Mode. */
  readonly socket: FakeSlackSocket
  /** Every call, in order, with its bytes. */
  readonly calls: Call[]
  /** Answers of `response_url`s. */
  readonly responses: Record<string, unknown>[]
  callsOf(method: string): Call[]
  /** The next `times` calls of `method` end so. */
  fail(method: string, fault: Fault, times?: number): void
  /** Runs before a call is carried out; what it throws is the reason why the connection breaks. */
  before(method: string, hook: (call: Call) => void | Promise<void>): void
  /** Address of a `response_url` that is recorded in `responses`. */
  responseUrl(): string
  close(): Promise<void>
}

/**
 * Slack's Web API over loopback: its methods with their refusals and limits, the state that people would see, a log of
 * every byte, and switches for what goes wrong. Form and JSON bodies are read as Slack reads them.
 */
export async function startFakeSlack(workspace: Workspace, beside: readonly Workspace[] = []): Promise<FakeSlack> {
  const calls: Call[] = []
  const responses: Record<string, unknown>[] = []
  const faults = new Map<string, Fault[]>()
  const hooks = new Map<string, (call: Call) => void | Promise<void>>()
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined)
    })
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://slack').pathname
    if (path.startsWith('/upload/')) return await takeFile(path, request, response)
    const raw = await readText(request)
    if (path.startsWith('/response/')) {
      responses.push(JSON.parse(raw) as Record<string, unknown>)
      return send(response, 200, { ok: true })
    }
    const method = path.replace(/^\/api\//, '')
    const args = readArgs(raw, request.headers['content-type'] ?? '')
    const token = String(request.headers.authorization ?? '').replace(/^Bearer /, '') || String(args.token ?? '')
    const call = { method, args, token, raw, at: Date.now() }
    calls.push(call)
    await hooks.get(method)?.(call)
    // Who hung up while the call was held back had not been heard yet.
    if (response.destroyed) return
    const fault = faults.get(method)?.shift()
    if (fault?.kind === 'ratelimited') return send(response, 429, { ok: false, error: 'ratelimited' }, { 'retry-after': String(fault.seconds) })
    if (fault?.kind === 'refuse') return send(response, 200, { ok: false, error: fault.error })
    const result = fault && !fault.commits ? null : carryOut(call)
    if (fault?.kind === 'status') return send(response, fault.status, {})
    if (fault?.kind === 'hang') return
    send(response, 200, result ?? { ok: false, error: 'fatal_error' })
  }

  /** The host that files go to, which knows neither tokens nor methods; its calls are called `upload`. */
  async function takeFile(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes = await readBytes(request)
    calls.push({ method: 'upload', args: { path }, token: String(request.headers.authorization ?? ''), raw: bytes.toString('latin1'), at: Date.now() })
    const fault = faults.get('upload')?.shift()
    const file = [workspace, ...beside].flatMap(({ files }) => files).find(({ id }) => path === `/upload/${id}`)
    if (file && file.length === bytes.length && !(fault && !('commits' in fault && fault.commits))) file.bytes = bytes
    if (fault?.kind === 'hang') return
    response.writeHead(fault?.kind === 'status' ? fault.status : fault || !file?.bytes ? 400 : 200, { 'content-type': 'text/plain' })
    response.end(`OK - ${bytes.length}`)
  }

  function carryOut({ method, args, token }: Call): Record<string, unknown> {
    if (method === 'apps.connections.open') return token.startsWith('xapp-') ? { ok: true, url: `${root.replace('http', 'ws')}/link` } : { ok: false, error: 'invalid_auth' }
    const run = Object.hasOwn(methods, method) ? methods[method] : undefined
    if (!run) return { ok: false, error: 'unknown_method' }
    const at = beside.find(({ tokens }) => tokens.has(token)) ?? workspace
    if (method !== 'oauth.v2.access') {
      if (at.revoked.has(token)) return { ok: false, error: 'token_revoked' }
      if (!at.tokens.has(token)) return { ok: false, error: 'invalid_auth' }
    }
    const refusal = method.startsWith('chat.') ? checkMessage(args, at) : null
    if (refusal) return { ok: false, error: refusal }
    const result = run(at, args, token)
    return typeof result === 'string' ? { ok: false, error: result } : { ok: true, ...result }
  }

  const socket = attachFakeSlackSocket(server)
  const { url: root, close } = await listenOnLoopback(server)
  for (const each of [workspace, ...beside]) each.uploadRoot = root
  return {
    url: `${root}/api/`,
    workspace,
    beside,
    socket,
    calls,
    responses,
    callsOf: (method) => calls.filter((call) => call.method === method),
    fail: (method, fault, times = 1) => void faults.set(method, [...(faults.get(method) ?? []), ...Array.from({ length: times }, () => fault)]),
    before: (method, hook) => void hooks.set(method, hook),
    responseUrl: () => `${root}/response/${responses.length}`,
    async close() {
      socket.close()
      await close()
    },
  }
}

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

async function readText(request: IncomingMessage): Promise<string> {
  return (await readBytes(request)).toString('utf8')
}

async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** In a form, structured arguments are JSON and everything else is text. */
function readArgs(raw: string, contentType: string): Record<string, unknown> {
  if (contentType.includes('json')) return JSON.parse(raw || '{}') as Record<string, unknown>
  const pairs = [...new URLSearchParams(raw)].map(([key, value]) => [key, readValue(value)])
  return Object.fromEntries(pairs) as Record<string, unknown>
}

function readValue(value: string): unknown {
  if (value === 'true' || value === 'false') return value === 'true'
  if (!/^[[{]/.test(value)) return value
  try {
    return JSON.parse(value) as unknown
  } catch {
    // Text that merely begins like JSON.
    return value
  }
}
