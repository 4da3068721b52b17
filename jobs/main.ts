import { readDbConfig } from '#db/config.ts'
import { openDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { readTogether } from '#db/read-env.ts'
import { countWithoutOutcome, readTraceparent } from '#db/shared/inbox.ts'
import { createOperatorServer } from '#server/app.ts'
import { readCacheEnv, toCacheConfig } from '#server/cache/config.ts'
import { openCache } from '#server/cache/open-cache.ts'
import { readServerConfig } from '#server/config.ts'
import { createCore } from '#server/create-core.ts'
import { toExitCode } from '#server/errors.ts'
import { readGithubConfig } from '#server/github/config.ts'
import { createGithubWork } from '#server/github/create-github-work.ts'
import { listen } from '#server/listen.ts'
import { createLog } from '#server/log.ts'
import { createMetrics } from '#server/metrics.ts'
import { readTracingConfig } from '#server/tracing/config.ts'
import { openTracing } from '#server/tracing/open-tracing.ts'
import { warnOfAmbientRights } from '#server/warn-of-ambient-rights.ts'
import { readJobsEnv, toJobsConfig } from './config.ts'
import { openQueues } from './enqueue.ts'
import { backgroundJobs, jobs } from './index.ts'
import { createJobSigner } from './job-signer.ts'
import { startWorkers } from './worker.ts'

/** Every job but `answer-turn`, which runs where the platforms are. */
async function main(): Promise<void> {
  const { db: dbConfig, jobsEnv, cacheEnv, config, githubConfig, tracingConfig } = readTogether({
    db: readDbConfig, jobsEnv: readJobsEnv, cacheEnv: readCacheEnv, config: readServerConfig, githubConfig: readGithubConfig, tracingConfig: readTracingConfig,
  })
  const log = createLog({ level: config.logLevel, process: 'jobs' })
  const tracing = await openTracing(tracingConfig, { process: 'jobs', log })
  const db = await openDb(dbConfig)
  void warnOfAmbientRights(db, log)
  const rig = { config: toJobsConfig(jobsEnv, dbConfig), queueConnection: () => db.queueConnection(), signer: createJobSigner(config.serviceSecret ?? db.deriveKey('jobs')), log }
  const queues = openQueues(jobs, rig)
  const metrics = createMetrics({ queueDepth: () => queues.depth(), turnsWithoutOutcome: () => countWithoutOutcome(db) }, { process: true })
  const stopping = new AbortController()
  const readiness = { process: async () => stopping.signal.throwIfAborted(), database: () => db.ready(), queue: () => queues.ready() }
  const listening = await listen(createOperatorServer({ config, db, log, metrics, readiness }).callback(), config)
  const { enqueue } = queues
  const cache = openCache(toCacheConfig(cacheEnv, rig.config), { log, metrics })
  const core = createCore({ config, githubConfig, db, log, metrics, cache })
  const parts = { db, log, metrics, enqueue, dropCached: (tenantId: string) => cache.cache.dropTenant(tenantId), ...core, ...createGithubWork({ config, db, enqueue, log, metrics, core }) }
  const workers = await startWorkers(backgroundJobs, parts, { ...rig, metrics, traceparentOf: (id) => readTraceparent(db, id) })
  log.info({ url: listening.url }, 'working')

  await new Promise((resolve) => ['SIGINT', 'SIGTERM'].forEach((signal) => process.once(signal, resolve)))
  stopping.abort(new NuraError('stopping', 'This process is stopping.', { retryable: true }))
  await workers.close()
  await listening.close(1_000)
  await Promise.all([core.close(), tracing.close()])
  await queues.close()
  await cache.cache.close()
  await db.close()
  log.info('stopped')
}

await main().catch((error: unknown) => {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(toExitCode(error))
})
// A connection that the other side keeps open must not keep what has stopped.
setTimeout(() => process.exit(), 1_000).unref()
