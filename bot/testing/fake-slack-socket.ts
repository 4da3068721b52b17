import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Server } from 'node:http'
import type { Duplex } from 'node:stream'

/** What an app sent back over its socket: the acknowledgement of one envelope. */
export type Acknowledgement = { envelope_id: string; payload?: unknown }

export type FakeSlackSocket = {
  readonly acknowledgements: Acknowledgement[]
  readonly connections: number
  /** Sends an envelope over the newest connection. */
  send(envelope: Record<string, unknown>): void
  close(): void
}

const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Slack's end of Socket Mode on `server`: WebSocket text frames (RFC 6455), pings, and nothing that Slack does not send. */
export function attachFakeSlackSocket(server: Server): FakeSlackSocket {
  const sockets: Duplex[] = []
  const acknowledgements: Acknowledgement[] = []
  server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${guid}`).digest('base64')
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`)
    sockets.push(socket)
    let buffer = Buffer.alloc(0)
    socket.on('error', () => socket.destroy())
    socket.on('data', (piece: Buffer) => {
      buffer = Buffer.concat([buffer, piece])
      for (let frame = readFrame(buffer); frame; frame = readFrame(buffer)) {
        buffer = buffer.subarray(frame.length)
        if (frame.opcode === 1) acknowledgements.push(JSON.parse(frame.payload.toString('utf8')) as Acknowledgement)
        if (frame.opcode === 9) socket.write(toFrame(frame.payload, 10))
        if (frame.opcode === 8) socket.end(toFrame(frame.payload, 8))
      }
    })
    socket.write(toFrame(Buffer.from(JSON.stringify({ type: 'hello', num_connections: 1, connection_info: { app_id: 'A0NURA' }, debug_info: { host: 'fake', approximate_connection_time: 3600 } }))))
  })
  return {
    acknowledgements,
    get connections() {
      return sockets.filter((socket) => !socket.destroyed).length
    },
    send: (envelope) => void sockets.at(-1)?.write(toFrame(Buffer.from(JSON.stringify(envelope)))),
    close: () => sockets.forEach((socket) => socket.destroy()),
  }
}

/** A frame from a server is not masked. */
function toFrame(payload: Buffer, opcode = 1): Buffer {
  const { length } = payload
  const head = length < 126 ? Buffer.from([0x80 | opcode, length]) : length < 65_536 ? Buffer.from([0x80 | opcode, 126, length >> 8, length & 255]) : null
  if (head === null) throw new RangeError('no envelope is that long')
  return Buffer.concat([head, payload])
}

/** The first frame of a client, unmasked; null while it is not whole. */
function readFrame(buffer: Buffer): { opcode: number; payload: Buffer; length: number } | null {
  if (buffer.length < 2) return null
  const short = (buffer[1] ?? 0) & 127
  const start = short === 126 ? 4 : 2
  if (short === 127 || buffer.length < start + 4) return null
  const size = short === 126 ? buffer.readUInt16BE(2) : short
  const length = start + 4 + size
  if (buffer.length < length) return null
  const mask = buffer.subarray(start, start + 4)
  const payload = Buffer.from(buffer.subarray(start + 4, length).map((byte, index) => byte ^ (mask[index % 4] ?? 0)))
  return { opcode: (buffer[0] ?? 0) & 15, payload, length }
}
