import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { listenOnLoopback } from './listen-on-loopback.ts'
import { sendJson } from './send-json.ts'

/** What a site does instead of answering a call whose path `match` finds, as often as `times` says; for ever without. */
export type SiteFault = { match?: RegExp; times?: number } & ({ kind: 'status'; status: number; retryAfter?: string } | { kind: 'cut' } | { kind: 'hang' } | { kind: 'page' } | { kind: 'redirect'; to: string })

export type SiteRequest = { method: string; path: string; query: URLSearchParams; body: unknown }
export type SiteReply = { status?: number; json: unknown }

export type FakeSite = {
  readonly url: string
  fault: SiteFault | null
  /** `METHOD /path?query` of every call, in order. */
  readonly calls: string[]
  /** Most entries that it gives at once, whatever is asked for. */
  pageSize: number
  close(): Promise<void>
}

/** The sides of a site that all of them share: who may call, faults, a log. `answer` null: there is no such address. */
export async function startFakeSite({ authorization, answer }: { authorization: string; answer(request: SiteRequest, site: FakeSite): SiteReply | null }): Promise<FakeSite> {
  const site: FakeSite = { url: '', fault: null, calls: [], pageSize: 100, close: async () => undefined }
  const server = createServer((request, response) => {
    void (async () => {
      site.calls.push(`${request.method} ${request.url}`)
      const body = await readBody(request)
      const { fault } = site
      if (fault && (fault.match ?? /^/).test(request.url ?? '') && (fault.times === undefined || fault.times-- > 0)) {
        if (fault.kind === 'hang') return
        if (fault.kind === 'cut') {
          response.writeHead(200, { 'content-type': 'application/json', 'content-length': 10_000 })
          return void response.write('{"results": [', () => response.destroy())
        }
        if (fault.kind === 'page') return void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Sign in</p>')
        if (fault.kind === 'redirect') return void response.writeHead(302, { location: fault.to }).end()
        return sendJson(response, fault.status, { message: 'a fault with a canary' }, fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter })
      }
      if (request.headers.authorization !== authorization) return sendJson(response, 401, { message: 'who are you?' })
      const at = new URL(request.url ?? '/', 'http://fake')
      const reply = answer({ method: request.method ?? 'GET', path: decodeURIComponent(at.pathname), query: at.searchParams, body }, site)
      sendJson(response, reply?.status ?? (reply ? 200 : 404), reply?.json ?? { message: 'nothing there' })
    })().catch(() => response.destroy())
  })
  return Object.assign(site, await listenOnLoopback(server))
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const sent = await text(request)
  return sent === '' ? null : JSON.parse(sent)
}
