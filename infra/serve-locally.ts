import { readBotEnv } from '#bot/config.ts'
import { startBot } from '#bot/start-bot.ts'
import { readDbConfig } from '#db/config.ts'
import { openDb } from '#db/index.ts'
import { migrate } from '#db/migrate.ts'
import { NuraError } from '#db/nura-error.ts'
import { readTogether } from '#db/read-env.ts'
import { countWithoutOutcome, readTraceparent } from '#db/shared/inbox.ts'
import { ensureTenant } from '#db/shared/tenants.ts'
import { provisionTenant } from '#db/shared/workspaces.ts'
import { readJobsEnv, toJobsConfig } from '#jobs/config.ts'
import { openQueues } from '#jobs/enqueue.ts'
import { jobs } from '#jobs/index.ts'
import { createJobSigner } from '#jobs/job-signer.ts'
import { startWorkers } from '#jobs/worker.ts'
import { suggestions } from '#server/agents/suggest.ts'
import { createServer } from '#server/app.ts'
import { readCacheEnv, toCacheConfig } from '#server/cache/config.ts'
import { openCache } from '#server/cache/open-cache.ts'
import { readServerConfig } from '#server/config.ts'
import { createCore } from '#server/create-core.ts'
import { createServerParts } from '#server/create-server-parts.ts'
import { readGithubConfig } from '#server/github/config.ts'
import { createGithubWork } from '#server/github/create-github-work.ts'
import { listen } from '#server/listen.ts'
import { createLog } from '#server/log.ts'
import { createMetrics } from '#server/metrics.ts'
import { readTracingConfig } from '#server/tracing/config.ts'
import { openTracing } from '#server/tracing/open-tracing.ts'
import { failWith } from './fail-with.ts'
import { indexCheckout } from './index-checkout.ts'
import type { IndexedCheckout } from './index-checkout.ts'
import { toWelcome } from './welcome.ts'

const stopping = new AbortController()
const stopReason = new NuraError('stopping', 'Nura is stopping.', { retryable: true })

/** `npm start`: server, bot and jobs in one process, on embedded stores unless the environment names others. */
async function main(): Promise<void> {
  const { dbConfig, jobsEnv, cacheEnv, config, githubConfig, env, tracingConfig } = readTogether({
    dbConfig: readDbConfig, jobsEnv: readJobsEnv, cacheEnv: readCacheEnv, config: readServerConfig, githubConfig: readGithubConfig, env: readBotEnv, tracingConfig: readTracingConfig,
  })
  const isPerson = process.stdout.isTTY === true
  // A person reads the welcome, not the log; a machine reads the log.
  const log = createLog({ level: isPerson && config.logLevel === 'info' ? 'warn' : config.logLevel, process: 'local' })
  const tracing = await openTracing(tracingConfig, { process: 'local', log })
  const say = (text: string) => void process.stdout.write(`${text}\n`)

  if (dbConfig.url === null) say(`Opening the stores in ${dbConfig.dataDir} …`)
  const db = await openDb(dbConfig)
  try {
    await migrate(db)
    const tenant = await db.tenant((await ensureTenant(db, { slug: config.tenant, name: config.tenant })).id)
    // Asked only once something listens, and by then there are queues.
    const metrics = createMetrics({ queueDepth: () => queues.depth(), turnsWithoutOutcome: () => countWithoutOutcome(db) }, { process: true })
    const cache = openCache(toCacheConfig(cacheEnv, toJobsConfig(jobsEnv, dbConfig)), { log, metrics })
    const core = createCore({ config, githubConfig, db, log, metrics, cache })
    const indexed = await indexCheckout(core, db, tenant, config.repository ?? process.cwd(), { out: process.stdout, signal: stopping.signal })
    say(toSummary(indexed))

    const rig = { config: toJobsConfig(jobsEnv, dbConfig), queueConnection: () => db.queueConnection(), signer: createJobSigner(config.serviceSecret ?? db.deriveKey('jobs')), log }
    const queues = openQueues(jobs, rig)
    // The bot asks the server where it will listen; which port that is when PORT is 0 is known only then.
    const server = { url: env.NURA_SERVER_URL ?? '', secret: config.serviceSecret }
    const queue = (inboxId: string, tenantId: string) => queues.enqueue('answer-turn', { inboxId, tenantId }, { dedupe: inboxId })
    const bot = await startBot({ db, env, server, tenantId: tenant.id, provisionTenant: (workspace) => provisionTenant(db, workspace), queue, metrics, log })
    const readiness = { process: async () => stopping.signal.throwIfAborted(), database: () => db.ready(), queue: () => queues.ready(), platforms: () => bot.ready() }
    const { enqueue } = queues
    const serverParts = createServerParts({ core, cache, config, db, enqueue, log, metrics, readiness, mounts: [bot.middleware] })
    const listening = await listen(createServer(serverParts).callback(), config)
    server.url ||= listening.url
    await db.announce(listening.url)
    const parts = { db, log, metrics, enqueue, runTurn: bot.runTurn, dropCached: (tenantId: string) => cache.cache.dropTenant(tenantId), ...core, ...createGithubWork({ config, db, enqueue, log, metrics, core }) }
    const workers = await startWorkers(jobs, parts, { ...rig, metrics, traceparentOf: (id) => readTraceparent(db, id) })
    say(toWelcome({ url: listening.url, surfaces: bot.surfaces, questions: await suggestions(tenant, [indexed.repository.id]), hasToken: config.serviceSecret !== null }))

    await aborted(stopping.signal)
    say('Stopping …')
    await workers.close()
    await listening.close(2_000)
    await bot.close()
    await core.close()
    await queues.close()
    await cache.cache.close()
  } finally {
    await tracing.close()
    await db.close()
  }
}

function toSummary({ repository, report, waiting }: IndexedCheckout): string {
  if (report === null) return `${repository.name} is not up to date: ${waiting?.message ?? ''} Indexing goes on by itself when it does.`
  const at = `${repository.name}@${report.sha.slice(0, 7)}`
  const skipped = Object.values(report.skipped).reduce((sum, count) => sum + count, 0)
  if (report.files + report.moved + report.removed === 0) return `${at} is indexed already${report.kept > 0 ? `: ${report.kept} files` : ''}, nothing embedded.`
  const parts = [
    `${report.files} files read`,
    report.kept > 0 && `${report.kept} kept`,
    report.moved > 0 && `${report.moved} moved`,
    report.removed > 0 && `${report.removed} removed`,
    `${report.chunks} chunks (${report.embedded} embedded, ${report.reused} reused)`,
    skipped > 0 && `${skipped} files skipped`,
  ]
  return `${at} indexed in ${(report.ms / 1000).toFixed(1)} s: ${parts.filter(Boolean).join(', ')}.`
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve(), { once: true })))
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort(stopReason))
await main().catch((error: unknown) => {
  if (error !== stopReason) process.exitCode = failWith(error, process.stderr)
})
// A connection that the other side keeps open must not keep what has stopped.
setTimeout(() => process.exit(), 1_000).unref()
