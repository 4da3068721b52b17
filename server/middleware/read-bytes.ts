import type { ParameterizedContext } from 'koa'
import { NuraError } from '#db/nura-error.ts'
import type { RequestState } from './render-errors.ts'

/** What of a request is needed to read its body. */
export type Readable = Pick<ParameterizedContext, 'req' | 'res'> & { state: Partial<Pick<RequestState, 'bodies'>> }

/**
 * Reads a request's body as it came, judging its size before and while reading. What is left of one that is too large is
 * left to `readRest`, and the connection stays open for the answer. The bytes count as held until the answer is out.
 * @param limit in bytes.
 * @throws NuraError `body-too-large`, `too-busy`, `hung-up`
 */
export async function readBytes({ req, res, state }: Readable, limit: number): Promise<Buffer> {
  if (Number(req.headers['content-length'] ?? 0) > limit) throw tooLarge(limit)
  const memory = state.bodies?.open()
  if (memory) res.once('close', memory.free)
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of piecesOf(req)) {
    size += piece.length
    if (size > limit) throw tooLarge(limit)
    memory?.take(piece.length)
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

async function* piecesOf(request: Readable['req']): AsyncGenerator<Buffer> {
  try {
    yield* request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
  } catch (cause) {
    // The error is the connection's, and would else be taken for one of the database's.
    throw new NuraError('hung-up', 'The caller hung up before the body was there.', { cause })
  }
}

function tooLarge(limit: number): NuraError {
  const shown = limit >= 1024 * 1024 ? `${Math.floor(limit / 1024 / 1024)} MB` : `${limit / 1024} KB`
  return new NuraError('body-too-large', `The body is larger than ${shown}. Send less.`)
}
