import { context, isSpanContextValid, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import type { Context } from '@opentelemetry/api'

/** The active trace's id, 32 hex digits; null when tracing is off or nothing is traced. */
export function currentTraceId(): string | null {
  const active = trace.getSpanContext(context.active())
  return active && isSpanContextValid(active) ? active.traceId : null
}

/** The active span as W3C writes it: `00-TRACE-SPAN-FLAGS`; null when there is none. */
export function currentTraceparent(): string | null {
  const active = trace.getSpanContext(context.active())
  if (!active || !isSpanContextValid(active)) return null
  return `00-${active.traceId}-${active.spanId}-${active.traceFlags.toString(16).padStart(2, '0')}`
}

/**
 * Runs something in the trace that `traceparent` names: below the active span where that is of the same trace already, else
 * below the one that is named. One that is missing or is none changes nothing.
 */
export function inTrace<T>(traceparent: string | null | undefined, run: () => T): T {
  const remote = toContext(traceparent)
  return remote === null || trace.getSpanContext(remote)?.traceId === currentTraceId() ? run() : context.with(remote, run)
}

/** Carries the active span to where it would be lost, such as into a library's own loop. */
export function keepTrace(): <T>(run: () => T) => T {
  const kept = context.active()
  return (run) => context.with(kept, run)
}

function toContext(traceparent: string | null | undefined): Context | null {
  const parsed = /^(?!ff)[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:$|-)/.exec(traceparent ?? '')
  if (!parsed) return null
  const named = { traceId: parsed[1]!, spanId: parsed[2]!, traceFlags: Number.parseInt(parsed[3]!, 16) & 1, isRemote: true }
  return isSpanContextValid(named) ? trace.setSpanContext(ROOT_CONTEXT, named) : null
}
