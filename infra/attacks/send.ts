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
    // What was answered before the body was sent has been told already.
    sent.on('error', () => resolve(closed))
    sent.end(body)
  })
}
