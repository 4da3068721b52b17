import type { IncomingMessage } from 'node:http'
import { isLoopback } from '../config.ts'

/** What proxies and tunnels add: whoever sends a request through one is somewhere else. */
const forwarding = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'] as const

/**
 * Whether a request was made on this machine, to this machine by one of its own names (a rebound DNS name is none), by no web
 * page from elsewhere that a browser here has open, and through no proxy that says so.
 */
export function isFromThisMachine({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): boolean {
  if (!isLoopback(socket.remoteAddress ?? '') || !isLoopback(toHostName(headers.host ?? ''))) return false
  if (forwarding.some((name) => headers[name] !== undefined)) return false
  return headers.origin === undefined || isLoopback(toHostName(toHost(headers.origin)))
}

function toHost(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).host : ''
}

function toHostName(host: string): string {
  return /^(\[[\da-f:.]+\]|[^:]+)(?::\d{1,5})?$/i.exec(host)?.[1] ?? ''
}
