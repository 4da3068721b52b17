import { Redis } from 'ioredis'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { createFakeWorkspace, toVisible } from '#bot/testing/fake-slack-methods.ts'
import type { FakeMessage } from '#bot/testing/fake-slack-methods.ts'
import { startFakeSlack } from '#bot/testing/fake-slack.ts'
import type { FakeSlack } from '#bot/testing/fake-slack.ts'
import { say, slackEvent, toRequest } from '#bot/testing/slack-event.ts'
import { readTestServer } from '#db/testing/config.ts'
import { openTcpProxy } from '#db/testing/open-tcp-proxy.ts'
import type { TcpProxy } from '#db/testing/open-tcp-proxy.ts'
import { createRepository } from '#server/testing/create-repository.ts'
import type { TestRepository } from '#server/testing/create-repository.ts'
import { freePort } from '../testing/free-port.ts'
import { openServers } from '../testing/open-servers.ts'
import type { Servers } from '../testing/open-servers.ts'
import { startProcess } from '../testing/processes.ts'
import type { NuraProcess } from '../testing/processes.ts'
import { findServerPrograms } from '../testing/server-programs.ts'
import { startDeployment, toServiceToken } from '../testing/start-deployment.ts'
import type { Deployment } from '../testing/start-deployment.ts'
import { until } from '../testing/until.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

const signingSecret = 'a-signing-secret-of-slack'
/** Processes start and connections come back in their own time, on machines that do other things too. */
const patient = { withinMs: 120_000 }
const secret = 'a service secret that is long enough to be one'

