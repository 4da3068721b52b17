import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { readDbConfig } from '#db/config.ts'
import { openDb } from '#db/index.ts'
import { migrate } from '#db/migrate.ts'
import { createTenant } from '#db/shared/tenants.ts'
import { openFromTemplate } from '#db/testing/store-template.ts'
import { createGithubApp } from '#server/github/app.ts'
import { readGithubConfig } from '#server/github/config.ts'
import { adoptInstallation } from '#server/github/connect/adopt-installation.ts'
import { createLog } from '#server/log.ts'
import { createRepository } from '#server/testing/create-repository.ts'
import type { TestRepository } from '#server/testing/create-repository.ts'
import type { Event } from '#server/testing/fake-github/deliveries.ts'
import { startFakeGithub } from '#server/testing/fake-github/start-fake-github.ts'
import type { FakeGithub } from '#server/testing/fake-github/start-fake-github.ts'
import { startFakeOpenai } from '#server/testing/fake-openai.ts'
import type { FakeOpenai } from '#server/testing/fake-openai.ts'
import { lastWords } from './last-words.ts'
import { openOwnStores } from './open-own-stores.ts'
import { startProcess } from './processes.ts'
import type { NuraProcess } from './processes.ts'
import { until } from './until.ts'

/** A repository as `GET /v1/repositories` shows it. */
export type ShownRepository = { id: string; name: string; state: string; isPublic: boolean; audience: string; indexedSha: string | null; files: number; chunks: number; skipped: Record<string, number>; error: string | null }
export type ShownPassage = { repository: string; path: string; startLine: number; endLine: number; sha: string; content: string }

/** Nura as an operator runs it, with GitHub on the other side. */
export type GithubDeployment = {
  readonly github: FakeGithub
  /** The language model that answers and sums up, when one was asked for. */
  readonly model: FakeOpenai | null
  /** Where webhooks go. */
  readonly hook: string
  readonly url: string
  /** Roots of all its processes. */
  readonly urls: string[]
  /** Everything that its processes wrote. */
  output(): string
  /** Posts a signed event to the webhook. @returns the status */
  deliver(event: Event, headers?: Record<string, string | undefined>): Promise<number>
  /** Calls the API as the operator of a tenant. */
  api(method: string, path: string, body?: unknown, tenant?: string): Promise<{ status: number; body: unknown }>
  repositories(tenant?: string): Promise<ShownRepository[]>
  /** Waits until the tenant's repository is at this commit. */
  indexed(name: string, sha: string, tenant?: string): Promise<ShownRepository>
  search(question: string, options?: { tenant?: string; repository?: string; audience?: object; limit?: number }): Promise<ShownPassage[]>
  /** Sum of a counter over its labels, as the process that runs the jobs tells it. */
  counter(name: string, labels?: Record<string, string>): Promise<number>
  /** Waits until nothing is queued, running or unfinished. */
  settled(): Promise<void>
  kill(): Promise<void>
  /** Starts what was killed, with its environment changed so far. */
  start(change?: Record<string, string>): Promise<void>
  close(): Promise<void>
}

export type GithubDeploymentOptions = {
  /** Tenants beside `local`, each with its own installation of this account. */
  tenants?: Record<string, string>
  env?: Record<string, string>
  /** Answers and summaries come from a language model. */
  model?: boolean
  /** Runs before the processes start: what is on GitHub by then. */
  prepare?: (github: FakeGithub) => Promise<void>
}

const secret = 'a service secret that is long enough to be one'

/**
 * Starts Nura with GitHub beside it: everything in one process on embedded stores; server and jobs on servers. Installations
 * of `tenants` are connected by the operator's command before the start.
 */
