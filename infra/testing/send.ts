import { request } from 'node:http'
import type { Agent, IncomingHttpHeaders } from 'node:http'

/** A request as it goes over the wire. `chunked`: the body does not say how long it will be. */
export type Sent = { method: string; path: string; headers: Record<string, string>; body?: Buffer | string; chunked?: boolean }
/** `status` 0: the connection was closed without an answer. */
export type Answered = { status: number; headers: IncomingHttpHeaders; text: string }

/** Sends a request through an agent's kept connections, whatever its method and headers; `fetch` would forbid some. */
export function send(root: string, { method, path, headers, body, chunked = false }: Sent, agent?: Agent): Promise<Answered> {
  return new Promise((resolve) => {
    const closed = { status: 0, headers: {}, text: '' }
    const { hostname, port } = new URL(root)
    const length = body === undefined || chunked ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const sent = request({ hostname, port, method, path, agent, headers: { ...length, ...headers } }, (response) => {
      const pieces: Buffer[] = []
      response.on('data', (piece: Buffer) => pieces.push(piece))
      response.on('error', () => resolve(closed))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(pieces).toString() }))
    })
    sent.on('error', (error: NodeJS.ErrnoException) => {
      // A kept connection that was closed as it was taken up again: nothing was answered because nothing was read.
      if (sent.reusedSocket && error.code === 'ECONNRESET') resolve(send(root, { method, path, headers, body, chunked }))
      else resolve(closed)
    })
    sent.end(body)
  })
}
