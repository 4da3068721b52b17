import type { Middleware } from 'koa'
import { NuraError } from '#db/nura-error.ts'
import { isLoopback } from '../config.ts'

/**
 * Local mode has no tokens, so only this machine may speak to it, and no web page that a browser on it has open:
 * the `Host` must be a loopback name (a rebound DNS name is not), and an `Origin`, where one is sent, must be too.
 */
export const guardLoopback: Middleware = async (ctx, next) => {
  const remote = ctx.req.socket.remoteAddress ?? ''
  const origin = ctx.get('origin')
  const trusted = isLoopback(remote) && isLoopback(toHostName(ctx.get('host'))) && (origin === '' || isLoopback(toHostName(toHost(origin))))
  if (!trusted) {
    throw new NuraError('forbidden', 'Without NURA_SERVICE_SECRET Nura answers only this machine, addressed as localhost, 127.0.0.1 or [::1].')
  }
  await next()
}

function toHost(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).host : ''
}

function toHostName(host: string): string {
  return /^(\[[\da-f:.]+\]|[^:]+)(?::\d{1,5})?$/i.exec(host)?.[1] ?? ''
}
