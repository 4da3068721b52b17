import type { PoolClient } from './pool.ts'
import { toStoreError } from './store-error.ts'
import { storeOf } from './store.ts'
import type { TenantDb } from './tenant-db.ts'
import { refuseNesting, refuseUnknownRole, toBegin, type TransactionOptions } from './transaction.ts'

/**
 * One statement that reads, in a transaction of its own under the tenant's role, sent to a server in one piece with its
 * BEGIN and COMMIT: it costs one round trip instead of three. `prologue` reads from the same snapshot.
 *
 * If the BEGIN fails the statement cannot read anything: its transaction is void, and without one its unqualified names
 * lead nowhere.
 */
export async function readAtOnce<Row>(
  tenant: TenantDb,
  statement: { text: string; values: readonly unknown[]; name?: string },
  options: Pick<TransactionOptions, 'settings' | 'prologue'>,
): Promise<{ rows: Row[]; prologue: Record<string, unknown>[] }> {
  refuseNesting()
  const store = storeOf(tenant)
  const begin = toBegin(store, { role: tenant.schema, schema: tenant.schema }, { ...options, readOnly: true })
  let client: PoolClient
  try {
    client = await store.pool.connect()
  } catch (error) {
    throw toStoreError(error)
  }
  const sent = store.kind === 'postgres' ? [client.query(begin), client.query(statement), client.query('commit')] : await inTurn(client, [begin, statement, 'commit'])
  await Promise.allSettled(sent)
  client.release()
  try {
    const { rows: prologue } = await sent[0]!.catch(refuseUnknownRole)
    const { rows } = await sent[1]!
    return { rows: rows as Row[], prologue: prologue as Record<string, unknown>[] }
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
