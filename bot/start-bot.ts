import type { Middleware } from 'koa'
import type { Logger } from 'pino'
import type { Db } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import type { Metrics } from '#server/metrics.ts'
import { createBusyNotes } from './busy-notes.ts'
import type { BotEnv } from './config.ts'
import { receive } from './inbox.ts'
import { createNuraApi } from './nura-api.ts'
import type { OpenPlatform, PlatformParts } from './platform.ts'
import { platforms } from './platforms.ts'
import { createTurns } from './turn.ts'
import type { RunContext } from './turn.ts'

export type BotParts = {
  db: Db
  env: BotEnv
  /** Where the server is, and the secret it shares with us; null in local mode. */
  server: { url: string; secret: string | null }
  /** The tenant that single-workspace credentials belong to. */
  tenantId: string
  provisionTenant: PlatformParts['provisionTenant']
  /** Leaves a hint in the queue that a row waits: `enqueue('answer-turn', { inboxId, tenantId })`. */
  queue(inboxId: string, tenantId: string): Promise<void>
  metrics: Pick<Metrics, 'turns'>
  log: Logger
}

export type Bot = {
  /** Names of the platforms that are configured. */
  readonly surfaces: string[]
  /** Their routes, for a Koa app. No body parser may run before them. */
  readonly middleware: Middleware
  /** What the job `answer-turn` runs. */
  runTurn(inboxId: string, context: RunContext): Promise<void>
  /** Rejects with the reason while a platform cannot take traffic. */
  ready(): Promise<void>
  /** Ends the platforms and what runs in this process without a job. */
  close(): Promise<void>
}

/** Opens every platform that is configured. @throws NuraError `bad-environment` */
export async function startBot(parts: BotParts): Promise<Bot> {
  const { db, log } = parts
  const api = createNuraApi(parts.server)
  const open = new Map<string, OpenPlatform>()
  const stop = new AbortController()
  const running = new Set<Promise<void>>()
  const runTurn = createTurns({ db, api, platforms: open, queue: parts.queue, busy: createBusyNotes(), metrics: parts.metrics, log })

  const take: PlatformParts['receive'] = async (tenantId, incoming, { now } = { now: false }) => {
    const accepted = await receive({ db, queue: parts.queue, log }, tenantId, incoming, { hint: !now })
    if (now && accepted?.isNew) runHere(accepted.id)
    return accepted
  }
  /** Not waited for. What fails here is left to the sweeper, like a process that died. */
  const runHere = (inboxId: string) => {
    const run: Promise<void> = runTurn(inboxId, { signal: stop.signal, lastAttempt: false })
      .catch((error: unknown) => log.warn({ err: error, inboxId }, 'not carried out at once; the queue will'))
      .finally(() => running.delete(run))
    running.add(run)
  }

  for (const platform of platforms) {
    const opened = await platform.open(parts.env, { db, api, log: log.child({ surface: platform.name }), tenantId: parts.tenantId, provisionTenant: parts.provisionTenant, receive: take, queue: parts.queue })
    if (opened) open.set(platform.name, opened)
  }
  const opened = [...open.values()]

  return {
    surfaces: [...open.keys()],
    middleware: (ctx, next) => opened.reduceRight<() => Promise<unknown>>((rest, platform) => async () => platform.middleware(ctx, rest), next)(),
    runTurn,
    async ready() {
      for (const platform of opened) await platform.ready()
    },
    async close() {
      stop.abort(new NuraError('stopping', 'This process is stopping.', { retryable: true }))
      await Promise.allSettled(opened.map((platform) => platform.close()))
      await Promise.allSettled(running)
    },
  }
}
