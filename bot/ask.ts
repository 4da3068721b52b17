import { createParser } from 'eventsource-parser'
import type { EventSourceMessage } from 'eventsource-parser'
import { AnswerPart } from '#server/answer-part.ts'
import { createRef } from '#server/errors.ts'
import type { Audience } from '#server/retrieval/audience.ts'
import type { ContextLine } from './platform.ts'

/** A question as `POST /v1/ask` takes it. */
export type AskBody = { question: string; thread?: string; agent?: string; prefer?: string; audience: Audience; context?: ContextLine[]; timeZone?: string; retell?: string }

/** Sends one request to the server with the rights of `asker` in a tenant. */
export type Fetch = (path: string, init: { method: string; body?: unknown; accept?: string; signal?: AbortSignal }) => Promise<Response>

/** Longest silence of the server before the stream counts as dead, milliseconds. */
const silenceMs = 60_000
const connectDelaysMs = [200, 600, 1500, 3000]

/**
 * Asks the server and yields the parts of its answer. Ends with exactly one `done` or `error`: a server that is away, a
 * stream that dies and a part that cannot be read become an `error` part. An abort ends the stream with the signal's reason.
 */
export async function* ask(fetch: Fetch, body: AskBody, signal: AbortSignal): AsyncIterable<AnswerPart> {
  const response = await connect(fetch, body, signal)
  if (!(response instanceof Response)) return yield response
  if (!response.ok || !response.body) return yield await toRefusal(response)
  try {
    for await (const part of readParts(response.body, signal)) {
      yield part
      if (part.kind === 'done' || part.kind === 'error') return
    }
  } catch (error) {
    signal.throwIfAborted()
    return yield toErrorPart('stream-broken', 'The connection to my server broke while I was answering.', error)
  }
  signal.throwIfAborted()
  yield toErrorPart('stream-ended', 'My server stopped before the answer was complete.')
}

/** Waits out a server that restarts: nothing was asked yet, so asking again is safe. */
async function connect(fetch: Fetch, body: AskBody, signal: AbortSignal): Promise<Response | AnswerPart> {
  for (let attempt = 0; ; attempt++) {
    const delay = connectDelaysMs[attempt]
    try {
      const response = await fetch('/v1/ask', { method: 'POST', body, accept: 'text/event-stream', signal })
      if (response.status !== 503 || delay === undefined) return response
      await response.body?.cancel()
    } catch (error) {
      signal.throwIfAborted()
      if (delay === undefined) return toErrorPart('server-unreachable', 'I could not reach my server.', error)
    }
    await wait(delay ?? 0, signal)
  }
}

async function* readParts(stream: ReadableStream<Uint8Array>, signal: AbortSignal): AsyncIterable<AnswerPart> {
  const ready: EventSourceMessage[] = []
  const parser = createParser({ onEvent: (event) => ready.push(event) })
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader()
  try {
    for (;;) {
      const read = await within(reader.read(), signal)
      if (read.done) return
      parser.feed(read.value)
      while (ready.length > 0) {
        const part = toPart(ready.shift() as EventSourceMessage)
        if (part) yield part
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

/** One server-sent event as a part; null for an event of a newer server. */
export function toPart(event: { event?: string; data: string }): AnswerPart | null {
  const data: unknown = JSON.parse(event.data)
  const fields = data as Record<string, unknown>
  if (event.event === 'status') return AnswerPart.parse({ kind: 'status', text: fields.text })
  if (event.event === 'token') return AnswerPart.parse({ kind: 'text', markdown: fields.text })
  if (event.event === 'citation') return AnswerPart.parse({ kind: 'citation', citation: data })
  if (event.event === 'report') return AnswerPart.parse({ kind: 'report', report: data })
  if (event.event === 'step') return AnswerPart.parse({ kind: 'step', step: data })
  if (event.event === 'done') return AnswerPart.parse({ ...fields, kind: 'done' })
  if (event.event === 'error') return AnswerPart.parse({ ...fields, kind: 'error' })
  return null
}

async function toRefusal(response: Response): Promise<AnswerPart> {
  const body: unknown = await response.json().catch(() => null)
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : null
  const retryAfter = Number(response.headers.get('retry-after')) || undefined
  const read = AnswerPart.safeParse({ kind: 'error', ...(typeof error === 'object' ? error : {}), retryAfter })
  if (read.success) return read.data
  return toErrorPart('server-refused', 'My server refused the question.', new Error(`HTTP ${response.status}`), response.status >= 500)
}

export function toErrorPart(code: string, message: string, _cause?: unknown, retryable = true): AnswerPart {
  return { kind: 'error', code, message, retryable, ref: createRef() }
}

async function within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(silenceMs)])
  return await new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(deadline.reason)
    deadline.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => deadline.removeEventListener('abort', onAbort))
  })
}

export async function wait(ms: number, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const onAbort = () => (clearTimeout(timer), reject(signal?.reason))
    const timer = setTimeout(() => (signal?.removeEventListener('abort', onAbort), resolve()), ms)
    if (signal?.aborted) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
