import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { NuraError } from '#db/nura-error.ts'
import { toAttributes } from './attributes.ts'
import type { SpanAttributes } from './attributes.ts'

/** The only instrumentation whose spans leave this process. */
export const scope = 'nura'

/** One span while it lasts. After `end` nothing has an effect. */
export type Span = {
  set(attributes: SpanAttributes): void
  event(name: string, attributes?: SpanAttributes): void
  /** Marks it as failed by the kind of error alone: a message may hold what somebody wrote. */
  fail(error?: unknown): void
}

/** A span that its opener ends. */
export type OpenSpan = Span & {
  /** Runs with this span as the active one. */
  within<T>(run: () => T): T
  end(): void
}

export type SpanOptions = {
  kind?: 'server' | 'client' | 'producer' | 'consumer'
  /** When it began, milliseconds since 1970, where that was earlier. */
  startedAt?: number
  /** Begins a trace of its own. */
  root?: boolean
  /** False for an error that is a way to end well. */
  isFailure?: (error: unknown) => boolean
}

const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT, producer: SpanKind.PRODUCER, consumer: SpanKind.CONSUMER }

/** Of a process that traces nothing. */
const silent: OpenSpan = { set: () => undefined, event: () => undefined, fail: () => undefined, end: () => undefined, within: (run) => run() }

let isOn = false

/** Whether spans go anywhere. */
export const isTracing = (): boolean => isOn

/** For `openTracing` alone. */
export function switchTracing(on: boolean): void {
  isOn = on
}

/** Opens a span below the active one. See `inSpan`, which ends it too. */
export function openSpan(name: string, attributes: SpanAttributes = {}, { kind, startedAt, root }: SpanOptions = {}): OpenSpan {
  if (!isOn) return silent
  const parent = root ? ROOT_CONTEXT : context.active()
  const span = trace.getTracer(scope).startSpan(name, { kind: kind ? kinds[kind] : SpanKind.INTERNAL, attributes: toAttributes(attributes), ...(startedAt === undefined ? {} : { startTime: startedAt }) }, parent)
  const inside = trace.setSpan(parent, span)
  return {
    set: (more) => void (span.isRecording() && span.setAttributes(toAttributes(more))),
    event: (what, more = {}) => void (span.isRecording() && span.addEvent(what, toAttributes(more))),
    fail(error) {
      if (!span.isRecording()) return
      if (error !== undefined) span.setAttributes(toAttributes({ 'error.type': toErrorType(error) }))
      span.setStatus({ code: SpanStatusCode.ERROR })
    },
    within: (run) => context.with(inside, run),
    end: () => span.end(),
  }
}

/** Runs something in a span below the active one. What it throws is thrown, and its kind noted. */
export async function inSpan<T>(name: string, attributes: SpanAttributes, run: (span: Span) => T | Promise<T>, options: SpanOptions = {}): Promise<T> {
  if (!isOn) return run(silent)
  const span = openSpan(name, attributes, options)
  try {
    return await span.within(() => run(span))
  } catch (error) {
    if (options.isFailure?.(error) ?? true) span.fail(error)
    throw error
  } finally {
    span.end()
  }
}

/**
 * The same for what comes bit by bit. The span belongs below the one that is active at this call, begins when the first bit is asked for, and
 * ends with the last or when nobody reads on.
 */
export function inSpanStream<T, R = void>(name: string, attributes: SpanAttributes, run: (span: Span) => AsyncIterable<T, R>, options: SpanOptions = {}): AsyncGenerator<T, R> {
  const parent = context.active()
  return isOn ? stream(() => context.with(parent, () => openSpan(name, attributes, options)), run) : pass(run(silent))
}

async function* stream<T, R>(open: () => OpenSpan, run: (span: Span) => AsyncIterable<T, R>): AsyncGenerator<T, R> {
  const span = open()
  const source = span.within(() => run(span)[Symbol.asyncIterator]())
  let isOpen = true
  try {
    for (;;) {
      const next = await span.within(() => source.next())
      if (next.done) {
        isOpen = false
        return next.value
      }
      yield next.value
    }
  } catch (error) {
    isOpen = false
    span.fail(error)
    throw error
  } finally {
    if (isOpen) await span.within(() => source.return?.())
    span.end()
  }
}

function pass<T, R>(source: AsyncIterable<T, R>): AsyncGenerator<T, R> {
  return 'throw' in source ? (source as AsyncGenerator<T, R>) : (async function* () { return yield* source })()
}

/** Notes a moment on the active span. */
export function noteMoment(name: string, attributes: SpanAttributes = {}): void {
  const active = isOn ? trace.getActiveSpan() : undefined
  if (active?.isRecording()) active.addEvent(name, toAttributes(attributes))
}

/** The kind of an error: our code for it, else its class. */
export function toErrorType(error: unknown): string {
  const name = error instanceof NuraError ? error.code : error instanceof Error ? error.name : 'unknown'
  return /^[\w.-]{1,80}$/.test(name) ? name : 'unknown'
}
