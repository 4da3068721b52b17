import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startFakeConnector } from '#bot/testing/fake-connector.ts'
import { startFakeIdentityProvider } from '#bot/testing/fake-identity-provider.ts'
import type { FakeIdentityProvider } from '#bot/testing/fake-identity-provider.ts'
import { createFakeWorkspace } from '#bot/testing/fake-slack-methods.ts'
import { startFakeSlack } from '#bot/testing/fake-slack.ts'
import type { FakeSlack } from '#bot/testing/fake-slack.ts'
import { startFakeTeamsDirectory } from '#bot/testing/fake-teams-directory.ts'
import { teamsIds } from '#bot/testing/teams-activity.ts'
import { readDbConfig } from '#db/config.ts'
import { openDb } from '#db/index.ts'
import { migrate } from '#db/migrate.ts'
import { countRows } from '#db/testing/count-rows.ts'
import { createRepository } from '#server/testing/create-repository.ts'
import type { FakeRepository } from '#server/testing/fake-github/fake-repository.ts'
import { startFakeGithub } from '#server/testing/fake-github/start-fake-github.ts'
import type { FakeGithub } from '#server/testing/fake-github/start-fake-github.ts'
import { listenOnLoopback } from '#server/testing/listen-on-loopback.ts'
import { openOwnStores } from './open-own-stores.ts'
import { startProcess } from './processes.ts'
import type { NuraProcess } from './processes.ts'
import { until } from './until.ts'

/** A running Nura with every door open, and fakes of all that stand before them. */
export type EveryDoor = {
  readonly slack: FakeSlack
  readonly github: FakeGithub
  /** A repository of the installation that belongs to the tenant `local`. */
  readonly shop: FakeRepository
  readonly identity: FakeIdentityProvider
  /** What activities of Teams name as the address to answer to. */
  readonly serviceUrl: string
  readonly signingSecret: string
  readonly serviceSecret: string
  /** Roots of what serves the API and GitHub, and of what serves Slack and Teams: one process where the stores are embedded. */
  url(of: 'api' | 'bot'): string
  /** The processes that listen. */
  readonly processes: NuraProcess[]
  /** Everything that was written by processes past and present. */
  output(): string
  /** Waits until nothing is queued or running; tells whether that came within the time. */
  settled(withinMs?: number): Promise<boolean>
  /** Ends the processes as an operator would, and counts the rows of every table. @returns how they ended, too */
  stopAndCount(): Promise<{ rows: Record<string, number>; exits: (number | NodeJS.Signals)[] }>
  start(): Promise<void>
  close(): Promise<void>
}

export type EveryDoorOptions = {
  env?: Record<string, string>
  /** How Node is started, such as `--max-old-space-size=160`; see `startProcess`. */
  start?: Parameters<typeof startProcess>[2]
}

const signingSecret = 'a-signing-secret-of-slack'
const serviceSecret = 'a service secret that is long enough to be one'

/** Starts it: one process on embedded stores, the three of a deployment on servers. */
export async function startEveryDoor(options: EveryDoorOptions = {}): Promise<EveryDoor> {
  const folder = await mkdtemp(join(tmpdir(), 'nura-doors-'))
  const [checkout, slack, github, identity, directory, connector, stores] = await Promise.all([
    createRepository({ 'README.md': '# Shop\n\nWebhooks arrive at `/hooks` and are verified before they are read.\n' }),
    startFakeSlack(createFakeWorkspace()),
    startFakeGithub(),
    startFakeIdentityProvider(),
    startFakeTeamsDirectory(),
    startFakeConnector(),
    openOwnStores(),
  ])
  const teams = await listenOnLoopback(createServer((request, response) => (request.method === 'GET' ? directory : connector).handle(request, response)))
  const installation = await github.addInstallation({ account: 'acme' })
  const shop = await github.addRepository({ installation, name: 'shop', private: true, files: { 'pay.ts': 'export function chargeCard() {}\n' } })
  github.deliveries.auto = false
  const env: Record<string, string> = {
    NURA_DATA_DIR: join(folder, 'data'),
    NURA_REPOSITORY: checkout.dir,
    NURA_SERVICE_SECRET: serviceSecret,
    NURA_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
    NURA_LIMIT_ASKER: 'off',
    NURA_LIMIT_CHANNEL: 'off',
    NURA_LIMIT_TENANT: 'off',
    // Whatever site an input names, nobody outside is asked.
    NURA_SOURCE_HOSTS: new URL(teams.url).host,
    SLACK_SIGNING_SECRET: signingSecret,
    SLACK_BOT_TOKEN: 'xoxb-fake-token',
    SLACK_API_URL: slack.url,
    MicrosoftAppId: identity.app.id,
    MicrosoftAppPassword: identity.app.password,
    MicrosoftAppType: 'SingleTenant',
    MicrosoftAppTenantId: teamsIds.directory,
    MicrosoftGraphUrl: directory.graphUrl,
    ...identity.overrides(),
    ...github.env(),
    GITHUB_INSTALLATION_ID: String(installation.id),
    GITHUB_SUMMARY_INTERVAL: '0',
    ...stores.env,
    ...options.env,
  }
  const isEmbedded = env.DATABASE_URL === undefined
  const written: string[] = []
  const processes: NuraProcess[] = []

  async function start(): Promise<void> {
    const run = (script: string, more: Record<string, string> = {}) => startProcess(script, { ...env, ...more }, options.start)
    if (isEmbedded) return void processes.push(await run('infra/local.ts'))
    const server = await run('server/main.ts')
    processes.push(server, ...(await Promise.all([run('bot/main.ts', { NURA_SERVER_URL: server.url }), run('jobs/main.ts')])))
  }
  async function stop(): Promise<(number | NodeJS.Signals)[]> {
    const ended = processes.splice(0)
    const exits = await Promise.all(ended.map((each) => each.end('SIGTERM')))
    written.push(...ended.map((each) => each.output()))
    return exits
  }
  async function isIdle(): Promise<boolean> {
    const texts = await Promise.all(processes.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()))
    return texts.every((text) => text.split('\n').every((line) => !/^nura_(queue_depth|turns_without_outcome)\b.* [1-9]/.test(line)))
  }

  if (!isEmbedded) {
    const db = await openDb(readDbConfig(env))
    await migrate(db).finally(() => db.close())
  }
  await start()
  return {
    slack,
    github,
    shop,
    identity,
    serviceUrl: `${teams.url}/`,
    signingSecret,
    serviceSecret,
    url: (of) => (of === 'bot' ? (processes[1] ?? processes[0]!) : processes[0]!).url,
    processes,
    output: () => [...written, ...processes.map((each) => each.output())].join(''),
    async settled(withinMs = 60_000) {
      let quiet = 0
      const isQuiet = async () => (quiet = (await isIdle()) ? quiet + 1 : 0) >= 3
      return await until('nothing to be queued or running', isQuiet, { withinMs, everyMs: 200 }).catch(() => false)
    },
    async stopAndCount() {
      const exits = await stop()
      const db = await openDb(readDbConfig(env))
      const rows = await countRows(db).finally(() => db.close())
      return { rows, exits }
    },
    start,
    async close() {
      await stop()
      await Promise.all([slack.close(), github.close(), identity.close(), directory.close(), connector.close(), teams.close(), checkout[Symbol.asyncDispose]()])
      await stores.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
