import { hkdfSync } from 'node:crypto'
import { z } from 'zod'
import { controlAtOnce } from './at-once.ts'
import type { DbConfig } from './config.ts'
import { openEmbedded } from './embedded/open-embedded.ts'
import { createOrm } from './entity-manager.ts'
import { entities } from './entities.ts'
import { createKeyring } from './keys/keyring.ts'
import { assertMigrated, findExtensionSchema, migrate } from './migrate.ts'
import { NuraError } from './nura-error.ts'
import type { Pool } from './pool.ts'
import { controlRole } from './roles.ts'
import { createServerPool } from './server-pool.ts'
import { releaseClaims } from './shared/inbox.ts'
import { rememberStore, type Store } from './store.ts'
import { createTenantDb, type TenantDb } from './tenant-db.ts'
import { runTransaction, type Transaction } from './transaction.ts'

export type { TenantDb } from './tenant-db.ts'
export type { Transaction } from './transaction.ts'

/** The data layer's only door. */
export type Db = {
  readonly kind: 'embedded' | 'postgres'
  /** The only way to a tenant's data. @throws NuraError `unknown-tenant` */
  tenant(id: string): Promise<TenantDb>
  /** The same by its id or its short name, as people and tokens name it. */
  tenantNamed(name: string): Promise<TenantDb>
  /** One transaction on the control plane, without rights on any tenant's schema. */
  control<T>(run: (tx: Transaction) => Promise<T>): Promise<T>
  /** Resolves when the database answers and is migrated. @throws NuraError `store-unavailable`, `not-migrated` */
  ready(): Promise<void>
  /**
   * A node-postgres pool for BullMQ's `createPostgresBackend`; unqualified names mean the schema `bullmq`, which
   * BullMQ's `runMigrations` must have made. Open for as long as the `Db` is.
   */
  queueConnection(): QueueConnection
  /**
   * 32 bytes for one purpose, the same in every process that opens this database with the same configuration: derived from the
   * key that encrypts tokens, or where there is none from the address of the server, which has its password.
   */
  deriveKey(purpose: string): Buffer
  /** Writes down where this process serves, so that another one that finds the data folder held can ask it. */
  announce(url: string): Promise<void>
  close(): Promise<void>
}

export type QueueConnection = Pool & {
  query: Awaited<ReturnType<Pool['connect']>>['query']
  on(event: 'error', listener: (error: Error) => void): unknown
}

/**
 * Opens PostgreSQL, or without a URL the embedded store in the data folder.
 *
 * The embedded store is created and migrated here. A server is not touched before its first use, so that a process can
 * start while it is down; `migrate(db)` prepares it.
 * @throws NuraError `data-dir-in-use`, `data-dir-damaged`
 */
export async function openDb(config: DbConfig): Promise<Db> {
  const opened = config.url === null ? await openEmbedded(config) : openServer(config, config.url)
  const store: Store = { kind: opened.kind, pool: opened.pool, orm: createOrm(entities), extensionSchema: 'extensions', keyring: createKeyring({ ...config, encryptionKey: opened.encryptionKey }) }
  const db = createDb(store, opened, opened.encryptionKey ?? config.url ?? '')
  rememberStore(db, store)
  if (opened.kind === 'embedded') {
    try {
      await migrate(db)
      await releaseClaims(db)
    } catch (error) {
      await opened.close()
      throw error
    }
  }
  return db
}

type Opened = { kind: Store['kind']; pool: Pool; encryptionKey: Buffer | null; queue(): QueueConnection; announce(url: string): Promise<void>; close(): Promise<void> }

function createDb(store: Store, opened: Opened, secret: Buffer | string): Db {
  let placed: Promise<void> | null = null
  const place = () => {
    placed ??= findExtensionSchema(store).then((schema) => void (store.extensionSchema = schema))
    return placed.catch((error) => {
      placed = null
      throw error
    })
  }
  const db: Db = {
    kind: store.kind,
    tenant: (id) => open(isId(id) ? { by: 'id', value: id } : null),
    tenantNamed: (name) => open({ by: isId(name) ? 'id' : 'slug', value: name }),
    control: (run) => runTransaction(store, { role: controlRole, schema: 'nura' }, run),
    ready: () => assertMigrated(store),
    queueConnection: opened.queue,
    deriveKey: (purpose) => Buffer.from(hkdfSync('sha256', secret, '', `nura ${purpose}`, 32)),
    announce: opened.announce,
    close: opened.close,
  }
  async function open(name: { by: 'id' | 'slug'; value: string } | null): Promise<TenantDb> {
    if (store.kind === 'postgres') await place()
    const [row] = name ? await controlAtOnce<{ id: string; slug: string; schema: string }>(db, `select id, slug, schema_name as schema from tenant where ${name.by} = $1 and closing_at is null`, [name.value]) : []
    if (!row) throw new NuraError('unknown-tenant', 'There is no such tenant.')
    return createTenantDb(store, row)
  }
  return db
}

const isId = (name: string) => z.uuid().safeParse(name).success

function openServer(config: DbConfig, url: string): Opened {
  const pool = createServerPool(url, config.poolSize, config.poolWaitMs === undefined ? {} : { connectionTimeoutMillis: config.poolWaitMs })
  let queue: ReturnType<typeof createServerPool> | null = null
  return {
    kind: 'postgres',
    pool,
    encryptionKey: config.encryptionKey,
    queue: () => (queue ??= createServerPool(url, 20, { options: '-c search_path=bullmq', application_name: 'nura-queue', ...({ pipeline: false } as object) })).pg as unknown as QueueConnection,
    announce: async () => {},
    async close() {
      await Promise.all([pool.end(), queue?.end()])
    },
  }
}
