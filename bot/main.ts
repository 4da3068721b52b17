import { setTimeout as sleep } from 'node:timers/promises'
import type { Middleware } from 'koa'
import { readDbConfig } from '#db/config.ts'
import { openDb } from '#db/index.ts'
import type { Db } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { readTogether } from '#db/read-env.ts'
import { countWithoutOutcome, readTraceparent } from '#db/shared/inbox.ts'
import { ensureTenant } from '#db/shared/tenants.ts'
import type { Tenant } from '#db/shared/tenants.ts'
import { provisionTenant } from '#db/shared/workspaces.ts'
import { readJobsEnv, toJobsConfig } from '#jobs/config.ts'
import { openQueues } from '#jobs/enqueue.ts'
import { botJobs, jobs } from '#jobs/index.ts'
import { createJobSigner } from '#jobs/job-signer.ts'
import { startWorkers } from '#jobs/worker.ts'
import type { Workers } from '#jobs/worker.ts'
import { createOperatorServer } from '#server/app.ts'
import { readServerConfig } from '#server/config.ts'
import { toExitCode } from '#server/errors.ts'
import { listen } from '#server/listen.ts'
import { createLog } from '#server/log.ts'
import type { Logger } from '#server/log.ts'
import { createMetrics } from '#server/metrics.ts'
import { operatorRoutes } from '#server/routes/index.ts'
import { readTracingConfig } from '#server/tracing/config.ts'
import { openTracing } from '#server/tracing/open-tracing.ts'
import { warnOfAmbientRights } from '#server/warn-of-ambient-rights.ts'
import { readBotEnv } from './config.ts'
import { startBot } from './start-bot.ts'
import type { Bot } from './start-bot.ts'

/** The platforms of a deployment, and the job that answers, because delivery needs the platform. */
async function main(): Promise<void> {
  const { db: dbConfig, jobsEnv, config, env, tracingConfig } = readTogether({ db: readDbConfig, jobsEnv: readJobsEnv, config: readServerConfig, env: readBotEnv, tracingConfig: readTracingConfig })
  if (!env.NURA_SERVER_URL) throw new NuraError('bad-environment', 'NURA_SERVER_URL is missing: set it to the address of the server process, such as http://server:3000.')
  const log = createLog({ level: config.logLevel, process: 'bot' })
  const tracing = await openTracing(tracingConfig, { process: 'bot', log })
  const db = await openDb(dbConfig)
  void warnOfAmbientRights(db, log)
  const rig = { config: toJobsConfig(jobsEnv, dbConfig), queueConnection: () => db.queueConnection(), signer: createJobSigner(config.serviceSecret ?? db.deriveKey('jobs')), log }
  const queues = openQueues(jobs, rig)
  const metrics = createMetrics({ queueDepth: () => queues.depth(), turnsWithoutOutcome: () => countWithoutOutcome(db) }, { process: true })
  const stopping = new AbortController()
  let bot: Bot | null = null
  const readiness = { process: async () => stopping.signal.throwIfAborted(), database: () => db.ready(), queue: () => queues.ready(), platforms: async () => (bot ? bot.ready() : refuseYet()) }
  const isOperators = (path: string) => operatorRoutes.some((route) => route.path === path)
  const platforms: Middleware = (ctx, next) => (bot ? bot.middleware(ctx, next) : isOperators(ctx.path) ? next() : refuseYet())
  const listening = await listen(createOperatorServer({ config, db, log, metrics, readiness, mounts: [platforms] }).callback(), config)
  const signalled = new Promise((resolve) => ['SIGINT', 'SIGTERM'].forEach((signal) => process.once(signal, resolve)))
  const ending = signalled.then(() => stopping.abort(new NuraError('stopping', 'This process is stopping.', { retryable: true })))

  const tenant = await findTenant(db, config.tenant, log, stopping.signal)
  let workers: Workers | null = null
  if (tenant) {
    bot = await startBot({
      db,
      env,
      server: { url: env.NURA_SERVER_URL, secret: config.serviceSecret },
      tenantId: tenant.id,
      provisionTenant: (workspace) => provisionTenant(db, workspace),
      queue: (inboxId, tenantId) => queues.enqueue('answer-turn', { inboxId, tenantId }, { dedupe: inboxId }),
      metrics,
      log,
    })
    workers = await startWorkers(botJobs, { runTurn: bot.runTurn }, { ...rig, metrics, traceparentOf: (id) => readTraceparent(db, id) })
    log.info({ url: listening.url, surfaces: bot.surfaces }, 'listening')
  }

  await ending
  await workers?.close()
  await listening.close(2_000)
  await bot?.close()
  await tracing.close()
  await queues.close()
  await db.close()
  log.info('stopped')
}

/** The tenant of single-workspace credentials, once the database is there and migrated; null when the process is to stop before. */
async function findTenant(db: Db, slug: string, log: Logger, signal: AbortSignal): Promise<Tenant | null> {
  for (let tries = 0; !signal.aborted; tries++) {
    try {
      await db.ready()
      return await ensureTenant(db, { slug, name: slug })
    } catch (error) {
      if (!(error instanceof NuraError) || !(error.retryable || error.code === 'not-migrated')) throw error
      if (tries === 0) log.warn({ err: error }, 'the database is not ready; waiting for it')
      await sleep(1_000, undefined, { signal }).catch(() => undefined)
    }
  }
  return null
}

function refuseYet(): never {
  throw new NuraError('starting', 'This process is starting: its database is not ready yet.', { retryable: true })
}

await main().catch((error: unknown) => {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(toExitCode(error))
})
// A connection that the other side keeps open must not keep what has stopped.
setTimeout(() => process.exit(), 1_000).unref()
