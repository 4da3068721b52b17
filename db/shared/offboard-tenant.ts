import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { Db } from '../index.ts'
import { asMigrator } from '../migrate.ts'
import { toSchemaName } from '../provision.ts'
import { become, controlRole, ownerRole } from '../roles.ts'
import { storeOf, type Store } from '../store.ts'
import { whenFree } from '../tenant/as-owner.ts'
import { runTransaction, type Transaction } from '../transaction.ts'
import { exclusively } from './exclusive.ts'

/** What one table, or a store beside the database, held of a tenant. */
export type Dropped = { store: string; table: string; rows: number }

/** What is kept of a tenant: that it was deleted, when, and how many rows of what. No names. */
export type OffboardingReceipt = { tenantId: string; begunAt: Date; endedAt: Date | null; steps: { step: Step; at: string; dropped: Dropped[] }[] }

type Step = 'closed' | 'dropped' | 'elsewhere'

export type OffboardingOptions = {
  /** Drops what other stores hold of the tenant, such as the cache. */
  dropElsewhere?(tenantId: string): Promise<Dropped[]>
}

/** How often somebody else's run is looked at, milliseconds. */
const busyMs = 200
/** Longest wait for a row; a deadlock is looked for after a second. */
const lockTimeoutMs = 400
/** Tries to lock a schema before those who still work in it are disconnected: four seconds. */
const patientTries = 12

/**
 * Deletes everything kept of a tenant, at once and for good, and returns the receipt; null when there is no such tenant and never was.
 *
 * In steps, each committed with its line of the receipt, so that a run that died goes on where it was: by calling again, and by
 * the job `finish-offboarding`. With the first the tenant is gone for everybody: its name is free, its keys, installations and events
 * are deleted, and no transaction opens under its role. Those that are open end by themselves, or are ended.
 */
export async function offboardTenant(db: Db, tenantId: string, { dropElsewhere }: OffboardingOptions = {}): Promise<OffboardingReceipt | null> {
  if (!z.uuid().safeParse(tenantId).success) return null
  const store = storeOf(db)
  for (;;) {
    const ran = await exclusively(db, `offboarding:${tenantId}`, async () => {
      if (!(await close(store, tenantId))) return
      await drop(store, tenantId)
      await end(store, tenantId, async () => (await dropElsewhere?.(tenantId)) ?? [])
    })
    const receipt = await readReceipt(db, tenantId)
    if (ran || receipt?.endedAt) return receipt
    await sleep(busyMs)
  }
}

/** Tenants whose deletion was begun and has not ended. */
export async function listOpenOffboardings(db: Db): Promise<string[]> {
  return (await db.control((tx) => tx.query<{ id: string }>('select tenant_id as id from offboarding where ended_at is null order by begun_at'))).map(({ id }) => id)
}

async function readReceipt(db: Db, tenantId: string): Promise<OffboardingReceipt | null> {
  const [row] = await db.control((tx) =>
    tx.query<OffboardingReceipt>('select tenant_id as "tenantId", begun_at as "begunAt", ended_at as "endedAt", steps from offboarding where tenant_id = $1', [tenantId]),
  )
  return row ?? null
}

/** @returns whether there is anything to go on with */
async function close(store: Store, tenantId: string): Promise<boolean> {
  const schema = toSchemaName(tenantId)
  return whenFree(() =>
    asMigrator(store, schema, async (tx) => {
      await become(tx, ownerRole)
      const [begun] = await tx.query('select 1 from nura.offboarding where tenant_id = $1', [tenantId])
      if (begun) return true
      // Whoever else is in the way goes first: we are back in a moment, and part of no deadlock.
      await tx.query(`set local lock_timeout to ${lockTimeoutMs}`)
      const [tenant] = await tx.query('update nura.tenant set closing_at = now(), slug = id::text, name = $2 where id = $1 returning id', [tenantId, ''])
      if (!tenant) return false
      await tx.query('insert into nura.offboarding (tenant_id) values ($1)', [tenantId])
      // The keys first: whatever a backup of the rows still holds, nothing opens it.
      const owned = await tx.query<{ name: string }>(
        `select table_name as name from information_schema.columns where table_schema = 'nura' and column_name = 'tenant_id' and table_name <> 'offboarding'
         order by table_name <> 'tenant_key', 1`,
      )
      const dropped: Dropped[] = []
      for (const { name } of owned) dropped.push({ store: 'database', table: `nura.${name}`, rows: await tx.execute(`delete from nura."${name}" where tenant_id = $1`, [tenantId]) })
      // Under its old name nobody takes this role any more; who has it keeps it until their transaction ends.
      await asLogin(tx, async () => {
        if (await isRole(tx, schema)) await tx.query(`alter role "${schema}" rename to "${toGoneRole(schema)}"`)
      })
      await note(tx, tenantId, 'closed', dropped)
      return true
    }),
  )
}

