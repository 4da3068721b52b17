import { randomUUID } from 'node:crypto'
import pg from 'pg'
import type { DbConfig } from '../config.ts'
import { openDb, type Db, type TenantDb } from '../index.ts'
import { migrate } from '../migrate.ts'
import { createTenant } from '../shared/tenants.ts'
import { readTestServer } from './config.ts'
import { openFromTemplate } from './store-template.ts'

/**
 * A fresh, migrated database: PGlite in memory, or with `NURA_TEST_STORES=servers` one of its own on the server at
 * `NURA_TEST_DATABASE_URL`, dropped on close. Share one a file: PGlite takes a second to open. Whoever asks waits a
 * minute for a connection: a busy machine is no fault.
 */
export async function openTestDb(overrides: Partial<DbConfig> = {}): Promise<Db & { config: DbConfig }> {
  const shared = { encryptionKey: Buffer.alloc(32, 7), poolSize: 4, poolWaitMs: 60_000, ...overrides }
  const server = readTestServer()
  if (server === null) {
    const config: DbConfig = { url: null, dataDir: 'memory://', ...shared }
    return Object.assign(await openFromTemplate(config), { config })
  }
  const name = `nura_test_${randomUUID().replaceAll('-', '')}`
  await administer(server, `create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  const config: DbConfig = { url: url.href, dataDir: 'memory://', ...shared }
  const db = await openDb(config)
  await migrate(db)
  // Kept aside: the close that replaces it on the same object calls it.
  const closeDb = db.close
  const close = async () => {
    const schemas = await db.control((tx) => tx.query<{ schema: string }>('select schema_name as schema from tenant')).catch(() => [])
    await closeDb()
    await administer(server, `drop database ${name} with (force)`, ...schemas.map(({ schema }) => `drop role if exists "${schema}"`))
  }
  return Object.assign(db, { config, close })
}

/** A tenant of its own with a readable short name. */
export async function createTestTenant(db: Db, slug = `tenant-${randomUUID().slice(0, 8)}`): Promise<TenantDb> {
  const { id } = await createTenant(db, { slug, name: slug })
  return db.tenant(id)
}

async function administer(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}