/** A deployment whose stores and Slack fail in every way that a running server cannot be asked for: so the stores are its own. */
describe.skipIf(readTestServer() === null)('a deployment whose stores fail', () => {
  let servers: Servers
  let repository: TestRepository
  let slack: FakeSlack
  let postgres: TcpProxy
  let redis: TcpProxy
  let slackProxy: TcpProxy
  let beside: Deployment
  let bot: NuraProcess
  let env: Record<string, string> & { NURA_SERVICE_SECRET: string }
  let sql: Client
  let cache: Redis

  const proxyOf = (url: string) => openTcpProxy({ host: '127.0.0.1', port: Number(new URL(url).port) })
  const through = (url: string, { port }: TcpProxy) => Object.assign(new URL(url), { port: String(port) }).href

  beforeAll(async () => {
    const programs = await findServerPrograms()
    if (!('found' in programs)) throw new Error(`Not on this machine: ${programs.missing.join(', ')}`)
    servers = await openServers(programs.found)
    repository = await createRepository({ 'src/verify.ts': '/** Verifies the signature of a webhook over the raw body. */\nexport function verifySignature(body: Buffer) {\n  return body.length > 0\n}\n' })
    slack = await startFakeSlack(createFakeWorkspace())
    ;[postgres, redis, slackProxy] = await Promise.all([proxyOf(servers.databaseUrl), proxyOf(servers.redisUrl), proxyOf(slack.url)])
    env = {
      DATABASE_URL: through(servers.databaseUrl, postgres),
      REDIS_URL: through(servers.redisUrl, redis),
      NURA_SERVICE_SECRET: secret,
      NURA_ENCRYPTION_KEY: Buffer.alloc(32, 9).toString('base64'),
      NURA_REPOSITORY: repository.dir,
      SLACK_SIGNING_SECRET: signingSecret,
      SLACK_BOT_TOKEN: 'xoxb-fake-token',
      SLACK_API_URL: through(slack.url, slackProxy),
    }
    beside = await startDeployment(env, repository.dir)
    bot = await startProcess('bot/main.ts', beside.botEnv)
    sql = new Client({ connectionString: servers.databaseUrl })
    await sql.connect()
    cache = new Redis(servers.redisUrl)
  })
  afterAll(async () => {
    cache?.disconnect()
    await sql?.end()
    await bot?.end('SIGTERM')
    await beside?.close()
    await Promise.all([postgres, redis, slackProxy].map((proxy) => proxy?.close()))
    await slack?.close()
    await repository?.[Symbol.asyncDispose]()
    await servers?.close()
  })

  type Asked = { mention: FakeMessage; event: Record<string, unknown> }
  function draw(question: string): Asked {
    const mention = say(slack.workspace, { text: `<@${slack.workspace.botUserId}> ${question}` })
    return { mention, event: slackEvent(slack.workspace, mention, 'app_mention') }
  }
  const send = ({ event }: Asked, to = bot) => fetch(`${to.url}/slack/events`, toRequest(signingSecret, event))
  const statusOf = async (url: string) => (await fetch(url)).status
  const replies = ({ mention }: Asked) => slack.workspace.messages.filter(({ thread_ts, user }) => thread_ts === mention.ts && user === slack.workspace.botUserId)
  const answered = (asked: Asked) =>
    until(() => `an answer; ${bot.output().slice(-1500)}`, () => replies(asked).find((reply) => !reply.streaming && toVisible(reply).includes('verifySignature')), patient)

  /** Slack sends what was not taken again, with the same event id. */
  async function sendUntilTaken(asked: Asked): Promise<void> {
    await until(() => `the event to be taken; ${bot.output().slice(-1500)}`, async () => (await send(asked).catch(() => null))?.status === 200, { ...patient, everyMs: 300 })
  }

  async function isAnsweredOnce(asked: Asked): Promise<void> {
    await answered(asked)
    expect(replies(asked)).toHaveLength(1)
  }

  test('F30: started while stores and Slack are away, each process lives, says that it is not ready, and is once they are back', async () => {
    const proxies = [postgres, redis, slackProxy]
    proxies.forEach((proxy) => proxy.set('dead'))
    const started = await Promise.all(
      ['server/main.ts', 'jobs/main.ts', 'bot/main.ts'].map(async (script) => {
        const port = String(await freePort())
        return { url: `http://127.0.0.1:${port}`, starting: startProcess(script, { ...(script.startsWith('bot') ? beside.botEnv : env), PORT: port }) }
      }),
    )
    for (const { url } of started) {
      await until(`${url} to live`, () => statusOf(`${url}/healthz`).then((status) => status === 200, () => false), patient)
      expect(await statusOf(`${url}/readyz`)).toBe(503)
    }
    const tooEarly = draw('where is the signature verified, asked before anything was there?')
    expect((await fetch(`${started[2]!.url}/slack/events`, toRequest(signingSecret, tooEarly.event))).status).toBe(503)

    proxies.forEach((proxy) => proxy.set('pass'))
    const processes = await Promise.all(started.map(({ starting }) => starting))
    expect((await send(tooEarly, processes[2])).status).toBe(200)
    await isAnsweredOnce(tooEarly)
    expect(await Promise.all(processes.map((each) => each.end('SIGTERM')))).toEqual([0, 0, 0])
  })

  test('F13: while PostgreSQL takes no writes, or moves, events are refused and taken again afterwards, and nobody dies', async () => {
    await sql.query('alter system set default_transaction_read_only = on')
    await sql.query('select pg_reload_conf()')
    const asked = draw('where is the signature verified, while nothing can be written?')
    await until('a refusal', async () => (await send(asked)).status === 503, patient)
    expect(await statusOf(`${bot.url}/healthz`)).toBe(200)
    await sql.query('set default_transaction_read_only = off')
    await sql.query('alter system reset default_transaction_read_only')
    await sql.query('select pg_reload_conf()')
    await sendUntilTaken(asked)
    await isAnsweredOnce(asked)

    // A failover as a client sees it: each connection breaks, and the name leads elsewhere.
    postgres.moveTo({ host: '127.0.0.1', port: Number(new URL(servers.databaseUrl).port) })
    const after = draw('where is the signature verified, after a failover?')
    await sendUntilTaken(after)
    await isAnsweredOnce(after)
  })

  test('F14: with every connection busy events are refused while Slack still listens, life goes on, and nothing is answered twice', async () => {
    const blocked = new Client({ connectionString: servers.databaseUrl })
    await blocked.connect()
    await blocked.query('begin; lock table nura.inbox, nura.tenant in access exclusive mode')
    const asked = Array.from({ length: 30 }, (_, at) => draw(`where is the signature verified, question ${at}?`))
    const first = await Promise.all(asked.map((each) => send(each)))
    expect(first.map(({ status }) => status)).toEqual(asked.map(() => 503))
    expect(first.every(({ headers }) => headers.get('retry-after') === '1')).toBe(true)
    expect(await statusOf(`${bot.url}/healthz`)).toBe(200)

    const headers = { authorization: `Bearer ${await toServiceToken(secret)}` }
    const listed = await Promise.all(Array.from({ length: 20 }, () => fetch(`${beside.server.url}/v1/repositories`, { headers })))
    for (const { status, headers: told } of listed) expect([status, told.get('retry-after')]).toEqual([503, '1'])
    expect(await statusOf(`${beside.server.url}/healthz`)).toBe(200)

    await blocked.end()
    for (const each of asked.slice(0, 8)) {
      await sendUntilTaken(each)
      await isAnsweredOnce(each)
    }
  })

  test('F9: a Redis that is full keeps no event from being taken, and it is answered once there is room', async () => {
    await cache.config('SET', 'maxmemory', '1mb')
    const asked = draw('where is the signature verified, while the queue is full?')
    expect((await send(asked)).status).toBe(200)
    await cache.config('SET', 'maxmemory', '0')
    await isAnsweredOnce(asked)
  })

  test('F10: a Redis that would throw jobs away is no queue: the process is not ready until it does not', async () => {
    await cache.config('SET', 'maxmemory-policy', 'allkeys-lru')
    await until('red', async () => (await statusOf(`${bot.url}/readyz`)) === 503, patient)
    await cache.config('SET', 'maxmemory-policy', 'noeviction')
    await until('green', async () => (await statusOf(`${bot.url}/readyz`)) === 200, patient)
  })
})
