import { randomUUID } from 'node:crypto'
import type { Middleware, ParameterizedContext } from 'koa'
import { NuraError } from '#db/nura-error.ts'
import { notFound, toFailure } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { BodyMemory } from './body-memory.ts'

/** What every middleware after this one finds in `ctx.state`. */
export type RequestState = { trace: string; log: Logger; route?: string; bodies?: BodyMemory }

/** Names the request's trace, for its log and its caller. */
export function setTrace(ctx: ParameterizedContext, trace: string, log: Logger): void {
  Object.assign(ctx.state, { trace, log: log.child({ trace }) } satisfies RequestState)
  ctx.set('x-nura-trace', trace)
}

/**
 * The outermost middleware: gives each request its trace and log, renders every error in one shape, and writes one line
 * a request. The line names the route's pattern, never the address: ids and questions stay out of the log.
 */
export function renderErrors(parts: { log: Logger; metrics: Metrics }): Middleware {
  return async (ctx, next) => {
    const started = performance.now()
    const trace = /^[\w-]{8,64}$/.exec(ctx.get('x-nura-trace'))?.[0] ?? randomUUID()
    setTrace(ctx, trace, parts.log)
    ctx.set('x-content-type-options', 'nosniff')
    try {
      if (!hasAddress(ctx.req.url)) throw new NuraError('bad-input', 'The address of the request cannot be read.')
      await next()
      if (ctx.respond !== false && ctx.status === 404 && ctx.body == null) throw notFound()
    } catch (error) {
      const { status, retryAt, error: shown } = toFailure(error)
      ctx.status = status
      ctx.body = { error: shown }
      if (status === 401) ctx.set('www-authenticate', 'Bearer')
      if (retryAt || status === 503) ctx.set('retry-after', String(retryAt ? Math.max(1, Math.ceil((retryAt.getTime() - Date.now()) / 1000)) : 1))
      const { log } = ctx.state as RequestState
      if (status >= 500) log.error({ err: error, ref: shown.ref }, 'request failed')
      // The words of a refusal may be those of whoever asked, and only they are told them.
      else log.debug({ code: shown.code, ref: shown.ref }, 'request refused')
    }
    const took = performance.now() - started
    const { route = 'none', log } = ctx.state as RequestState
    parts.metrics.requests.observe({ route, status: String(ctx.status) }, took / 1000)
    if (route !== 'GET /healthz' && route !== 'GET /readyz' && route !== 'GET /metrics') {
      log.info({ route, status: ctx.status, ms: Math.round(took) }, 'request')
    }
  }
}

/** Koa reads the address only when it is asked for its path, and throws then. */
function hasAddress(url = ''): boolean {
  return url.startsWith('/') || URL.canParse(url)
}
