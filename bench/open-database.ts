import { Client } from 'pg'
import { openDb } from '#db/index.ts'
import type { Db, TenantDb } from '#db/index.ts'
import { migrate } from '#db/migrate.ts'
import { createTenant } from '#db/shared/tenants.ts'
import { openServers } from '#infra/testing/open-servers.ts'
import { findServerPrograms } from '#infra/testing/server-programs.ts'

export type BenchDatabase = { db: Db; tenant: TenantDb; url: string; redisUrl: string; freshTenant(): Promise<TenantDb> }

/** A private PostgreSQL (and Redis), a migrated database and one tenant, for as long as `run` takes. */
export async function withDatabase<T>(run: (database: BenchDatabase) => Promise<T>): Promise<T> {
  const programs = await findServerPrograms()
  if ('missing' in programs) throw new Error(`This needs ${programs.missing.join(' and ')} on this machine; see infra/ci/install-stores.sh.`)
  const servers = await openServers(programs.found)
  try {
    const admin = new Client({ connectionString: servers.databaseUrl })
    await admin.connect()
    await admin.query('create database bench')
    await admin.end()
    const url = servers.databaseUrl.replace(/\/[^/]*$/, '/bench')
    const db = await openDb({ url, dataDir: 'memory://', encryptionKey: Buffer.alloc(32, 1), poolSize: 10 })
    try {
      await migrate(db)
      let made = 0
      const freshTenant = async () => db.tenant((await createTenant(db, { slug: `bench-${++made}`, name: 'Bench' })).id)
      return await run({ db, tenant: await freshTenant(), url, redisUrl: servers.redisUrl, freshTenant })
    } finally {
      await db.close()
    }
  } finally {
    await servers.close()
  }
}
