import { readDbConfig } from '#db/config.ts'
import { openDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { readTogether } from '#db/read-env.ts'
import { countWithoutOutcome } from '#db/shared/inbox.ts'
import { readJobsEnv, toJobsConfig } from '#jobs/config.ts'
import { openQueues } from '#jobs/enqueue.ts'
import { jobs } from '#jobs/index.ts'
import { createJobSigner } from '#jobs/job-signer.ts'
import { createServer } from './app.ts'
import { readCacheEnv, toCacheConfig } from './cache/config.ts'
import { openCache } from './cache/open-cache.ts'
import { readServerConfig } from './config.ts'
import { createCore } from './create-core.ts'
import { createServerParts } from './create-server-parts.ts'
import { toExitCode } from './errors.ts'
import { readGithubConfig } from './github/config.ts'
import { listen } from './listen.ts'
import { createLog } from './log.ts'
import { createMetrics } from './metrics.ts'
import { readTracingConfig } from './tracing/config.ts'
import { openTracing } from './tracing/open-tracing.ts'
import { warnOfAmbientRights } from './warn-of-ambient-rights.ts'

/** Requests in flight may end within this time, milliseconds. */
const graceMs = 20_000

/** The API of a deployment. It prepares no database: `npm run migrate` does. */
async function main(): Promise<void> {
  const { db: dbConfig, jobsEnv, cacheEnv, config, githubConfig, tracingConfig } = readTogether({
    db: readDbConfig, jobsEnv: readJobsEnv, cacheEnv: readCacheEnv, config: readServerConfig, githubConfig: readGithubConfig, tracingConfig: readTracingConfig,
  })
  const log = createLog({ level: config.logLevel, process: 'server' })
  const tracing = await openTracing(tracingConfig, { process: 'server', log })
  const db = await openDb(dbConfig)
  void warnOfAmbientRights(db, log)
  const jobsConfig = toJobsConfig(jobsEnv, dbConfig)
  const signer = createJobSigner(config.serviceSecret ?? db.deriveKey('jobs'))
  const queues = openQueues(jobs, { config: jobsConfig, queueConnection: () => db.queueConnection(), signer, log })
  const metrics = createMetrics({ queueDepth: () => queues.depth(), turnsWithoutOutcome: () => countWithoutOutcome(db) }, { process: true })
  const stopping = new AbortController()
  const readiness = { process: async () => stopping.signal.throwIfAborted(), database: () => db.ready(), queue: () => queues.ready() }
  const cache = openCache(toCacheConfig(cacheEnv, jobsConfig), { log, metrics })
  const core = createCore({ config, githubConfig, db, log, metrics, cache })
  const app = createServer(createServerParts({ core, cache, config, db, enqueue: queues.enqueue, log, metrics, readiness }))
  const listening = await listen(app.callback(), config)
  log.info({ url: listening.url }, 'listening')

  await new Promise((resolve) => ['SIGINT', 'SIGTERM'].forEach((signal) => process.once(signal, resolve)))
  stopping.abort(new NuraError('stopping', 'This process is stopping.', { retryable: true }))
  await listening.close(graceMs)
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
