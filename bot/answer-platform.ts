import type { Context } from 'koa'

/** What a platform's own machines are told: a status and a line for whoever reads their logs. With 503 they send it again in a second. */
export function answerPlatform(ctx: Context, status: number, text: string): void {
  if (status === 503) ctx.set('retry-after', '1')
  ctx.status = status
  ctx.type = 'text/plain'
  ctx.body = text
}
