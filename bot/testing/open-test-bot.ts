import { createServer } from 'node:http'
import Koa from 'koa'
import { pino } from 'pino'
import type { Db, TenantDb } from '#db/index.ts'
import { createTenant } from '#db/shared/tenants.ts'
import { provisionTenant } from '#db/shared/workspaces.ts'
import { createMetrics } from '#server/metrics.ts'
import { listenOnLoopback } from '#server/testing/listen-on-loopback.ts'
import type { BotEnv } from '../config.ts'
import { startBot } from '../start-bot.ts'
import type { Bot } from '../start-bot.ts'
import { startFakeAskServer } from './fake-ask-server.ts'
import type { FakeAskServer } from './fake-ask-server.ts'
import { createFakeWorkspace, toVisible } from './fake-slack-methods.ts'
import type { FakeMessage } from './fake-slack-methods.ts'
import { startFakeSlack } from './fake-slack.ts'
import type { FakeSlack } from './fake-slack.ts'
import { toRequest } from './slack-event.ts'

export const signingSecret = 'a-signing-secret'

export type TestBot = {
  readonly bot: Bot
  readonly slack: FakeSlack
  readonly server: FakeAskServer
  readonly tenant: TenantDb
  /** Root of the bot's HTTP server. */
  readonly url: string
  /** Log lines so far. */
  readonly lines: Record<string, unknown>[]
  /** Sends a payload as Slack does, signed. */
  send(payload: Record<string, unknown>, headers?: Record<string, string>): Promise<Response>
  /** Resolves when nothing that was queued is still running. */
  idle(): Promise<void>
  /** What people see in a thread below its root, in order. */
  seen(root: string, channel?: string): string[]
  replies(root: string, channel?: string): FakeMessage[]
  /** Holds queued rows back until `release`; what the sweeper would do can be done by hand. */
  hold(): { ids: string[]; release(): void }
  close(): Promise<void>
}

let count = 0

/**
 * A bot on a tenant and workspace of its own, between a fake Slack and a fake server. Its queue runs rows in this process,
 * once for each hint, the way a worker does.
 *
 * @param options.beside a bot whose tenant, workspace and server this one shares, like a second process.
 */
export async function openTestBot(db: Db, options: { env?: Partial<BotEnv>; queue?: (inboxId: string) => Promise<void>; beside?: TestBot } = {}): Promise<TestBot> {
  const id = `${Date.now().toString(36).toUpperCase()}${++count}`
  const { beside } = options
  const slack = beside?.slack ?? (await startFakeSlack(createFakeWorkspace({ teamId: `T0${id}`, token: `xoxb-${id}` })))
  const server = beside?.server ?? (await startFakeAskServer())
  const tenantId = beside?.tenant.id ?? (await createTenant(db, { slug: `bot-${id.toLowerCase()}`, name: 'Test' })).id
  const [token = ''] = slack.workspace.tokens
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) })
  const running = new Set<Promise<void>>()
  let held: string[] | null = null
  const stop = new AbortController()
  const run = (inboxId: string) => {
    const turn: Promise<void> = bot
      .runTurn(inboxId, { signal: stop.signal, lastAttempt: true })
      .catch((error: unknown) => void lines.push({ msg: 'turn threw', error: String(error) }))
      .finally(() => running.delete(turn))
    running.add(turn)
  }
  const bot = await startBot({
    db,
    env: { SLACK_SIGNING_SECRET: signingSecret, SLACK_BOT_TOKEN: token, SLACK_API_URL: slack.url, ...options.env } as BotEnv,
    server: { url: server.url, secret: 's'.repeat(32) },
    tenantId,
    provisionTenant: (workspace) => provisionTenant(db, workspace),
    queue: options.queue ?? (async (inboxId) => void (held ? held.push(inboxId) : run(inboxId))),
    metrics: createMetrics(),
    log,
  })
  const app = new Koa()
  app.use(bot.middleware)
  const { url, close } = await listenOnLoopback(createServer(app.callback()))
  const replies = (root: string, channel = 'C0GENERAL') =>
    slack.workspace.messages.filter((message) => message.channel === channel && message.thread_ts === root && message.user === slack.workspace.botUserId)

  return {
    bot,
    slack,
    server,
    tenant: await db.tenant(tenantId),
    url,
    lines,
    send: (payload, headers = {}) => fetch(`${url}/slack/events`, toRequest(signingSecret, payload, headers)),
    async idle() {
      do {
        await Promise.allSettled(running)
        await new Promise((resolve) => setTimeout(resolve, 5))
      } while (running.size > 0)
    },
    replies,
    seen: (root, channel) => replies(root, channel).map(toVisible),
    hold() {
      const ids: string[] = []
      held = ids
      return {
        ids,
        release() {
          held = null
          ids.splice(0).forEach(run)
        },
      }
    },
    async close() {
      stop.abort()
      await bot.close()
      await Promise.allSettled(running)
      await close()
      if (!beside) await Promise.all([slack.close(), server.close()])
    },
  }
}
