import { readDbConfig } from '#db/config.ts'
import { openDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { readTogether } from '#db/read-env.ts'
import { countWithoutOutcome } from '#db/shared/inbox.ts'
import { createOperatorServer } from '#server/app.ts'
import { readServerConfig } from '#server/config.ts'
import { openSource } from '#server/create-server-parts.ts'
import { toExitCode } from '#server/errors.ts'
import { indexSource } from '#server/indexing/index-changes.ts'
import { listen } from '#server/listen.ts'
import { createLog } from '#server/log.ts'
import { createMetrics } from '#server/metrics.ts'
import { lexicalEmbedder } from '#server/models/lexical.ts'
import { measureEmbedder } from '#server/models/measure-embedder.ts'
import { readJobsEnv, toJobsConfig } from './config.ts'
import { openQueues } from './enqueue.ts'
import { backgroundJobs, jobs } from './index.ts'
import type { SyncParts } from './sync-repository.ts'
import { startWorkers } from './worker.ts'

/** Every job but `answer-turn`, which runs where the platforms are. */
async function main(): Promise<void> {
  const { db: dbConfig, jobsEnv, config } = readTogether({ db: readDbConfig, jobsEnv: readJobsEnv, config: readServerConfig })
  const log = createLog({ level: config.logLevel, process: 'jobs' })
  const db = await openDb(dbConfig)
  const rig = { config: toJobsConfig(jobsEnv, dbConfig), queueConnection: () => db.queueConnection(), log }
  const queues = openQueues(jobs, rig)
  const metrics = createMetrics({ queueDepth: () => queues.depth(), turnsWithoutOutcome: () => countWithoutOutcome(db) }, { process: true })
  const stopping = new AbortController()
  const readiness = { process: async () => stopping.signal.throwIfAborted(), database: () => db.ready(), queue: () => queues.ready() }
  const listening = await listen(createOperatorServer({ config, db, log, metrics, readiness }).callback(), config)
  const embedder = measureEmbedder(lexicalEmbedder, metrics)
  const parts = {
    db,
    log,
    metrics,
    openSource,
    enqueue: queues.enqueue,
    indexSource: ((tenant, repository, source, signal) => indexSource({ embedder, log }, tenant, repository, source, { signal })) satisfies SyncParts['indexSource'],
  }
  const workers = await startWorkers(backgroundJobs, parts, { ...rig, metrics })
  log.info({ url: listening.url }, 'working')

  await new Promise((resolve) => ['SIGINT', 'SIGTERM'].forEach((signal) => process.once(signal, resolve)))
  stopping.abort(new NuraError('stopping', 'This process is stopping.', { retryable: true }))
  await workers.close()
  await listening.close(1_000)
  await queues.close()
  await db.close()
  log.info('stopped')
}

await main().catch((error: unknown) => {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(toExitCode(error))
})
