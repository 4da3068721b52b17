import { controlMigrations, type Migration } from './shared/migrations.ts'
import type { Db } from './index.ts'
import { NuraError } from './nura-error.ts'
import { become, controlRole, createRole, handOver, ownerRole } from './roles.ts'
import { storeOf, type Store } from './store.ts'
import { tenantMigrations } from './tenant/migrations.ts'
import { runTransaction, type Transaction } from './transaction.ts'

/** Every process that migrates or provisions waits for this lock, one schema at a time. */
const migrationLock = 6_872_100
/** An index of a large tenant that is built anew takes a quarter of an hour. */
const migrationTimeoutMs = 60 * 60_000

/**
 * Brings the control plane, then every tenant's schema, to the newest version. Idempotent; several processes may run it
 * at once: each schema is brought up by one of them while the others wait, then see that nothing is left.
 *
 * @returns the migrations that this call applied, as `schema/name`.
 */
export async function migrate(db: Db): Promise<string[]> {
  const store = storeOf(db)
  const applied = await migrateControlPlane(store)
  const schemas = await runTransaction(store, { role: controlRole, schema: 'nura' }, (tx) =>
    tx.query<{ schema_name: string }>(
      `select schema_name from tenant join pg_namespace on nspname = schema_name
       where closing_at is null and ((select count(*) from migration where scope = schema_name) < $1 or nspowner <> to_regrole($2)) order by created_at, id`,
      [tenantMigrations.length, ownerRole],
    ),
  )
  for (const { schema_name } of schemas) {
    const names = await asMigrator(store, schema_name, async (tx) => {
      await become(tx, ownerRole)
      if (!(await isOpen(tx, schema_name))) return []
      await tx.query('reset role')
      await createRole(tx, schema_name)
      await handOver(tx, schema_name)
      await become(tx, ownerRole)
      return applyTenantMigrations(tx, schema_name)
    })
    applied.push(...names)
  }
  return applied
}

/** A tenant may be deleted meanwhile. */
async function isOpen(tx: Transaction, schema: string): Promise<boolean> {
  return (await tx.query('select 1 from nura.tenant where schema_name = $1 and closing_at is null', [schema])).length > 0
}

/** @throws NuraError `not-migrated` when this code is newer than the database. */
export async function assertMigrated(store: Store): Promise<void> {
  const missing = await runTransaction(store, { role: null, schema: 'nura' }, async (tx) => {
    const [ledger] = await tx.query(`select 1 from pg_class where relnamespace = to_regnamespace('nura') and relname = 'migration' and to_regrole($1) is not null`, [controlRole])
    if (!ledger) return true
    await become(tx, controlRole)
    const names = await tx.query<{ name: string }>(`select name from migration where scope = 'nura'`)
    return controlMigrations.some(({ name }) => !names.some((row) => row.name === name))
  })
  if (missing) throw new NuraError('not-migrated', 'The database is not prepared for this version of Nura. Run: npm run migrate')
}

async function migrateControlPlane(store: Store): Promise<string[]> {
  await asMigrator(store, 'nura', async (tx) => {
    await createVectorExtension(tx)
    await closePublicSchema(tx)
    await createRole(tx, ownerRole)
    await createRole(tx, controlRole)
    await tx.query(`create schema if not exists nura authorization ${ownerRole}`)
    await handOver(tx, 'nura')
    await become(tx, ownerRole)
    await tx.query('create table if not exists nura.migration (scope text, name text, applied_at timestamptz not null default now(), primary key (scope, name))')
    await tx.query(`grant usage on schema nura to ${controlRole}`)
  })
  store.extensionSchema = await findExtensionSchema(store)
  return asMigrator(store, 'nura', async (tx) => {
    await become(tx, ownerRole)
    const names = await applyMigrations(tx, 'nura', controlMigrations)
    if (names.length > 0) {
      await tx.query(`grant select, insert, update, delete on all tables in schema nura to ${controlRole}`)
      await tx.query(`grant usage on all sequences in schema nura to ${controlRole}`)
    }
    return names
  })
}

/** Applies, as the owner, what the tenant's schema lacks and lets its role use the new tables. The schema and role must exist. */
export async function applyTenantMigrations(tx: Transaction, schema: string): Promise<string[]> {
  return applyMigrations(tx, schema, tenantMigrations, () => grantNewTables(tx, schema))
}

/** For each table as it is made: to grant on all tables of a schema, PostgreSQL reads through the tables of all tenants. */
async function grantNewTables(tx: Transaction, schema: string): Promise<void> {
  await tx.query(`alter default privileges in schema "${schema}" grant select, insert, update, delete on tables to "${schema}"`)
  await tx.query(`alter default privileges in schema "${schema}" grant usage on sequences to "${schema}"`)
}

async function applyMigrations(tx: Transaction, scope: string, migrations: Migration[], prepare = async (): Promise<void> => undefined): Promise<string[]> {
  const done = new Set((await tx.query<{ name: string }>('select name from nura.migration where scope = $1', [scope])).map((row) => row.name))
  const pending = migrations.filter(({ name }) => !done.has(name))
  if (pending.length > 0) await prepare()
  for (const { name, sql } of pending) {
    await tx.query(sql)
    await tx.query('insert into nura.migration (scope, name) values ($1, $2)', [scope, name])
  }
  return pending.map(({ name }) => `${scope}/${name}`)
}

/** A transaction of the login, which may make roles and schemas, that holds the migration lock until it ends. */
export function asMigrator<T>(store: Store, schema: string, run: (tx: Transaction) => Promise<T>): Promise<T> {
  const locked = async (tx: Transaction) => {
    await tx.query('select pg_advisory_xact_lock($1)', [migrationLock])
    return run(tx)
  }
  return runTransaction(store, { role: null, schema }, locked, { statementTimeoutMs: migrationTimeoutMs })
}

/** Before PostgreSQL 15 everybody may make tables in `public`. */
async function closePublicSchema(tx: Transaction): Promise<void> {
  const [open] = await tx.query(`select 1 from pg_namespace, aclexplode(nspacl) as given where nspname = 'public' and given.grantee = 0 and given.privilege_type = 'CREATE'`)
  if (open) await tx.query('revoke create on schema public from public')
}

async function createVectorExtension(tx: Transaction): Promise<void> {
  const [present] = await tx.query(`select 1 from pg_extension where extname = 'vector'`)
  if (!present) {
    await tx.query('create schema if not exists extensions')
    try {
      await tx.query('create extension vector with schema extensions')
    } catch (cause) {
      throw new NuraError('vector-missing', 'The database has no pgvector. Install pgvector 0.7 or newer (0.8.4 or newer in production) and let an administrator run: create extension vector', { cause })
    }
  }
  const [{ schema }] = (await tx.query<{ schema: string }>(extensionSchemaQuery)) as [{ schema: string }]
  await tx.query(`do $$ begin grant usage on schema "${schema}" to public; exception when insufficient_privilege then null; end $$`)
}

const extensionSchemaQuery = `select nspname as schema from pg_extension join pg_namespace on pg_namespace.oid = extnamespace where extname = 'vector'`

/** Where `vector` lives; `extensions` while it is not there at all. */
export async function findExtensionSchema(store: Store): Promise<string> {
  const rows = await runTransaction(store, { role: null, schema: 'nura' }, (tx) => tx.query<{ schema: string }>(extensionSchemaQuery))
  return rows[0]?.schema ?? 'extensions'
}
