import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** A connection that has sent no whole request for so long makes room for a new one, milliseconds. */
const patienceMs = 1_000
const turnedAway = ['HTTP/1.1 503 Service Unavailable', 'Retry-After: 1', 'Connection: close', 'Content-Length: 0', '', ''].join('\r\n')

/**
 * Keeps a server within so many connections: one more takes the place of the one that has waited longest without a request under
 * way, kept alive or slow; where there is none, it is answered 503 and closed.
 */
export function capConnections(server: Server, most: number): void {
  const open = new Set<Socket>()
  /** Since when each has no request under way, longest first. */
  const waiting = new Map<Socket, number>()
  server.on('connection', (socket) => {
    open.add(socket)
    waiting.set(socket, performance.now())
    socket.once('close', () => {
      open.delete(socket)
      waiting.delete(socket)
    })
    if (open.size <= most) return
    const [longest] = waiting
    if (longest && performance.now() - longest[1] >= patienceMs) longest[0].destroy()
    else turnAway(socket)
  })
  server.on('request', ({ socket }, response) => {
    waiting.delete(socket)
    // Of an answer that never ends the connection is closed.
    response.once('finish', () => {
      if (!socket.destroyed) waiting.set(socket, performance.now())
    })
  })
}

/** What it sends is taken a moment longer: closed upon unread bytes, the connection would break before its answer is read. */
function turnAway(socket: Socket): void {
  socket.end(turnedAway)
  setTimeout(() => socket.destroy(), patienceMs).unref()
}
