import { setTimeout as sleep } from 'node:timers/promises'
import { NuraError } from '../nura-error.ts'
import { ownerRole } from '../roles.ts'
import { clientGraceMs } from '../server-pool.ts'
import { toStoreError } from '../store-error.ts'
import { storeOf } from '../store.ts'
import type { TenantDb } from '../tenant-db.ts'
import { runTransaction, type Transaction } from '../transaction.ts'

const buildTimeoutMs = 30 * 60_000
/** Longest wait for a lock that readers queue behind, milliseconds. */
const lockTimeoutMs = 300
const attempts = 40
const [firstPauseMs, longestPauseMs] = [50, 2_000]

/**
 * A tenant's role may not alter its tables, so this runs with the owner's rights on the tenant's schema.
 * @throws NuraError `unknown-tenant` where the role is gone, as it is first of all when a tenant is deleted
 */
export function asOwner<T>(tenant: TenantDb, run: (tx: Transaction) => Promise<T>): Promise<T> {
  const checked = (tx: Transaction, roles: unknown[]) => {
    if (roles.length === 0) throw new NuraError('unknown-tenant', 'There is no such tenant any more.')
    return run(tx)
  }
  const prologue = `select 1 from pg_roles where rolname = '${tenant.schema}'`
  return runTransaction(storeOf(tenant), { role: ownerRole, schema: tenant.schema }, checked, { statementTimeoutMs: buildTimeoutMs, prologue })
}

/**
 * `asOwner` for what takes a table from its readers: once `run` calls `hurry`, no lock is waited for longer than a moment, as
 * readers would wait behind it; the whole transaction is then undone and tried again a little later.
 *
 * @throws NuraError `store-unavailable` when the moment did not come; the signal's reason on abort
 */
export function asOwnerInPassing<T>(tenant: TenantDb, run: (tx: Transaction, hurry: () => Promise<void>) => Promise<T>, signal?: AbortSignal): Promise<T> {
  return whenFree(() => asOwner(tenant, (tx) => run(tx, async () => void (await tx.query(`set local lock_timeout to ${lockTimeoutMs}`)))), signal)
}

/**
 * Statements outside of any transaction, for what PostgreSQL does in none, with the owner's rights and time to build; on a server
 * only, over a connection that is not lent again.
 */
export async function asOwnerAlone(tenant: TenantDb, statements: string[]): Promise<void> {
  const store = storeOf(tenant)
  const client = await store.pool.connect().catch((error: unknown) => {
    throw toStoreError(error)
  })
  try {
    const settings = [`set role ${ownerRole}`, `set search_path to "${tenant.schema}", "${store.extensionSchema}", pg_temp`, `set statement_timeout to ${buildTimeoutMs}`]
    for (const text of [...settings, ...statements]) await client.query({ text, query_timeout: buildTimeoutMs + clientGraceMs })
  } catch (error) {
    throw toStoreError(error)
  } finally {
    client.release(true)
  }
}

/** Runs what others' locks may be in the way of, again after a pause where they were. */
export async function whenFree<T>(run: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await run()
    } catch (error) {
      if (attempt === attempts || !isInTheWay(error)) throw error
    }
    await sleep(Math.min(firstPauseMs * attempt, longestPauseMs), undefined, signal ? { signal } : {}).catch(() => undefined)
  }
}

/** Lock not available, or a deadlock that ended with us. */
function isInTheWay(error: unknown): boolean {
  const code = error instanceof NuraError ? (error.cause as { code?: string } | undefined)?.code : undefined
  return code === '55P03' || code === '40P01'
}
