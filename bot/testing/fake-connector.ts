import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { listenOnLoopback } from '#server/testing/listen-on-loopback.ts'
import type { Activity } from '../teams/activity.ts'

/** One request as it came over the wire. */
export type ConnectorCall = { method: string; path: string; token: string; raw: string; at: number }

/** What goes wrong with a request. `commits`: Teams carries it out and then fails to say so. */
export type ConnectorFault =
  | { kind: 'status'; status: number; commits?: boolean; code?: string; message?: string; retryAfter?: string; location?: string }
  | { kind: 'hang'; commits: boolean }
  | { kind: 'reset'; commits: boolean }

/** A message as people in the conversation see it now. */
export type SeenMessage = { id: string; conversation: string; activity: Activity; edits: number }

export type FakeConnector = {
  /** Answers one request, for a server that answers more than the connector does. */
  handle(request: IncomingMessage, response: ServerResponse): void
  /** For an activity's `serviceUrl`. */
  readonly url: string
  readonly calls: ConnectorCall[]
  /** What people see, oldest first; a stream is a message from its first text on. */
  seen(conversation?: string): SeenMessage[]
  /** Everything that was sent, as a person would follow it: `POST`, `PUT`, `DELETE` with their bodies. */
  transcript(): { method: string; conversation: string; id: string | null; body: Activity | null }[]
  /** Who is in the conversations, by Teams id or id in the directory. */
  readonly members: Map<string, Record<string, unknown>>
  /** Conversations that Nura is no longer in. */
  readonly left: Set<string>
  /** The next `times` requests that match end so. */
  fail(matches: (call: { method: string; body: Activity | null }) => boolean, fault: ConnectorFault, times?: number): void
  /** The person presses Stop: every further piece of the stream is refused. */
  stopStreams(): void
  /** Two minutes pass. */
  expireStreams(): void
  close(): Promise<void>
}

type Stream = { sequence: number; text: string; state: 'open' | 'done' | 'stopped' | 'expired' }
type StreamInfo = { type: string; streamType?: string; streamId?: string; streamSequence?: number }
type Answer = { status: number; body?: unknown; headers?: Record<string, string> }

/**
 * The Bot Framework connector over loopback: activities that are posted, changed and removed, members, and streams with
 * the rules of Teams (one at a time, numbers that rise, text that extends, an end), a log of every byte, and switches for
 * what goes wrong.
 */
