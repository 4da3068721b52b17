import { controlMigrations, type Migration } from './shared/migrations.ts'
import type { Db } from './index.ts'
import { NuraError } from './nura-error.ts'
import { storeOf, type Store } from './store.ts'
import { tenantMigrations } from './tenant/migrations.ts'
import { runTransaction, type Transaction } from './transaction.ts'

/** Role of the control plane: it can do nothing in a tenant's schema. */
export const controlRole = 'nura_control'
/** Every process that migrates or provisions waits for this lock, one schema at a time. */
const migrationLock = 6_872_100
const migrationTimeoutMs = 10 * 60_000

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
      'select schema_name from tenant where closing_at is null and (select count(*) from migration where scope = schema_name) < $1 order by created_at, id',
      [tenantMigrations.length],
    ),
  )
  for (const { schema_name } of schemas) {
    applied.push(...(await asMigrator(store, schema_name, async (tx) => ((await isOpen(tx, schema_name)) ? applyTenantMigrations(tx, schema_name) : []))))
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
    const [found] = await tx.query<{ ledger: string | null }>(`select to_regclass('nura.migration')::text as ledger`)
    if (!found?.ledger) return true
    const names = await tx.query<{ name: string }>(`select name from migration where scope = 'nura'`)
    return controlMigrations.some(({ name }) => !names.some((row) => row.name === name))
  })
  if (missing) throw new NuraError('not-migrated', 'The database is not prepared for this version of Nura. Run: npm run migrate')
}

async function migrateControlPlane(store: Store): Promise<string[]> {
  await asMigrator(store, 'nura', async (tx) => {
    await tx.query('create schema if not exists nura')
    await tx.query('create table if not exists nura.migration (scope text, name text, applied_at timestamptz not null default now(), primary key (scope, name))')
    await createVectorExtension(tx)
    await createRole(tx, controlRole)
    await tx.query(`grant usage on schema nura to ${controlRole}`)
    await tx.query('revoke create on schema public from public')
  })
  store.extensionSchema = await findExtensionSchema(store)
  return asMigrator(store, 'nura', async (tx) => {
    const names = await applyMigrations(tx, 'nura', controlMigrations)
    if (names.length > 0) {
      await tx.query(`grant select, insert, update, delete on all tables in schema nura to ${controlRole}`)
      await tx.query(`grant usage on all sequences in schema nura to ${controlRole}`)
    }
    return names
  })
}

/** Applies what the tenant's schema lacks and lets its role use the new tables. The schema and role must exist. */
export async function applyTenantMigrations(tx: Transaction, schema: string): Promise<string[]> {
  const names = await applyMigrations(tx, schema, tenantMigrations)
  if (names.length > 0) {
    await tx.query(`grant select, insert, update, delete on all tables in schema "${schema}" to "${schema}"`)
    await tx.query(`grant usage on all sequences in schema "${schema}" to "${schema}"`)
  }
  return names
}

async function applyMigrations(tx: Transaction, scope: string, migrations: Migration[]): Promise<string[]> {
  const done = new Set((await tx.query<{ name: string }>('select name from nura.migration where scope = $1', [scope])).map((row) => row.name))
  const pending = migrations.filter(({ name }) => !done.has(name))
  for (const { name, sql } of pending) {
    await tx.query(sql)
    await tx.query('insert into nura.migration (scope, name) values ($1, $2)', [scope, name])
  }
  return pending.map(({ name }) => `${scope}/${name}`)
}

/** A transaction with the owner's rights that holds the migration lock until it ends. */
export function asMigrator<T>(store: Store, schema: string, run: (tx: Transaction) => Promise<T>): Promise<T> {
  const locked = async (tx: Transaction) => {
    await tx.query('select pg_advisory_xact_lock($1)', [migrationLock])
    return run(tx)
  }
  return runTransaction(store, { role: null, schema }, locked, { statementTimeoutMs: migrationTimeoutMs })
}

/** Roles belong to the whole server, so another database of it may hold this one already. */
export async function createRole(tx: Transaction, role: string): Promise<void> {
  await tx.query(`do $$ begin create role "${role}" nologin; exception when duplicate_object or unique_violation then null; end $$`)
  // Since PostgreSQL 16 who creates a role is a member of it that may not become it.
  await tx.query(`do $$ begin if not pg_has_role('${role}', case when current_setting('server_version_num')::int < 160000 then 'member' else 'set' end) then grant "${role}" to current_user; end if; end $$`)
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
