import type { IncomingMessage } from 'node:http'
import { NuraError } from '#db/nura-error.ts'

/**
 * Reads a request's body as it came, judging its size before and while reading. What is left of one that is too large is
 * not read, and the connection stays open for the answer.
 * @param limit in bytes.
 * @throws NuraError `body-too-large`
 */
export async function readBytes(request: IncomingMessage, limit: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit)
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += piece.length
    if (size > limit) throw tooLarge(limit)
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

function tooLarge(limit: number): NuraError {
  const shown = limit >= 1024 * 1024 ? `${Math.floor(limit / 1024 / 1024)} MB` : `${limit / 1024} KB`
  return new NuraError('body-too-large', `The body is larger than ${shown}. Send less.`)
}
