import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

/** `pass`; `frozen`: accepts and never passes a byte on, as a stopped process does; `dead`: cuts and refuses. */
export type ProxyMode = 'pass' | 'frozen' | 'dead'
export type TcpProxy = { port: number; set(mode: ProxyMode): void; close(): Promise<void> }

/** A server's address with fault switches. */
export async function openTcpProxy(target: { host: string; port: number }): Promise<TcpProxy> {
  let mode: ProxyMode = 'pass'
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    if (mode === 'dead') return void near.destroy()
    const far = connect(target.port, target.host)
    const pairs: [Socket, Socket][] = [
      [near, far],
      [far, near],
    ]
    for (const [from, to] of pairs) {
      sockets.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      from.on('data', (bytes) => {
        if (mode !== 'frozen') to.write(bytes)
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = () => sockets.forEach((socket) => socket.destroy())
  return {
    port: (server.address() as AddressInfo).port,
    set(next) {
      // What a frozen server swallowed is gone from this connection, so thawing needs new ones.
      if (next === 'dead' || mode === 'frozen') cut()
      mode = next
    },
    async close() {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
