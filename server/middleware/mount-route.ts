import type { Context } from 'koa'
import type { z } from 'zod'
import type { Db, TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import type { ServerParts } from '../app.ts'
import { notFound } from '../errors.ts'
import type { AnyRoute, Reply } from '../routes/route.ts'
import { openSpan, toErrorType } from '../tracing/span.ts'
import type { OpenSpan } from '../tracing/span.ts'
import { currentTraceId, inTrace } from '../tracing/traceparent.ts'
import { checkOperator, readCaller } from './authenticate.ts'
import { toEventStream } from './event-stream.ts'
import { readBytes } from './read-bytes.ts'
import { readJson } from './read-json.ts'
import { setTrace } from './render-errors.ts'
import type { RequestState } from './render-errors.ts'

/** Longest life of a request, milliseconds; a run that outlives it is aborted. */
const deadlineMs = 120_000
/** At most so much later the connection is cut, if the answer is not out: its reader takes nothing any more. */
const unreadMs = 10_000

/** The one way a request becomes a call of a route: who calls, is the input right, run, answer. */
export function mountRoute(route: AnyRoute, parts: ServerParts) {
  return async (ctx: Context): Promise<void> => {
    const state = ctx.state as RequestState
    state.route = `${route.method} ${route.path}`
    const startedAt = Date.now()
    const caller = await readWho(ctx, route, parts)
    if (route.auth !== 'tenant') return await run(ctx, route, parts, caller)
    const span = openRouteSpan(ctx, route, caller, startedAt)
    await span.within(async () => {
      setTrace(ctx, currentTraceId() ?? state.trace, parts.log)
      try {
        await run(ctx, route, parts, caller)
      } catch (error) {
        span.set({ 'error.type': toErrorType(error) })
        throw error
      }
    })
  }
}

async function run(ctx: Context, route: AnyRoute, parts: ServerParts, caller: object): Promise<void> {
  const state = ctx.state as RequestState
  if (Object.values(ctx.params as Record<string, string>).some((param) => param.includes('\0'))) throw notFound()
  const params = read(route.params, ctx.params, () => notFound())
  const query = read(route.query, toQuery(ctx), refuse)
  const body = route.body === undefined ? undefined : read(route.body, await readJson(ctx), refuse)
  const signal = untilAnswered(ctx, parts.deadlineMs)
  const wantsEvents = /\btext\/event-stream\b/i.test(ctx.get('accept'))
  const raw = { headers: ctx.req.headers, readBytes: (limit: number) => readBytes(ctx, limit) }
  const input = { ...caller, params, query, body, ...raw, wantsEvents, signal, trace: state.trace, log: state.log }
  answer(ctx, await route.run(input as never, parts))
}

/**
 * Goes on with the trace of a caller who has proved who they are, or is on this machine in local mode; a stranger joins
 * nobody's trace. Lasts until the answer is out, so that it covers a stream.
 */
function openRouteSpan(ctx: Context, route: AnyRoute, caller: object, startedAt: number): OpenSpan {
  const tenant = 'tenant' in caller ? (caller.tenant as TenantDb).id : null
  const about = { 'http.request.method': route.method, 'http.route': route.path, 'nura.tenant': tenant }
  const span = inTrace(ctx.get('traceparent'), () => openSpan(`${route.method} ${route.path}`, about, { kind: 'server', startedAt }))
  ctx.res.once('close', () => {
    span.set({ 'http.response.status_code': ctx.res.statusCode })
    if (ctx.res.statusCode >= 500) span.fail()
    span.end()
  })
  return span
}

/** Aborts when the caller hangs up and when the time is over, and cuts the connection of who does not read the answer; of no effect once the answer is out. */
function untilAnswered(ctx: Context, lastsMs = deadlineMs): AbortSignal {
  const stop = new AbortController()
  const timer = setTimeout(() => {
    stop.abort(new NuraError('deadline-exceeded', `This took longer than ${lastsMs / 1000} s and was stopped. Try again, or ask for less.`, { retryable: true }))
  }, lastsMs)
  const cut = setTimeout(() => ctx.res.destroy(), lastsMs + Math.min(unreadMs, lastsMs))
  ctx.res.once('close', () => {
    clearTimeout(timer)
    clearTimeout(cut)
    stop.abort(new NuraError('hung-up', 'The caller hung up.'))
  })
  return stop.signal
}

async function readWho(ctx: Context, route: AnyRoute, parts: ServerParts): Promise<object> {
  if (route.auth === 'operator') await checkOperator(ctx.req, parts.config)
  if (route.auth !== 'tenant') return {}
  const caller = await readCaller(ctx.get('authorization') || undefined, parts.config)
  return { tenant: await toTenant(parts.db, caller.tenant), asker: caller.asker }
}

/** A token names its tenant by id or by short name. */
async function toTenant(db: Db, name: string): Promise<TenantDb> {
  try {
    return await db.tenantNamed(name)
  } catch (error) {
    throw error instanceof NuraError && error.code === 'unknown-tenant' ? notFound() : error
  }
}

function read(schema: z.ZodType | undefined, value: unknown, toError: (issue: z.core.$ZodIssue) => NuraError): unknown {
  if (schema === undefined) return undefined
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw toError(result.error.issues[0] as z.core.$ZodIssue)
}

function refuse(issue: z.core.$ZodIssue): NuraError {
  const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path
  const field = path.map(String).join('.')
  const message = issue.code === 'unrecognized_keys' ? 'is not a field of this request' : issue.message
  return new NuraError('bad-input', field === '' ? `The request is not usable: ${message}.` : `${field}: ${message}`, field === '' ? {} : { field })
}

/** A query is a flat record of single values; a repeated key is refused by its schema, being an array. */
function toQuery(ctx: Context): Record<string, unknown> {
  const query: Record<string, unknown> = { ...ctx.query }
  for (const [key, value] of Object.entries(query)) {
    if (String(value).includes('\0')) throw new NuraError('bad-input', `${key}: may not contain the character U+0000`, { field: key })
  }
  return query
}

function answer(ctx: Context, reply: Reply): void {
  ctx.status = reply.status
  if ('json' in reply) {
    ctx.body = reply.json
  } else if ('text' in reply) {
    ctx.set(reply.headers ?? {})
    ctx.body = reply.text
    ctx.type = reply.type
  } else if ('events' in reply) {
    // `no-transform` and the header that nginx reads: a proxy that buffers would hold the first word back.
    ctx.set({ 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' })
    ctx.type = 'text/event-stream; charset=utf-8'
    ctx.body = toEventStream(reply.events)
  } else {
    ctx.body = null
    ctx.status = 204
  }
}
