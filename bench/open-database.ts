import { Client } from 'pg'
import { openDb } from '#db/index.ts'
import type { Db, TenantDb } from '#db/index.ts'
import { migrate } from '#db/migrate.ts'
import { createTenant } from '#db/shared/tenants.ts'
import { openServers } from '#infra/testing/open-servers.ts'
import { findServerPrograms } from '#infra/testing/server-programs.ts'

type Opened = { db: Db; url: string; freshTenant(): Promise<TenantDb> }
export type BenchDatabase = Opened & {
  tenant: TenantDb
  redisUrl: string
  /** Another database on the same server, for as long as the first. */
  freshDatabase(): Promise<Opened>
}

/**
 * A private PostgreSQL (and Redis), a migrated database and one tenant, for as long as `run` takes.
 * @param postgresSettings where it takes a larger server than tests do
 */
export async function withDatabase<T>(run: (database: BenchDatabase) => Promise<T>, postgresSettings: Record<string, string> = {}): Promise<T> {
  const programs = await findServerPrograms()
  if ('missing' in programs) throw new Error(`This needs ${programs.missing.join(' and ')} on this machine; see infra/ci/install-stores.sh.`)
  const servers = await openServers(programs.found, { postgresSettings })
  const opened: Db[] = []
  const freshDatabase = async () => {
    const database = await openDatabase(servers.databaseUrl, opened.length === 0 ? 'bench' : `bench_${opened.length}`)
    opened.push(database.db)
    await migrate(database.db)
    return database
  }
  try {
    const first = await freshDatabase()
    return await run({ ...first, tenant: await first.freshTenant(), redisUrl: servers.redisUrl, freshDatabase })
  } finally {
    for (const db of opened) await db.close()
    await servers.close()
  }
}

async function openDatabase(serverUrl: string, name: string): Promise<Opened> {
  const admin = new Client({ connectionString: serverUrl })
  await admin.connect()
  await admin.query(`create database ${name}`)
  await admin.end()
  const url = serverUrl.replace(/\/[^/]*$/, `/${name}`)
  const db = await openDb({ url, dataDir: 'memory://', encryptionKey: Buffer.alloc(32, 1), poolSize: 10 })
  let made = 0
  return { db, url, freshTenant: async () => db.tenant((await createTenant(db, { slug: `bench-${++made}`, name: 'Bench' })).id) }
}