/** Never waits while it holds a lock, so that it is part of no deadlock: all tables at once, or none and again a little later. */
async function drop(store: Store, tenantId: string): Promise<void> {
  const schema = toSchemaName(tenantId)
  let tries = 0
  await whenFree(async () => {
    if (++tries > patientTries) await endThoseIn(store, schema)
    await asMigrator(store, schema, async (tx) => {
      await become(tx, ownerRole)
      if (await isDone(tx, tenantId, 'dropped')) return
      const tables = await tx.query<{ name: string }>('select tablename as name from pg_tables where schemaname = $1 order by 1', [schema])
      if (tables.length > 0) await tx.query(`lock table ${tables.map(({ name }) => `"${schema}"."${name}"`).join(', ')} in access exclusive mode nowait`)
      const dropped: Dropped[] = []
      for (const { name } of tables) {
        const [found] = await tx.query<{ rows: number }>(`select count(*)::int as rows from "${schema}"."${name}"`)
        dropped.push({ store: 'database', table: name, rows: found?.rows ?? 0 })
      }
      await tx.query(`drop schema if exists "${schema}" cascade`)
      // All that the role had rights on went with the schema.
      await asLogin(tx, () => tx.query(`drop role if exists "${toGoneRole(schema)}"`))
      await tx.query('delete from nura.migration where scope = $1', [schema])
      dropped.push({ store: 'database', table: 'nura.tenant', rows: await tx.execute('delete from nura.tenant where id = $1', [tenantId]) })
      await note(tx, tenantId, 'dropped', dropped)
    })
  })
}

/** Last, when nobody can put anything there any more that was read under the tenant's role. */
async function end(store: Store, tenantId: string, dropElsewhere: () => Promise<Dropped[]>): Promise<void> {
  const isOver = await inControlPlane(store, (tx) => isDone(tx, tenantId, 'elsewhere'))
  if (isOver) return
  const dropped = await dropElsewhere()
  await inControlPlane(store, async (tx) => {
    await note(tx, tenantId, 'elsewhere', dropped)
    await tx.query('update nura.offboarding set ended_at = now() where tenant_id = $1', [tenantId])
  })
}

/** Disconnects whoever holds a lock in the schema: what they do there is to be undone and lost anyway. */
async function endThoseIn(store: Store, schema: string): Promise<void> {
  await runTransaction(store, { role: null, schema: 'nura' }, (tx) =>
    tx.query(
      `select pg_terminate_backend(pid) from (select distinct pid from pg_locks join pg_class on pg_class.oid = pg_locks.relation
       where relnamespace = to_regnamespace($1) and pid <> pg_backend_pid()
       and database = (select oid from pg_database where datname = current_database())) as holders`,
      [schema],
    ),
  )
}

async function note(tx: Transaction, tenantId: string, step: Step, dropped: Dropped[]): Promise<void> {
  const line = { step, at: new Date().toISOString(), dropped }
  await tx.query('update nura.offboarding set steps = steps || jsonb_build_array($2::jsonb) where tenant_id = $1', [tenantId, JSON.stringify(line)])
}

async function isDone(tx: Transaction, tenantId: string, step: Step): Promise<boolean> {
  return (await tx.query(`select 1 from nura.offboarding where tenant_id = $1 and steps @> jsonb_build_array(jsonb_build_object('step', $2::text))`, [tenantId, step])).length > 0
}

async function isRole(tx: Transaction, role: string): Promise<boolean> {
  return (await tx.query('select 1 from pg_roles where rolname = $1', [role])).length > 0
}

/** From the tenant's id alone, as its schema is. */
function toGoneRole(schema: string): string {
  return schema.replace(/^t_/, 'gone_')
}

function inControlPlane<T>(store: Store, run: (tx: Transaction) => Promise<T>): Promise<T> {
  return runTransaction(store, { role: controlRole, schema: 'nura' }, run)
}

/** Making, naming and dropping roles is for the login, not for who owns the tables. */
async function asLogin(tx: Transaction, run: () => Promise<unknown>): Promise<void> {
  await tx.query('reset role')
  await run()
  await become(tx, ownerRole)
}
