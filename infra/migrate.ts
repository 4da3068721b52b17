import { readDbConfig } from '#db/config.ts'
import { openDb } from '#db/index.ts'
import { migrate } from '#db/migrate.ts'
import { hasAmbientRights } from '#db/shared/ambient-rights.ts'
import { readJobsEnv } from '#jobs/config.ts'
import { migrateQueue } from '#jobs/queue-store.ts'
import { readTogether } from '#db/read-env.ts'
import { failWith } from './fail-with.ts'

/** `npm run migrate`: the control plane, then each tenant, then the queue where it lives in the database. */
async function main(): Promise<void> {
  const { db: config, jobs } = readTogether({ db: readDbConfig, jobs: readJobsEnv })
  const db = await openDb(config)
  try {
    const applied = await migrate(db)
    if (!jobs.REDIS_URL) await migrateQueue(db.queueConnection())
    console.log(applied.length > 0 ? applied.map((name) => `applied ${name}`).join('\n') : 'Nothing to migrate.')
    if (config.url !== null && (await hasAmbientRights(db))) console.log('Warning: this login is a superuser, or has the rights of tenants: for it the walls between tenants do not exist. Use an ordinary login; see docs/configuration.md.')
    if (config.url === null) console.log('This was the embedded store, because DATABASE_URL is not set; it also migrates by itself at every start.')
  } finally {
    await db.close()
  }
}

await main().catch((error: unknown) => {
  process.exitCode = failWith(error, process.stderr)
})
