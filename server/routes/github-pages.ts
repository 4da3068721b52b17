import { z } from 'zod'
import { notFound, toFailure } from '../errors.ts'
import { confirmPath } from '../github/connect/connections.ts'
import type { GithubConnections, Return } from '../github/connect/connections.ts'
import { pageHeaders, toHtml } from '../github/connect/page.ts'
import type { Page } from '../github/connect/page.ts'
import * as pages from '../github/connect/pages.ts'
import type { Logger } from '../log.ts'
import { defineRoute } from './route.ts'
import type { Reply } from './route.ts'

/** What GitHub sends along; it may send more one day. All of it is anyone's word. */
const Back = z.object({
  state: z.string().max(2_000).optional().describe('What was begun here'),
  code: z.string().max(500).optional().describe('To be exchanged for who has signed in'),
  error: z.string().max(200).optional(),
  setup_action: z.string().max(50).optional(),
  installation_id: z.string().max(50).optional(),
})

function toReturn({ setup_action: setupAction, installation_id: installation, ...rest }: z.infer<typeof Back>): Return {
  const id = /^[1-9]\d{0,14}$/.test(installation ?? '') ? { installationId: Number(installation) } : {}
  return { ...rest, ...(setupAction === undefined ? {} : { setupAction }), ...id }
}

const answers = { status: 200, description: 'A page for the browser', also: { 'text/html': 'HTML' } }

/** The App's settings may name either path as any of its addresses: the state says what was begun. */
export const setupPageRoute = defineRoute({
  method: 'GET',
  path: '/github/setup',
  summary: 'Where GitHub sends a browser that has installed the App',
  auth: 'none',
  query: Back,
  answers,
  run: ({ query, signal, log }, { connections }) => show(connections, log, (found) => found.receive(toReturn(query), signal)),
})

export const callbackPageRoute = defineRoute({
  method: 'GET',
  path: confirmPath,
  summary: 'Where GitHub sends a browser whose person has signed in',
  auth: 'none',
  query: Back,
  answers,
  run: ({ query, signal, log }, { connections }) => show(connections, log, (found) => found.receive(toReturn(query), signal)),
})

export const confirmPageRoute = defineRoute({
  method: 'POST',
  path: confirmPath,
  summary: 'Join what a page has shown',
  auth: 'none',
  query: z.object({ confirm: z.string().max(2_000) }),
  answers,
  run: ({ query, log }, { connections }) => show(connections, log, (found) => found.confirm(query.confirm)),
})

/** A browser is told what went wrong by a page, too. */
async function show(connections: GithubConnections | undefined, log: Logger, run: (connections: GithubConnections) => Promise<Page | { location: string }>): Promise<Reply> {
  if (!connections) throw notFound()
  try {
    const shown = await run(connections)
    return 'location' in shown ? { status: 302, text: '', type: 'text/plain; charset=utf-8', headers: { ...pageHeaders, location: shown.location } } : toReply(shown)
  } catch (error) {
    const { status, error: failure } = toFailure(error)
    log[status >= 500 ? 'error' : 'info']({ err: error, ref: failure.ref }, 'github connection refused')
    return toReply(pages.failed(status, failure.message, failure.ref))
  }
}

function toReply(page: Page): Reply {
  return { status: page.status, text: toHtml(page), type: 'text/html; charset=utf-8', headers: pageHeaders }
}
