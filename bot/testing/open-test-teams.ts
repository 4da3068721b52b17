import { createServer } from 'node:http'
import Koa from 'koa'
import { pino } from 'pino'
import type { Db, TenantDb } from '#db/index.ts'
import { createTenant } from '#db/shared/tenants.ts'
import { provisionTenant } from '#db/shared/workspaces.ts'
import { createMetrics } from '#server/metrics.ts'
import { listenOnLoopback } from '#server/testing/listen-on-loopback.ts'
import { createBusyNotes } from '../busy-notes.ts'
import { receive } from '../inbox.ts'
import { createNuraApi } from '../nura-api.ts'
import type { OpenPlatform } from '../platform.ts'
import { openTeams } from '../teams/open-teams.ts'
import { toTeamsConfig } from '../teams/to-teams-config.ts'
import { createTurns } from '../turn.ts'
import { startFakeAskServer } from './fake-ask-server.ts'
import type { FakeAskServer } from './fake-ask-server.ts'
import { startFakeConnector } from './fake-connector.ts'
import type { FakeConnector } from './fake-connector.ts'
import { startFakeIdentityProvider } from './fake-identity-provider.ts'
import type { FakeIdentityProvider } from './fake-identity-provider.ts'
import { startFakeTeamsDirectory } from './fake-teams-directory.ts'
import type { FakeTeamsDirectory } from './fake-teams-directory.ts'
import { teamsIds, toTeamsRequest } from './teams-activity.ts'
import type { Activity } from './teams-activity.ts'

export type TestTeams = {
  readonly platform: OpenPlatform
  readonly identity: FakeIdentityProvider
  readonly directory: FakeTeamsDirectory
  readonly connector: FakeConnector
  /** Where Teams says that it is to be reached. */
  readonly serviceUrl: string
  readonly server: FakeAskServer
  readonly tenant: TenantDb
  readonly url: string
  readonly lines: Record<string, unknown>[]
  /** Sends an activity as the connector does, signed, from the fake directory unless it names another connector. */
  send(activity: Activity, headers?: Record<string, string>): Promise<Response>
  /** Carries out one stored row. */
  runTurn(inboxId: string): Promise<void>
  /** Resolves when nothing that was queued is still running. */
  idle(): Promise<void>
  /** Holds queued rows back until `release`. */
  hold(): { release(): void }
  /** What the rows of the tenant, or of another, came to. */
  outcomes(tenantId?: string): Promise<{ kind: string; outcome: string | null }[]>
  close(): Promise<void>
}

let count = 0

/**
 * Teams as the one platform of a bot on a tenant of its own, between an identity provider, a directory and a server over
 * loopback. It serves the directory of `teamsIds` alone, or with `multi` any.
 */
export async function openTestTeams(db: Db, options: { multi?: boolean; receive?: () => Promise<never> } = {}): Promise<TestTeams> {
  const identity = await startFakeIdentityProvider()
  const directory = await startFakeTeamsDirectory()
  const connector = await startFakeConnector()
  // One address for all of it, as Teams has it: who is where comes from the directory, what is said goes to the connector.
  const teams = await listenOnLoopback(createServer((request, response) => (request.method === 'GET' ? directory : connector).handle(request, response)))
  const serviceUrl = `${teams.url}/`
  const server = await startFakeAskServer()
  const tenantId = (await createTenant(db, { slug: `teams-${Date.now().toString(36)}-${++count}`, name: 'Test' })).id
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) })
  const config = toTeamsConfig({
    MicrosoftAppId: identity.app.id,
    MicrosoftAppPassword: identity.app.password,
    MicrosoftAppType: options.multi ? 'MultiTenant' : 'SingleTenant',
    ...(options.multi ? {} : { MicrosoftAppTenantId: teamsIds.directory }),
    MicrosoftGraphUrl: directory.graphUrl,
    ...identity.overrides(),
  })!
  const running = new Set<Promise<void>>()
  const stop = new AbortController()
  const platforms = new Map<string, OpenPlatform>()
  const api = createNuraApi({ url: server.url, secret: 's'.repeat(32) })
  const run = (inboxId: string) => {
    const turn: Promise<void> = runTurn(inboxId, { signal: stop.signal, lastAttempt: true })
      .catch((error: unknown) => void lines.push({ msg: 'turn threw', error: String(error) }))
      .finally(() => running.delete(turn))
    running.add(turn)
  }
  let held: string[] | null = null
  const queue = async (inboxId: string) => void (held ? held.push(inboxId) : run(inboxId))
  const runTurn = createTurns({ db, api, platforms, queue, busy: createBusyNotes(), metrics: createMetrics(), log })
  const platform = openTeams(config, {
    db,
    api,
    log,
    tenantId,
    provisionTenant: (workspace) => provisionTenant(db, workspace),
    receive: options.receive ?? ((owner, incoming) => receive({ db, queue, log }, owner, incoming)),
    queue,
  })
  platforms.set('teams', platform)
  const app = new Koa()
  app.use(platform.middleware)
  const { url, close } = await listenOnLoopback(createServer(app.callback()))

  return {
    platform,
    identity,
    directory,
    connector,
    serviceUrl,
    server,
    tenant: await db.tenant(tenantId),
    url,
    lines,
    send: async (activity, headers) => {
      const from = activity.serviceUrl === 'https://smba.example/emea/' ? { ...activity, serviceUrl } : activity
      return await fetch(`${url}/api/messages`, await toTeamsRequest(identity, from, headers))
    },
    runTurn: (inboxId) => runTurn(inboxId, { signal: stop.signal, lastAttempt: true }),
    async idle() {
      do {
        await Promise.allSettled(running)
        await new Promise((resolve) => setTimeout(resolve, 5))
      } while (running.size > 0)
    },
    hold() {
      const ids: string[] = []
      held = ids
      return {
        release() {
          held = null
          ids.splice(0).forEach(run)
        },
      }
    },
    outcomes: (owner = tenantId) => db.control((tx) => tx.query('select kind, outcome from inbox where tenant_id = $1 order by sequence', [owner])),
    async close() {
      stop.abort()
      await platform.close()
      await Promise.allSettled(running)
      await Promise.all([close(), teams.close(), identity.close(), directory.close(), connector.close(), server.close()])
    },
  }
}
