import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { listenOnLoopback } from '#server/testing/listen-on-loopback.ts'
import { sendJson } from '#server/testing/send-json.ts'

export type FakeMember = { id: string; aadObjectId: string; tenantId?: string; userRole?: string }

export type FakeTeamsDirectory = {
  /** Answers one request, for a server that answers more than the directory does. */
  handle(request: IncomingMessage, response: ServerResponse): void
  /** Root of the connector, for `serviceUrl`. */
  readonly serviceUrl: string
  /** Root of Microsoft Graph. */
  readonly graphUrl: string
  /** Members of conversations, by id. */
  readonly members: Map<string, FakeMember[]>
  /** Channels of teams, by the team's id. */
  readonly channels: Map<string, { id: string; type?: string }[]>
  /** Messages as Graph hands them out: roots of threads by `CHANNEL/ROOT`, replies by `CHANNEL/ROOT/replies`, chats by id. */
  readonly messages: Map<string, Record<string, unknown>[]>
  /** Every request, in order. */
  readonly requests: { path: string; token: string }[]
  /** The next `times` requests whose path contains `part` end with this status, or are never answered. */
  fail(part: string, status: number | 'hang', times?: number): void
  close(): Promise<void>
}

/** Members of a page of the roster. Teams gives up to 500. */
const pageOf = 2

/** What a Teams directory tells of its teams, chats and messages: the roster of the connector and the messages of Microsoft Graph, over loopback. */
export async function startFakeTeamsDirectory(): Promise<FakeTeamsDirectory> {
  const members: FakeTeamsDirectory['members'] = new Map()
  const channels: FakeTeamsDirectory['channels'] = new Map()
  const messages: FakeTeamsDirectory['messages'] = new Map()
  const requests: FakeTeamsDirectory['requests'] = []
  const faults: { part: string; status: number | 'hang' }[] = []
  const server = createServer(answer)
  const { url, close } = await listenOnLoopback(server)

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? '/', url)
    const token = (request.headers.authorization ?? '').replace(/^Bearer /, '')
    requests.push({ path: request.url ?? '', token })
    const fault = faults.find(({ part }) => (request.url ?? '').includes(part))
    if (fault) faults.splice(faults.indexOf(fault), 1)
    if (fault?.status === 'hang') return
    if (fault) return sendJson(response, fault.status, { error: { code: 'Forbidden' } })
    if (!token) return sendJson(response, 401, { error: { code: 'InvalidAuthenticationToken' } })
    const found = pathname.startsWith('/graph/') ? fromGraph(pathname) : fromConnector(pathname, searchParams)
    sendJson(response, found === null ? 404 : 200, found ?? { error: { code: 'NotFound' } })
  }

  function fromConnector(path: string, query: URLSearchParams): unknown {
    const team = /^\/v3\/teams\/([^/]+)\/conversations$/.exec(path)?.[1]
    if (team !== undefined) return channels.has(decodeURIComponent(team)) ? { conversations: channels.get(decodeURIComponent(team)) } : null
    const [, conversation = '', person] = /^\/v3\/conversations\/([^/]+)\/(?:members\/([^/]+)|pagedmembers)$/.exec(path) ?? []
    const all = members.get(decodeURIComponent(conversation))
    if (!all) return null
    if (person !== undefined) return all.find(({ id, aadObjectId }) => [id, aadObjectId].includes(decodeURIComponent(person))) ?? null
    const from = Number(query.get('continuationToken') ?? 0)
    return { members: all.slice(from, from + pageOf), ...(from + pageOf < all.length ? { continuationToken: String(from + pageOf) } : {}) }
  }

  function fromGraph(path: string): unknown {
    const [, channel, root, replies] = /\/channels\/([^/]+)\/messages\/([^/]+)(\/replies)?$/.exec(path) ?? []
    if (channel !== undefined && root !== undefined) {
      const found = messages.get(`${decodeURIComponent(channel)}/${decodeURIComponent(root)}${replies ?? ''}`)
      return found === undefined ? null : replies ? { value: found } : (found[0] ?? null)
    }
    const found = messages.get(decodeURIComponent(/\/chats\/([^/]+)\/messages$/.exec(path)?.[1] ?? ''))
    return found ? { value: found } : null
  }

  return {
    handle: answer,
    serviceUrl: `${url}/`,
    graphUrl: `${url}/graph/v1.0`,
    members,
    channels,
    messages,
    requests,
    fail: (part, status, times = 1) => void faults.push(...Array.from({ length: times }, () => ({ part, status }))),
    close,
  }
}
