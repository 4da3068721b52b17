import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Starts a fake's server on a free port of this machine. `close` also ends the connections that it left hanging. */
export async function listenOnLoopback(server: Server): Promise<{ url: string; close(): Promise<void> }> {
  // A busy machine may stand still for the five seconds after which a connection would be closed, just as it is used again.
  server.keepAliveTimeout = 65_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
