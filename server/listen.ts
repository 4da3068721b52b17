import { createServer } from 'node:http'
import type { RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { NuraError } from '#db/nura-error.ts'
import { capConnections } from './cap-connections.ts'
import { mostConnections } from './most-connections.ts'

export type Listening = {
  /** Where it answers, such as `http://127.0.0.1:3000`. */
  url: string
  /** Takes no new connection, lets requests end for `graceMs`, then cuts what is left. */
  close(graceMs: number): Promise<void>
}

/**
 * Binds a request listener to an address. A client that sends slowly is cut off: headers within 10 s, the whole request
 * within 30 s. How long an answer may take is the route's matter. There are never more connections than `connections`.
 * @throws NuraError `port-taken`, `port-forbidden`, `bad-host`
 */
export async function listen(listener: RequestListener, address: { host: string; port: number }, { connections = mostConnections() } = {}): Promise<Listening> {
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 2_000, keepAliveTimeout: 65_000 }, listener)
  server.maxHeadersCount = 100
  capConnections(server, connections)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(toListenError(error, address)))
    server.listen(address.port, address.host.replace(/^\[|\]$/g, ''), resolve)
  })
  const { port, family, address: bound } = server.address() as AddressInfo
  return { url: `http://${family === 'IPv6' ? `[${bound}]` : bound}:${port}`, close: (graceMs) => close(server, graceMs) }
}

async function close(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const cut = setTimeout(() => server.closeAllConnections(), graceMs)
  // A kept-alive connection falls idle when its answer is sent; nobody tells, so look.
  const sweep = setInterval(() => server.closeIdleConnections(), 100)
  await closed
  clearTimeout(cut)
  clearInterval(sweep)
}

function toListenError(error: NodeJS.ErrnoException, { host, port }: { host: string; port: number }): Error {
  const options = { cause: error }
  if (error.code === 'EADDRINUSE') return new NuraError('port-taken', `Port ${port} on ${host} is taken; stop what uses it, or set PORT to another.`, options)
  if (error.code === 'EACCES') return new NuraError('port-forbidden', `This user may not listen on port ${port}; set PORT to 1024 or higher.`, options)
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return new NuraError('bad-host', `HOST ${host} is not an address of this machine; set it to one, or leave it unset for 127.0.0.1.`, options)
  }
  return error
}