export async function startGithubDeployment({ tenants = {}, env: extra = {}, model: wantsModel = false, prepare }: GithubDeploymentOptions = {}): Promise<GithubDeployment> {
  const folder = await mkdtemp(join(tmpdir(), 'nura-github-'))
  const checkout: TestRepository = await createRepository({ 'README.md': '# Empty\n' })
  const github = await startFakeGithub()
  const model = wantsModel ? await startFakeOpenai() : null
  await prepare?.(github)
  const stores = extra.DATABASE_URL ? null : await openOwnStores()
  const env: Record<string, string> = {
    NURA_DATA_DIR: join(folder, 'data'),
    NURA_REPOSITORY: checkout.dir,
    NURA_SERVICE_SECRET: secret,
    NURA_ENCRYPTION_KEY: Buffer.alloc(32, 3).toString('base64'),
    GITHUB_SUMMARY_INTERVAL: '0',
    // A test that waits for something searches far more often than a person.
    NURA_LIMIT_ASKER: 'off',
    NURA_LIMIT_TENANT: 'off',
    ...github.env(),
    ...(model ? { DEV_MODELS: `openai:fake-chat@${model.url}`, PM_MODELS: `openai:fake-chat@${model.url}`, ARCHITECT_MODELS: `openai:fake-chat@${model.url}` } : {}),
    ...stores?.env,
    ...extra,
  }
  await prepareStores(env, tenants, github)

  const isEmbedded = env.DATABASE_URL === undefined
  const written: string[] = []
  let isSweptOften = false
  let processes: { front: NuraProcess; jobs: NuraProcess } | null = null
  async function start(change: Record<string, string> = {}): Promise<void> {
    const changed: Record<string, string> = { ...env, ...change }
    isSweptOften = Number(changed.GITHUB_SWEEP_INTERVAL ?? Infinity) < 10
    const front = await startProcess(isEmbedded ? 'infra/local.ts' : 'server/main.ts', changed)
    processes = { front, jobs: isEmbedded ? front : await startProcess('jobs/main.ts', changed) }
    github.deliveries.hookUrl = `${front.url}/github/webhooks`
  }
  async function end(signal: NodeJS.Signals): Promise<void> {
    const running = new Set(processes ? [processes.front, processes.jobs] : [])
    await Promise.all([...running].map((each) => each.end(signal)))
    written.push(...[...running].map((each) => each.output()))
    processes = null
  }
  const url = () => processes!.front.url
  await start()

  async function api(method: string, path: string, body?: unknown, tenant = 'local') {
    const token = await new SignJWT({ tenant }).setProtectedHeader({ alg: 'HS256' }).setAudience('nura').setSubject('operator').setExpirationTime('5 min').sign(new TextEncoder().encode(secret))
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const response = await fetch(`${url()}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    return { status: response.status, body: (await response.json().catch(() => null)) as unknown }
  }
  // A tenant that is made with its first installation is not there before.
  const repositories = async (tenant?: string) => ((await api('GET', '/v1/repositories', undefined, tenant)).body as { repositories?: ShownRepository[] }).repositories ?? []
  async function metrics(which: NuraProcess): Promise<string> {
    return (await fetch(`${which.url}/metrics`)).text()
  }

  const deployment: GithubDeployment = {
    github,
    model,
    get hook() {
      return `${url()}/github/webhooks`
    },
    get url() {
      return url()
    },
    get urls() {
      return [...new Set(processes ? [processes.front.url, processes.jobs.url] : [])]
    },
    output: () => [...written, ...new Set(processes ? [processes.front.output(), processes.jobs.output()] : [])].join('\n'),
    deliver: (event, headers) => github.deliver(deployment.hook, event, { headers }),
    api,
    repositories,
    indexed: (name, sha, tenant) =>
      until(() => `${name} to be indexed at ${sha.slice(0, 7)}; ${lastWords(deployment.output())}`, async () => (await repositories(tenant)).find((each) => each.name === name && each.indexedSha === sha && each.state === 'ready'), { everyMs: 150 }),
    async search(question, { tenant, ...options } = {}) {
      const { status, body } = await api('POST', '/v1/search', { question, ...options }, tenant)
      if (status !== 200) throw new Error(`search answered ${status}: ${JSON.stringify(body)}`)
      return (body as { passages: ShownPassage[] }).passages
    },
    counter: async (name, labels = {}) => sumOf(await metrics(processes!.jobs), name, labels),
    async settled() {
      let quiet = 0
      await until(() => `the jobs to settle; ${lastWords(deployment.output())}`, async () => {
        const text = await metrics(processes!.jobs)
        // Each sweep looks at what happened in each repository: swept every second or so, one look follows the other.
        const looks = isSweptOften ? sumOf(text, 'nura_queue_depth', { job: 'sync-activity' }) : 0
        const busy = sumOf(text, 'nura_queue_depth', {}) - looks
        quiet = busy === 0 ? quiet + 1 : 0
        return quiet >= 3
      }, { everyMs: 75 })
    },
    kill: () => end('SIGKILL'),
    start,
    async close() {
      await end('SIGTERM')
      await model?.close()
      await github.close()
      await checkout[Symbol.asyncDispose]()
      await stores?.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
  return deployment
}

/** Migrates the stores and gives each tenant its installation, as the operator's commands do. */
async function prepareStores(env: Record<string, string>, tenants: Record<string, string>, github: FakeGithub): Promise<void> {
  const config = readDbConfig(env)
  const db = config.url === null ? await openFromTemplate(config) : await openDb(config)
  try {
    await migrate(db)
    const log = createLog({ level: 'silent', process: 'test' })
    const app = createGithubApp(readGithubConfig(env)!, { db, log })
    for (const [slug, account] of Object.entries(tenants)) {
      const installation = [...github.world.installations.values()].find((each) => each.account.login === account)
      if (!installation) throw new Error(`No installation of ${account}: make it in prepare`)
      await adoptInstallation(db, app, (await createTenant(db, { slug, name: slug })).id, installation.id)
    }
  } finally {
    await db.close()
  }
}

function sumOf(text: string, name: string, labels: Record<string, string>): number {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
  const wanted = lines.filter((line) => Object.entries(labels).every(([key, value]) => line.includes(`${key}="${value}"`)))
  return wanted.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}
