import type { Middleware } from 'koa'
import { NuraError } from '#db/nura-error.ts'
import { isFromThisMachine } from './is-from-this-machine.ts'

/** Local mode has no tokens, so only this machine may speak to it. */
export const guardLoopback: Middleware = async (ctx, next) => {
  if (!isFromThisMachine(ctx.req)) {
    throw new NuraError('forbidden', 'Without NURA_SERVICE_SECRET Nura answers only this machine, addressed as localhost, 127.0.0.1 or [::1].')
  }
  await next()
}
