import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDeliveries } from './deliveries.ts'
import type { Deliveries } from './deliveries.ts'
import { createFakeRepository } from './fake-repository.ts'
import type { FakeRepository } from './fake-repository.ts'
import { createFaults } from './faults.ts'
import type { Faults } from './faults.ts'
import { createGitStore } from './git-store.ts'
import type { FileChange } from './git-store.ts'
import { createPayloads } from './payloads.ts'
import type { Payloads } from './payloads.ts'
import type { Call } from './route.ts'
import { createAppRoutes } from './routes-app.ts'
import { commentRoutes } from './routes-comments.ts'
import { gitRoutes } from './routes-git.ts'
import { pullRoutes } from './routes-pulls.ts'
import { createSiteRoutes } from './routes-site.ts'
import type { Site } from './routes-site.ts'
import { createServe } from './serve.ts'
import { createWorld, toFreshRate, toTime } from './world.ts'
import type { Installation, Repository, World } from './world.ts'

export type AddRepository = {
  /** Through which the App reaches it; null: the App does not. */
  installation: Installation | null
  /** Default: the installation's account. */
  owner?: string
  name: string
  private?: boolean
  defaultBranch?: string
  /** Its first commit. Without `files` and `from` it is empty. */
  files?: Record<string, FileChange>
  /** A folder with a git checkout whose history it takes over. */
  from?: string
}

export type FakeGithub = {
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
  addInstallation(options: { account: string; accountType?: 'User' | 'Organization'; selection?: 'all' | 'selected' }): Promise<Installation>
  addRepository(options: AddRepository): Promise<FakeRepository>
  /** Takes repositories out of an installation, or puts them in. */
  removeFrom(installation: Installation, ...repositories: Repository[]): Promise<void>
  addTo(installation: Installation, ...repositories: Repository[]): Promise<void>
  suspend(installation: Installation): Promise<void>
  unsuspend(installation: Installation): Promise<void>
  uninstall(installation: Installation): Promise<void>
  /** A person sees this installation in `/user/installations`. */
  show(installation: Installation, login: string): void
  event: Deliveries['event']
  deliver: Deliveries['deliver']
  close(): Promise<void>
}

/** GitHub sends no event that is larger. */
const mostBytes = 25 * 1024 * 1024

/** GitHub's REST API, site and webhooks over loopback: real repositories, real refusals, a log of every request, and switches for what goes wrong. */
export async function startFakeGithub({ prefix = '', now = () => new Date() }: { prefix?: string; now?: () => Date } = {}): Promise<FakeGithub> {
  const folder = await mkdtemp(join(tmpdir(), 'fake-github-'))
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const webhookSecret = randomBytes(16).toString('hex')
  const faults = createFaults()
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const web = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const world = createWorld({ api: web + prefix, web, slug: 'nura', appId: 4242, now })
  const deliveries = createDeliveries(world, webhookSecret)
  const payloads = createPayloads(world)
  const site: Site = { signedIn: null, setupUrl: null, installing: null, declines: false, authorizesOnInstall: false }
  const routes = [...gitRoutes, ...pullRoutes, ...commentRoutes, ...createAppRoutes(deliveries), ...createSiteRoutes(site)]
  const serve = createServe({ world, prefix, publicKey, routes, faults, announce: (name, toPayload) => deliveries.track(announce(name, () => toPayload(payloads))) })
  server.on('request', serve.listener)

  async function announce(name: string, toPayload: () => object | Promise<object>): Promise<void> {
    if (!deliveries.auto || !deliveries.hookUrl) return
    const event = deliveries.event(name, await toPayload())
    if (event.rawBody.length <= mostBytes) await deliveries.deliver(deliveries.hookUrl, event)
  }
  const parts = { world, payloads, announce }

  async function addRepository({ installation, owner, name, private: isPrivate = false, defaultBranch = 'main', files, from, forkOf }: AddRepository & { forkOf?: Repository }): Promise<FakeRepository> {
    const id = world.nextId()
    const store = await createGitStore(join(folder, `${id}.git`), { from: from ?? forkOf?.store.dir, defaultBranch })
    const owned = owner ? world.account(owner) : (installation?.account ?? world.account('octocat'))
    const now = toTime(world.now())
    const repository: Repository = {
      id,
      owner: owned,
      name,
      private: isPrivate,
      archived: false,
      deleted: false,
      defaultBranch: from || forkOf ? await store.git('symbolic-ref', '--short', 'HEAD') : defaultBranch,
      fork: forkOf !== undefined,
      createdAt: now,
      pushedAt: now,
      store,
      threads: new Map(),
      permissions: new Map(),
    }
    world.repositories.set(id, repository)
    const fake = createFakeRepository(parts, repository, openFork)
    if (files) await store.commit(files, { branch: defaultBranch, message: 'Begin', at: world.now() })
    if (installation) await addTo(installation, repository)
    fakes.set(id, fake)
    return fake
  }
  const fakes = new Map<number, FakeRepository>()
  async function openFork(of: FakeRepository, login: string): Promise<FakeRepository> {
    const known = world.findRepository(`${login}/${of.name}`)
    return known ? fakes.get(known.id)! : await addRepository({ installation: null, owner: login, name: of.name, private: of.private, forkOf: of })
  }

  async function addTo(installation: Installation, ...repositories: Repository[]): Promise<void> {
    for (const { id } of repositories) installation.repositories.add(id)
    await announce('installation_repositories', () => payloads.installationRepositories('added', installation, repositories.map(({ id }) => id)))
  }
  async function removeFrom(installation: Installation, ...repositories: Repository[]): Promise<void> {
    for (const { id } of repositories) installation.repositories.delete(id)
    await announce('installation_repositories', () => payloads.installationRepositories('removed', installation, repositories.map(({ id }) => id)))
  }

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
    async addInstallation({ account, accountType, selection = 'selected' }) {
      const installation: Installation = {
        id: world.nextId(),
        account: world.account(account, accountType),
        createdAt: toTime(world.now()),
        suspendedAt: null,
        deleted: false,
        selection,
        repositories: new Set(),
        permissions: { contents: 'read', issues: 'write', metadata: 'read', pull_requests: 'write' },
        rate: toFreshRate(world.now()),
      }
      world.installations.set(installation.id, installation)
      await announce('installation', () => payloads.installation('created', installation))
      return installation
    },
    addRepository,
    addTo,
    removeFrom,
    async suspend(installation) {
      installation.suspendedAt = toTime(world.now())
      await announce('installation', () => payloads.installation('suspend', installation))
    },
    async unsuspend(installation) {
      installation.suspendedAt = null
      await announce('installation', () => payloads.installation('unsuspend', installation))
    },
    async uninstall(installation) {
      installation.deleted = true
      await announce('installation', () => payloads.installation('deleted', installation))
    },
    show(installation, login) {
      const { id } = world.account(login)
      world.seenInstallations.set(id, new Set([...(world.seenInstallations.get(id) ?? []), installation.id]))
    },
    event: deliveries.event,
    deliver: deliveries.deliver,
    async close() {
      serve.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await deliveries.settle()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
