import type { Context } from 'koa'
import { toFailure } from '#server/errors.ts'
import { readBytes } from '#server/middleware/read-bytes.ts'

/** The bytes of a request's body; null when there are more than `most` or no room for them, and the answer says so. */
export async function readBody(ctx: Context, most: number): Promise<Buffer | null> {
  try {
    return await readBytes(ctx, most)
  } catch (error) {
    const { status, retryAt, error: shown } = toFailure(error)
    if (retryAt) ctx.set('retry-after', String(Math.max(1, Math.ceil((retryAt.getTime() - Date.now()) / 1000))))
    ctx.status = status
    ctx.type = 'text/plain'
    ctx.body = shown.message
    return null
  }
}
