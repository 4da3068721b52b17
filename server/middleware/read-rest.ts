import { finished } from 'node:stream/promises'
import type { Middleware } from 'koa'

/** How long a caller whose request is refused unread may go on sending it before the answer goes out, milliseconds. */
const patienceMs = 2_000

/**
 * Reads on what nobody read of a request and throws it away, before its answer goes out. A connection that is closed upon
 * unread bytes is reset, and its caller, still sending, would never see why it was refused. Outermost, so that a refusal of any
 * kind is covered.
 */
export const readRest: Middleware = async ({ req }, next) => {
  await next()
  if (req.complete || req.destroyed) return
  req.resume()
  // Who sends for longer is answered in the middle of it; who has hung up is not answered at all.
  await finished(req, { signal: AbortSignal.timeout(patienceMs), cleanup: true }).catch(() => undefined)
}
