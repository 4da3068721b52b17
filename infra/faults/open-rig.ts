import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { Client } from 'pg'
import { createFakeWorkspace, toVisible } from '#bot/testing/fake-slack-methods.ts'
import { startFakeSlack } from '#bot/testing/fake-slack.ts'
import type { FakeSlack } from '#bot/testing/fake-slack.ts'
import { openTcpProxy } from '#db/testing/open-tcp-proxy.ts'
import type { TcpProxy } from '#db/testing/open-tcp-proxy.ts'
import { createRepository } from '#server/testing/create-repository.ts'
import { startFakeOpenai } from '#server/testing/fake-openai.ts'
import type { FakeOpenai } from '#server/testing/fake-openai.ts'
import { openServers } from '../testing/open-servers.ts'
import type { Servers } from '../testing/open-servers.ts'
import { startProcess } from '../testing/processes.ts'
import type { NuraProcess } from '../testing/processes.ts'
import type { ServerPrograms } from '../testing/server-programs.ts'
import { shopFiles } from '../testing/shop-files.ts'
import { startDeployment } from '../testing/start-deployment.ts'
import { toAnswer } from './ledger.ts'
import type { LedgerReply, LedgerRow } from './ledger.ts'

export const signingSecret = 'a-signing-secret-of-slack'

/** One process of the deployment, at an address that stays when it is started again. */
export type Part = {
  readonly name: string
  readonly url: string
  readonly running: NuraProcess
  /** Starts it, once what ran before has ended. */
  start(): Promise<void>
  /** What all its runs have written. */
  output(): string
}

/** A deployment on stores of its own, with a switch for faults before everything that it depends on. */
export type Rig = {
  readonly servers: Servers
  readonly slack: FakeSlack
  readonly model: FakeOpenai
  readonly proxies: Record<'postgres' | 'redis' | 'slack' | 'model' | 'server', TcpProxy>
  /** Each takes events and answers them, so one may die while the other works. */
  readonly bots: [Part, Part]
  readonly server: Part
  readonly jobs: Part
  /** Asks the database past its proxy, in a connection of its own. */
  sql<Row>(query: string, values?: unknown[]): Promise<Row[]>
  flushRedis(): Promise<void>
  rows(): Promise<(LedgerRow & { id: string })[]>
  replies(ts: string): LedgerReply[]
  close(): Promise<void>
}

/** Milliseconds before each word of the model, so that there is always something half-way to die in. */
const wordMs = 8
export const awake = { kind: 'slow', ms: wordMs } as const

export async function openRig(programs: ServerPrograms): Promise<Rig> {
  const [servers, slack, model, repository, folder] = await Promise.all([
    openServers(programs, { survivesKill: true }),
    startFakeSlack(createFakeWorkspace()),
    startFakeOpenai({ reply: ({ messages }) => toAnswer(/webhook (\d+) verified/.exec(JSON.stringify(messages.at(-1)))?.[1] ?? '0') }),
    createRepository(shopFiles),
    mkdtemp(join(tmpdir(), 'nura-faults-')),
  ])
  model.fault = awake
  const before = (url: string) => openTcpProxy({ host: '127.0.0.1', port: Number(new URL(url).port) })
  const through = (url: string, proxy: TcpProxy) => Object.assign(new URL(url), { port: String(proxy.port) }).href
  const [postgres, redis, slackProxy, modelProxy] = await Promise.all([servers.databaseUrl, servers.redisUrl, slack.url, model.url].map(before)) as [TcpProxy, TcpProxy, TcpProxy, TcpProxy]
  const env = {
    DATABASE_URL: through(servers.databaseUrl, postgres),
    REDIS_URL: through(servers.redisUrl, redis),
    NURA_DATA_DIR: join(folder, 'data'),
    NURA_SERVICE_SECRET: 'a service secret that is long enough to be one',
    NURA_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
    SLACK_SIGNING_SECRET: signingSecret,
    SLACK_BOT_TOKEN: 'xoxb-fake-token',
    SLACK_API_URL: through(slack.url, slackProxy),
    ...Object.fromEntries(['DEV_MODELS', 'PM_MODELS', 'ARCHITECT_MODELS'].map((chain) => [chain, `openai:fake@${through(model.url, modelProxy)}`])),
    // Every question is to be answered, and anew.
    NURA_ANSWER_CACHE: 'off', NURA_LIMIT_ASKER: 'off', NURA_LIMIT_CHANNEL: 'off', NURA_LIMIT_TENANT: 'off',
  }
  const deployment = await startDeployment(env, repository.dir)
  const proxies = { postgres, redis, slack: slackProxy, model: modelProxy, server: await before(deployment.server.url) }
  const botEnv = { ...env, NURA_SERVER_URL: through(deployment.server.url, proxies.server) }
  const server = toPart('server', 'server/main.ts', { ...env, NURA_LOCAL_REPOSITORIES: 'allow' }, deployment.server)
  const jobs = toPart('jobs', 'jobs/main.ts', env, deployment.jobs)
  const startBot = async (name: string) => toPart(name, 'bot/main.ts', botEnv, await startProcess('bot/main.ts', botEnv))
  const bots = await Promise.all([startBot('bot 1'), startBot('bot 2')])
  const parts = [server, jobs, ...bots]

  async function sql<Row>(query: string, values: unknown[] = []): Promise<Row[]> {
    const client = new Client({ connectionString: servers.databaseUrl })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return (await client.query(query, values)).rows as Row[]
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  return {
    servers, slack, model, proxies, server, jobs, bots, sql,
    async flushRedis() {
      const redis = new Redis(servers.redisUrl)
      await redis.flushall()
      redis.disconnect()
    },
    rows: () => sql(`select id, state, outcome, payload->>'id' as ts from nura.inbox where kind = 'message'`),
    replies: (ts) =>
      slack.workspace.messages
        .filter(({ thread_ts, user }) => thread_ts === ts && user === slack.workspace.botUserId)
        .map((message) => ({ ts: message.ts, text: toVisible(message), streaming: message.streaming === true })),
    async close() {
      await Promise.all(parts.map(({ running }) => running.end('SIGKILL')))
      await Promise.all([slack.close(), model.close(), repository[Symbol.asyncDispose](), ...Object.values(proxies).map((proxy) => proxy.close())])
      await servers.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function toPart(name: string, script: string, env: Record<string, string>, first: NuraProcess): Part {
  const { url } = first
  let running = first
  let written = ''
  return {
    name,
    url,
    get running() {
      return running
    },
    async start() {
      await running.ended
      written += running.output()
      running = await startProcess(script, { ...env, PORT: new URL(url).port })
    },
    output: () => written + running.output(),
  }
}
