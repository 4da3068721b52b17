import type { Db } from './index.ts'
import type { PoolClient, PoolQuery } from './pool.ts'
import { controlRole } from './roles.ts'
import { toStoreError } from './store-error.ts'
import { storeOf, type Store } from './store.ts'
import type { TenantDb } from './tenant-db.ts'
import { joinedTransaction, refuseNesting, refuseUnknownRole, toBegin, type TransactionOptions } from './transaction.ts'

/**
 * One statement that reads, in a transaction of its own under the tenant's role, sent to a server in one piece with its
 * BEGIN and COMMIT: it costs one round trip instead of three, and does not wait for the COMMIT.
 *
 * If the BEGIN fails the statement cannot read anything: its transaction is void, and without one its unqualified names
 * lead nowhere. Through a joined door it reads in the transaction of that.
 */
export async function readAtOnce<Row>(
  tenant: TenantDb,
  statement: { text: string; values: readonly unknown[]; name?: string },
  options: Pick<TransactionOptions, 'settings' | 'prologue'>,
): Promise<Row[]> {
  const tx = joinedTransaction(tenant)
  if (tx && (options.settings || options.prologue)) throw new TypeError('A joined transaction has begun: what belongs before its snapshot comes too late.')
  if (tx) return tx.query<Row>(statement.text, statement.values, statement.name)
  const store = storeOf(tenant)
  const begin = toBegin(store, { role: tenant.schema, schema: tenant.schema }, { ...options, readOnly: true })
  return (await send(store, begin, statement, { isDurable: false })) as Row[]
}

/**
 * `Db.control` for one statement, in one round trip instead of three: what every event and every turn does often. A write is
 * durable when it resolves.
 */
export async function controlAtOnce<Row>(db: Db, text: string, values: readonly unknown[]): Promise<Row[]> {
  const store = storeOf(db)
  return (await send(store, toBegin(store, { role: controlRole, schema: 'nura' }, {}), { text, values }, { isDurable: true })) as Row[]
}

/** @returns the rows of `statement` */
async function send(store: Store, begin: string, statement: PoolQuery, { isDurable }: { isDurable: boolean }): Promise<unknown[]> {
  refuseNesting()
  let client: PoolClient
  try {
    client = await store.pool.connect()
  } catch (error) {
    throw toStoreError(error)
  }
  const sent = store.kind === 'postgres' ? [client.query(begin), client.query(statement), client.query('commit')] : await inTurn(client, [begin, statement, 'commit'])
  const ended = Promise.allSettled(sent).then(() => client.release())
  // What was only read has nothing to lose with the end of its transaction.
  if (isDurable) await ended
  try {
    await sent[0]!.catch(refuseUnknownRole)
    const { rows } = await sent[1]!
    if (isDurable) await sent[2]
    return rows
  } catch (error) {
    throw toStoreError(error)
  }
}

/** The embedded store's only session takes the next statement once the last one has ended, and none after a failure. */
async function inTurn(client: PoolClient, statements: Parameters<PoolClient['query']>[0][]): Promise<ReturnType<PoolClient['query']>[]> {
  const sent: ReturnType<PoolClient['query']>[] = []
  for (const statement of statements) {
    sent.push(client.query(statement))
    const settled = await Promise.allSettled(sent.slice(-1))
    if (settled[0]!.status === 'rejected') break
  }
  return sent
}