export async function startFakeConnector(options: { /** The only token that is good; any is without it. */ token?: string } = {}): Promise<FakeConnector> {
  const calls: ConnectorCall[] = []
  const messages = new Map<string, SeenMessage>()
  const streams = new Map<string, Stream & { conversation: string }>()
  const faults: { matches: (call: { method: string; body: Activity | null }) => boolean; fault: ConnectorFault; left: number }[] = []
  const members = new Map<string, Record<string, unknown>>()
  const left = new Set<string>()
  let ids = 0

  const handle = (request: IncomingMessage, response: ServerResponse) => {
    answer(request, response).catch((error: unknown) => void response.destroy(error instanceof Error ? error : undefined))
  }
  const server = createServer(handle)

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = await text(request)
    const method = request.method ?? 'GET'
    const path = new URL(request.url ?? '/', 'http://teams').pathname
    calls.push({ method, path, token: String(request.headers.authorization ?? '').replace(/^Bearer /, ''), raw, at: Date.now() })
    const body = raw === '' ? null : (JSON.parse(raw) as Activity)
    const due = faults.find((entry) => entry.left > 0 && entry.matches({ method, body }))
    if (due) due.left--
    const fault = due?.fault
    const result = fault && !fault.commits ? refuse(500, 'InternalError', 'Nothing was done.') : carryOut(method, path, body, raw)
    if (fault?.kind === 'hang') return
    if (fault?.kind === 'reset') return void response.destroy()
    if (fault?.kind === 'status') return send(response, { ...refuse(fault.status, fault.code ?? 'ServiceError', fault.message ?? 'Try again.'), headers: { ...(fault.retryAfter && { 'retry-after': fault.retryAfter }), ...(fault.location && { location: fault.location }) } })
    send(response, result)
  }

  function carryOut(method: string, path: string, body: Activity | null, raw: string): Answer {
    if (!calls.at(-1)?.token || (options.token !== undefined && calls.at(-1)?.token !== options.token)) return refuse(401, 'AuthorizationError', 'Authorization has been denied for this request.')
    const [, conversation = '', kind = '', id = ''] = (/^\/v3\/conversations\/([^/]+)\/(activities|members)(?:\/([^/]+))?$/.exec(path) ?? []).map(decodeURIComponent)
    if (kind === '') return refuse(404, 'NotFound', 'No such route.')
    if (left.has(conversation.split(';')[0] ?? '')) return refuse(403, 'BotNotInConversationRoster', 'The bot is not part of the conversation roster.')
    if (kind === 'members') return members.has(id) ? { status: 200, body: members.get(id) } : refuse(404, 'MemberNotFoundInConversation', 'Not a member.')
    if (Buffer.byteLength(raw) > 28_000) return refuse(413, 'MessageSizeTooBig', 'Message size too large.')
    if (method === 'POST' && body) return post(conversation, body)
    const message = messages.get(id)
    if (!message || message.conversation !== conversation) return refuse(404, 'ActivityNotFoundInConversation', 'Activity not found in conversation.')
    if (method === 'DELETE') {
      messages.delete(id)
      streams.delete(id)
      return { status: 200 }
    }
    if (method !== 'PUT' || !body) return refuse(405, 'MethodNotAllowed', 'No such method.')
    if (streams.get(id)?.state === 'open') return refuse(403, 'ContentStreamNotAllowed', 'The message is being streamed.')
    Object.assign(message, { activity: body, edits: message.edits + 1 })
    return { status: 200, body: { id } }
  }

  function post(conversation: string, activity: Activity): Answer {
    const info = activity.entities?.find(({ type }) => type === 'streaminfo') as StreamInfo | undefined
    if (info) return postStream(conversation, activity, info)
    if (activity.type === 'typing') return { status: 202, body: { id: `typing-${++ids}` } }
    if (!activity.text && !activity.attachments?.length) return refuse(400, 'BadSyntax', 'Activity has neither text nor an attachment.')
    return { status: 201, body: { id: show(conversation, activity) } }
  }

  function postStream(conversation: string, activity: Activity, info: StreamInfo): Answer {
    if (!activity.text) return refuse(400, 'BadSyntax', 'Start streaming activities should include text.')
    if (conversation.includes('@thread')) return refuse(403, 'ContentStreamNotAllowed', 'Streaming is only for one-on-one chats.')
    if (activity.channelData?.streamType !== info.streamType || activity.channelData?.streamId !== info.streamId || activity.channelData?.streamSequence !== info.streamSequence) return refuse(400, 'BadSyntax', 'channelData and streaminfo differ.')
    const isFinal = info.streamType === 'final'
    if (isFinal !== (activity.type === 'message') || isFinal !== (info.streamSequence === undefined)) return refuse(400, 'BadSyntax', 'Only the final message is a message, and it has no number.')
    if (!info.streamId) {
      if ([...streams.values()].some((stream) => stream.conversation === conversation && stream.state === 'open')) return refuse(403, 'ContentStreamNotAllowed', 'Another stream is running.')
      if (info.streamSequence !== 1) return refuse(400, 'BadSyntax', 'A stream starts with 1.')
      const id = show(conversation, activity)
      streams.set(id, { sequence: 1, text: info.streamType === 'streaming' ? activity.text : '', state: 'open', conversation })
      return { status: 201, body: { id } }
    }
    const stream = streams.get(info.streamId)
    const message = messages.get(info.streamId)
    if (!stream || !message) return refuse(404, 'ActivityNotFoundInConversation', 'No such stream.')
    if (stream.state === 'stopped') return refuse(403, 'ContentStreamNotAllowed', 'Content stream was canceled by user.')
    if (stream.state === 'expired') return refuse(403, 'ContentStreamNotAllowed', 'Content stream finished due to exceeded streaming time.')
    if (stream.state === 'done') return refuse(403, 'ContentStreamNotAllowed', 'Content stream is not allowed on an already completed streamed message.')
    if (!isFinal && (info.streamSequence ?? 0) <= stream.sequence) return refuse(400, 'BadSyntax', 'Stream sequence must rise.')
    if (info.streamType === 'informative' && stream.text !== '') return refuse(403, 'ContentStreamNotAllowed', 'An informative update comes before the text.')
    if (info.streamType === 'informative' && activity.text.length > 1000) return refuse(400, 'BadSyntax', 'Informative message is too long.')
    if (info.streamType !== 'informative' && !activity.text.startsWith(stream.text)) return refuse(400, 'BadSyntax', 'Streamed content must contain the previously streamed content.')
    Object.assign(stream, { sequence: info.streamSequence ?? stream.sequence, text: info.streamType === 'informative' ? '' : activity.text, state: isFinal ? 'done' : 'open' })
    message.activity = activity
    return { status: 202, body: { id: info.streamId } }
  }

  function show(conversation: string, activity: Activity): string {
    const id = String(1_764_000_000_000 + ++ids)
    messages.set(id, { id, conversation, activity, edits: 0 })
    return id
  }

  const { url, close } = await listenOnLoopback(server)
  const setStreams = (state: Stream['state']) => {
    for (const stream of streams.values()) if (stream.state === 'open') stream.state = state
  }
  return {
    handle,
    url: `${url}/`,
    calls,
    members,
    left,
    seen: (conversation) => [...messages.values()].filter((message) => conversation === undefined || message.conversation === conversation),
    transcript: () =>
      calls.flatMap(({ method, path, raw }) => {
        const [, conversation, , id] = /^\/v3\/conversations\/([^/]+)\/(activities)(?:\/([^/]+))?$/.exec(path) ?? []
        return conversation ? [{ method, conversation: decodeURIComponent(conversation), id: id ? decodeURIComponent(id) : null, body: raw === '' ? null : (JSON.parse(raw) as Activity) }] : []
      }),
    fail: (matches, fault, times = 1) => void faults.push({ matches, fault, left: times }),
    stopStreams: () => setStreams('stopped'),
    expireStreams: () => setStreams('expired'),
    close,
  }
}

function refuse(status: number, code: string, message: string): Answer {
  return { status, body: { error: { code, message } } }
}

function send(response: ServerResponse, { status, body, headers }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(body === undefined ? '' : JSON.stringify(body))
}
