import { AsyncLocalStorage } from 'node:async_hooks'
import type { EntityManager } from '@mikro-orm/postgresql'
import { NuraError } from './nura-error.ts'
import { openEntityManager } from './entity-manager.ts'
import type { PoolClient } from './pool.ts'
import { clientGraceMs } from './server-pool.ts'
import { toStoreError } from './store-error.ts'
import { storeOf, type Store } from './store.ts'
import type { TenantDb } from './tenant-db.ts'

export type Transaction = {
  /** A fork that reads and writes the scope's schema through this transaction. Entities die with it. */
  readonly em: EntityManager
  /**
   * Rows of one statement with bound parameters (`$1`…). Unqualified names mean the scope's schema. A statement with a
   * name is planned once a connection: for hot ones whose best plan hangs on no value.
   */
  query<Row = Record<string, unknown>>(text: string, values?: readonly unknown[], name?: string): Promise<Row[]>
  /** Number of rows that one statement with bound parameters touched. */
  execute(text: string, values?: readonly unknown[]): Promise<number>
}

/** Whose rights a transaction has and where unqualified names lead. `role: null` is the login, which may make roles and schemas but reads no table. */
export type Scope = { role: string | null; schema: string }
export type TransactionOptions = {
  /** Settings for this transaction; keys and values come from code, never from input. */
  settings?: Record<string, string | number>
  /** Milliseconds for one statement instead of the pool's own limit. */
  statementTimeoutMs?: number
  /** One more statement that travels with BEGIN; its rows are the second argument of `run`. */
  prologue?: string
  /** Writes are refused, and the result does not wait for the end of the transaction: it has nothing left to lose. */
  readOnly?: boolean
}

const identifier = /^[a-z_][a-z0-9_]{0,62}$/
const open = new AsyncLocalStorage<{ isOpen: boolean }>()

/**
 * Runs `run` in one transaction under the scope's role: committed when it returns, rolled back when it throws.
 *
 * @throws NuraError `nested-transaction` when the caller is inside another one: with one session it would wait for itself.
 */
export async function runTransaction<T>(store: Store, scope: Scope, run: (tx: Transaction, prologue: Record<string, unknown>[]) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
  refuseNesting()
  const begin = toBegin(store, scope, options)
  let client: PoolClient
  try {
    client = await store.pool.connect()
  } catch (error) {
    throw toStoreError(error)
  }
  const state = { isOpen: true }
  let ending: Promise<unknown> = Promise.resolve()
  try {
    const beginning = client.query(begin).catch(refuseUnknownRole)
    // To a server BEGIN travels with the statement after it, which fails where BEGIN does (see `readAtOnce`).
    const travels = store.kind === 'postgres' && options.prologue === undefined
    const rows = travels ? [] : (await beginning).rows
    const held = hold(store, client, scope.schema, options, state)
    const [result] = await Promise.all([open.run(state, () => run(held.tx, rows)), beginning])
    await held.flush()
    ending = client.query('commit')
    if (!options.readOnly) await ending
    return result
  } catch (error) {
    // What is still at work in it may ask no more: it would ask outside.
    state.isOpen = false
    await client.query('rollback').catch(() => {})
    throw toStoreError(error)
  } finally {
    state.isOpen = false
    void ending.catch(() => {}).then(() => client.release())
  }
}

const joined = new WeakMap<TenantDb, Transaction>()

/** Has `readTenant` and `readAtOnce` read a door's tenant in this transaction. */
export function joinTransaction(door: TenantDb, tx: Transaction): void {
  joined.set(door, tx)
}

export function joinedTransaction(door: TenantDb): Transaction | undefined {
  return joined.get(door)
}

/** `TenantDb.transaction` for reading only; through a joined door, in its transaction and under the settings which that began with. */
export function readTenant<T>(tenant: TenantDb, run: (tx: Transaction, prologue: Record<string, unknown>[]) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
  const tx = joinedTransaction(tenant)
  if (tx) return options.prologue ? tx.query(options.prologue).then((rows) => run(tx, rows)) : run(tx, [])
  return runTransaction(storeOf(tenant), { role: tenant.schema, schema: tenant.schema }, run, { ...options, readOnly: true })
}

/** The role of a tenant goes with it. */
export function refuseUnknownRole(error: unknown): never {
  throw (error as { code?: string }).code === '22023' ? new NuraError('unknown-tenant', 'There is no such tenant any more.', { cause: error }) : error
}

export function refuseNesting(): void {
  if (open.getStore()?.isOpen) throw new NuraError('nested-transaction', 'A transaction was opened inside another one; pass the open one down instead.')
}

/** The one text that opens a transaction under a scope. */
export function toBegin(store: Store, scope: Scope, options: TransactionOptions): string {
  for (const name of [scope.schema, scope.role ?? scope.schema]) {
    if (!identifier.test(name)) throw new NuraError('bad-identifier', 'A schema or role name is not one that Nura derives.')
  }
  const settings: Record<string, string | number> = { random_page_cost: 1.1, ...options.settings }
  if (options.statementTimeoutMs !== undefined) settings.statement_timeout = options.statementTimeoutMs
  return [
    options.readOnly ? 'begin isolation level repeatable read read only' : 'begin',
    `set local search_path to "${scope.schema}", "${store.extensionSchema}", pg_temp`,
    ...Object.entries(settings).map(([name, value]) => `set local ${name} to '${value}'`),
    ...(scope.role === null ? [] : [`set local role "${scope.role}"`]),
    ...(options.prologue ? [options.prologue] : []),
  ].join('; ')
}

function hold(store: Store, client: PoolClient, schema: string, options: TransactionOptions, state: { isOpen: boolean }) {
  const query_timeout = options.statementTimeoutMs && options.statementTimeoutMs + clientGraceMs
  const send = async <Row>(text: string, values: readonly unknown[] = [], name?: string) => {
    // The client may be another tenant's by now.
    if (!state.isOpen) throw new NuraError('transaction-over', 'A transaction was used after its end.')
    return client.query<Row>({ text, values, name, query_timeout })
  }
  let em: EntityManager | null = null
  const tx: Transaction = {
    get em() {
      return (em ??= openEntityManager(store.orm, client, schema))
    },
    query: async <Row>(text: string, values?: readonly unknown[], name?: string) => (await send<Row>(text, values, name)).rows,
    execute: async (text, values) => (await send(text, values)).rowCount ?? 0,
  }
  return { tx, flush: async () => void (await em?.flush()) }
}
