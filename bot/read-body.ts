import type { Context } from 'koa'

/** The bytes of a request's body, or null when there are more than `most`. */
export async function readBody(ctx: Context, most: number): Promise<Buffer | null> {
  if (Number(ctx.get('content-length')) > most) {
    ctx.req.resume()
    return null
  }
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of ctx.req as AsyncIterable<Buffer>) {
    size += piece.length
    if (size <= most) pieces.push(piece)
  }
  return size > most ? null : Buffer.concat(pieces)
}
