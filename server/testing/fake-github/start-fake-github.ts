import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listenOnLoopback } from '../listen-on-loopback.ts'
import { createDeliveries } from './deliveries.ts'
import type { Deliveries, Event } from './deliveries.ts'
import { createFaults } from './faults.ts'
import type { Faults } from './faults.ts'
import { createOwnerActs } from './owner-acts.ts'
import type { OwnerActs } from './owner-acts.ts'
import { createPayloads } from './payloads.ts'
import type { Payloads } from './payloads.ts'
import type { Call } from './route.ts'
import { activityRoutes } from './routes-activity.ts'
import { createAppRoutes } from './routes-app.ts'
import { commentRoutes } from './routes-comments.ts'
import { contentRoutes } from './routes-contents.ts'
import { gitRoutes } from './routes-git.ts'
import { pullRoutes } from './routes-pulls.ts'
import { reactionRoutes } from './routes-reactions.ts'
import { createSiteRoutes } from './routes-site.ts'
import type { Site } from './routes-site.ts'
import { createServe } from './serve.ts'
import { createWorld } from './world.ts'
import type { World } from './world.ts'

export type FakeGithub = OwnerActs & {
  /** Root of the REST API, for GITHUB_API_URL; the site has the same origin. */
  readonly url: string
  readonly app: World['app'] & { readonly privateKey: string; readonly webhookSecret: string }
  readonly world: World
  /** What people click on the site. */
  readonly site: Site
  readonly deliveries: Deliveries
  readonly payloads: Payloads
  /** Every request, in order. */
  readonly calls: Call[]
  /** Those for which GitHub has no such route here. */
  readonly unknown: Call[]
  callsTo(method: string, path: RegExp): Call[]
  readonly fail: Faults['fail']
  readonly before: Faults['before']
  clearFaults(): void
  /** Every token handed out so far is refused from now on. */
  expireTokens(): void
  /** What a process needs in its environment. */
  env(): Record<string, string>
  event: Deliveries['event']
  deliver: Deliveries['deliver']
  close(): Promise<void>
}

/** GitHub sends no event that is larger. */
const mostBytes = 25 * 1024 * 1024

/** GitHub's REST API, site and webhooks over loopback: real repositories, real refusals, a log of every request, and switches for what goes wrong. */
export async function startFakeGithub({
  prefix = '',
  now = () => new Date(),
}: { prefix?: string; now?: () => Date } = {}): Promise<FakeGithub> {
  const folder = await mkdtemp(join(tmpdir(), 'fake-github-'))
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const webhookSecret = randomBytes(16).toString('hex')
  const faults = createFaults()
  const server = createServer()
  const { url: web, close } = await listenOnLoopback(server)
  const world = createWorld({ api: web + prefix, web, slug: 'nura', appId: 4242, now })
  const deliveries = createDeliveries(world, webhookSecret)
  const payloads = createPayloads(world)
  const site: Site = { signedIn: null, setupUrl: null, installing: null, declines: false, authorizesOnInstall: false }
  const routes = [
    ...gitRoutes,
    ...contentRoutes,
    ...pullRoutes,
    ...activityRoutes,
    ...commentRoutes,
    ...reactionRoutes,
    ...createAppRoutes(deliveries),
    ...createSiteRoutes(site),
  ]
  const serve = createServe({
    world,
    prefix,
    publicKey,
    routes,
    faults,
    announce: (name, toPayload) => deliveries.track(announce(name, () => toPayload(payloads))),
  })
  server.on('request', serve.listener)

  async function announce(name: string, toPayload: () => object | Promise<object>): Promise<void> {
    if (!deliveries.auto || !deliveries.hookUrl) return
    const event = deliveries.event(name, await toPayload())
    if (!isTold(event)) return
    if (event.rawBody.length <= mostBytes) await deliveries.deliver(deliveries.hookUrl, event)
  }
  /** GitHub tells nothing of a repository that the App does not reach, or not for now. */
  function isTold({ payload }: Event): boolean {
    const mark = payload.installation as { id: number } | undefined
    return !('repository' in payload) || (mark !== undefined && world.installations.get(mark.id)?.suspendedAt === null)
  }
  const parts = { world, payloads, announce }
  const acts = createOwnerActs(parts, folder)

  return {
    url: world.api,
    app: { ...world.app, webhookSecret, privateKey: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString() },
    world,
    site,
    deliveries,
    payloads,
    calls: serve.calls,
    unknown: serve.unknown,
    callsTo: (method, path) => serve.calls.filter((call) => call.method === method && path.test(call.path)),
    fail: faults.fail,
    before: faults.before,
    clearFaults: faults.clear,
    expireTokens: () => void world.tokens.values().forEach((token) => token.expiresAt.setTime(0)),
    env: () => ({
      GITHUB_APP_ID: String(world.app.id),
      GITHUB_PRIVATE_KEY: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
      GITHUB_WEBHOOK_SECRET: webhookSecret,
      GITHUB_API_URL: world.api,
      GITHUB_CLIENT_ID: world.app.clientId,
      GITHUB_CLIENT_SECRET: world.app.clientSecret,
      GITHUB_WRITE_INTERVAL_MS: '0',
    }),
    ...acts,
    event: deliveries.event,
    deliver: deliveries.deliver,
    async close() {
      serve.close()
      await close()
      await deliveries.settle()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
