import { randomUUID } from 'node:crypto'
import type { Middleware } from 'koa'
import { notFound, toFailure } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { Metrics } from '../metrics.ts'

/** What every middleware after this one finds in `ctx.state`. */
export type RequestState = { trace: string; log: Logger; route?: string }

/**
 * The outermost middleware: gives each request its trace and log, renders every error in one shape, and writes one line
 * a request. The line names the route's pattern, never the address: ids and questions stay out of the log.
 */
export function renderErrors(parts: { log: Logger; metrics: Metrics }): Middleware {
  return async (ctx, next) => {
    const started = performance.now()
    const trace = /^[\w-]{8,64}$/.exec(ctx.get('x-nura-trace'))?.[0] ?? randomUUID()
    const log = parts.log.child({ trace })
    Object.assign(ctx.state, { trace, log } satisfies RequestState)
    ctx.set('x-nura-trace', trace)
    ctx.set('x-content-type-options', 'nosniff')
    try {
      await next()
      if (ctx.respond !== false && ctx.status === 404 && ctx.body == null) throw notFound()
    } catch (error) {
      const { status, retryAt, error: shown } = toFailure(error)
      ctx.status = status
      ctx.body = { error: shown }
      if (status === 401) ctx.set('www-authenticate', 'Bearer')
      if (retryAt || status === 503) ctx.set('retry-after', String(retryAt ? Math.max(1, Math.ceil((retryAt.getTime() - Date.now()) / 1000)) : 1))
      if (status >= 500) log.error({ err: error, ref: shown.ref }, 'request failed')
      else log.debug({ err: error, ref: shown.ref }, 'request refused')
    }
    const took = performance.now() - started
    const route = (ctx.state as RequestState).route ?? 'none'
    parts.metrics.requests.observe({ route, status: String(ctx.status) }, took / 1000)
    if (route !== 'GET /healthz' && route !== 'GET /readyz' && route !== 'GET /metrics') {
      log.info({ route, status: ctx.status, ms: Math.round(took) }, 'request')
    }
  }
}
