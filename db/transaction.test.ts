import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readAtOnce } from './at-once.ts'
import type { Db, TenantDb } from './index.ts'
import { createServerPool } from './server-pool.ts'
import { storeOf } from './store.ts'
import { Thread } from './tenant/thread.ts'
import { countWrites } from './testing/count-writes.ts'
import { readTestServer } from './testing/config.ts'
import { createTestTenant, openTestDb } from './testing/open-test-db.ts'
import { watchSql } from './testing/watch-sql.ts'
import { readTenant, runTransaction, type Scope, type Transaction, type TransactionOptions } from './transaction.ts'

let db: Db & { config: { url: string | null } }
let tenant: TenantDb
let scope: Scope
beforeAll(async () => {
  db = await openTestDb({ poolSize: 1 })
  tenant = await createTestTenant(db)
  scope = { role: tenant.schema, schema: tenant.schema }
})
afterAll(() => db.close())

const run = <T>(work: (tx: Transaction, prologue: Record<string, unknown>[]) => Promise<T>, options: TransactionOptions = {}) => runTransaction(storeOf(db), scope, work, options)
const saveThread = (tx: Transaction, key: string) => tx.execute(`insert into thread (id, key, surface, expires_at) values (gen_random_uuid(), $1, 'slack', now() + interval '1 day')`, [key])
const threads = (...keys: string[]) => tenant.transaction(async (tx) => (await tx.query<{ key: string }>('select key from thread where key = any($1)', [keys])).map(({ key }) => key))
const show = async (tx: Transaction, ...names: string[]) => (await tx.query<{ at: string[] }>(`select array[${names.map((name) => `current_setting('${name}')`).join()}] as at`))[0]!.at

/** Each statement that begins so is lost on its way to the store while `work` runs. */
async function losing<T>(start: string, work: () => Promise<T>): Promise<T> {
  const end = watchSql(tenant, ({ text }) => {
    if (text.startsWith(start)) throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  })
  try {
    return await work()
  } finally {
    end()
  }
}

describe('a transaction', () => {
  test('keeps all that was done in it when it returns, changed entities too, and nothing of it when it throws', async () => {
    const change = async (tx: Transaction, name: string) => {
      await saveThread(tx, `${name}:row`)
      tx.em.persist(tx.em.create(Thread, { id: randomUUID(), key: `${name}:entity`, surface: 'slack', agent: null, expiresAt: new Date(Date.now() + 60_000), createdAt: new Date(), updatedAt: new Date() }))
    }
    await tenant.transaction((tx) => change(tx, 'kept'))
    const failed = tenant.transaction(async (tx) => {
      await change(tx, 'undone')
      await tx.em.flush()
      throw new Error('changed its mind')
    })
    await expect(failed).rejects.toThrow('changed its mind')
    expect((await threads('kept:row', 'kept:entity', 'undone:row', 'undone:entity')).sort()).toEqual(['kept:entity', 'kept:row'])
  })

  test('is refused under any name that Nura does not derive', async () => {
    for (const name of ['', 'Acme', '0', `${tenant.schema}"; reset role; --`, `"${tenant.schema}`, `${tenant.schema}\n`, 'a'.repeat(64)]) {
      for (const hostile of [{ ...scope, schema: name }, { ...scope, role: name }, { role: null, schema: name }]) {
        await expect(runTransaction(storeOf(db), hostile, (tx) => tx.query('select 1')), name).rejects.toMatchObject({ code: 'bad-identifier', message: expect.stringContaining('not one that Nura derives') })
      }
    }
  })

  test('has the settings, the limit and the first rows that it asks for, and leaves none of them to the next', async () => {
    const names = ['random_page_cost', 'work_mem', 'statement_timeout']
    const before = await run((tx) => show(tx, ...names))
    const asked = { settings: { work_mem: '5MB', random_page_cost: 3 }, statementTimeoutMs: 7_000, prologue: 'select current_user as who' }
    expect(await run(async (tx, prologue) => [await show(tx, ...names), prologue], asked)).toEqual([['3', '5MB', '7s'], [{ who: tenant.schema }]])
    expect(await run((tx) => show(tx, ...names))).toEqual(before)
    expect(before[0]).toBe('1.1')
  })

  test('leaves what it started, and what outlives it, free to open one of its own', async () => {
    const ended = Promise.withResolvers<void>()
    const outliving = await tenant.transaction(async () => ({ rows: ended.promise.then(() => tenant.transaction((tx) => tx.query('select 1 as one'))) }))
    ended.resolve()
    expect(await outliving.rows).toEqual([{ one: 1 }])
  })

  test('takes nothing after its end, when its connection may be somebody else’s', async () => {
    const kept = await tenant.transaction(async (tx) => ({ tx }))
    await expect(kept.tx.query('select 1')).rejects.toMatchObject({ code: 'transaction-over' })
    await expect(saveThread(kept.tx, 'late')).rejects.toMatchObject({ code: 'transaction-over' })
    expect(await threads('late')).toEqual([])
  })

  test('that is lost as it begins is told as such, not as a tenant that is gone', async () => {
    await expect(losing('begin', () => tenant.transaction((tx) => tx.query('select 1')))).rejects.toMatchObject({ code: 'store-unavailable', retryable: true })
  })

  test('whose end is lost tells so, keeps nothing and holds nobody up', async () => {
    await expect(losing('commit', () => tenant.transaction((tx) => saveThread(tx, 'no-commit')))).rejects.toMatchObject({ code: 'store-unavailable' })
    const failing = async (tx: Transaction) => {
      await saveThread(tx, 'no-rollback')
      throw new Error('changed its mind')
    }
    await expect(losing('rollback', () => tenant.transaction(failing))).rejects.toThrow('changed its mind')
    expect(await threads('no-commit', 'no-rollback')).toEqual([])
  })
})

describe('reading a tenant', () => {
  test('changes nothing', async () => {
    await expect(readTenant(tenant, (tx) => saveThread(tx, 'read'))).rejects.toMatchObject({ cause: { code: '25006' } })
    expect(await threads('read')).toEqual([])
  })

  test('has what it read though its end is lost, and holds nobody up', async () => {
    expect(await losing('commit', () => readTenant(tenant, (tx) => tx.query('select 1 as one')))).toEqual([{ one: 1 }])
    expect(await tenant.transaction((tx) => tx.query('select 2 as two'))).toEqual([{ two: 2 }])
  })
})

describe('a snapshot', () => {
  test('is one transaction for all that reads through it, as of one moment', async () => {
    const begun: string[] = []
    const end = watchSql(tenant, ({ text }) => void (text.startsWith('begin') && begun.push(text)))
    const read = await tenant.snapshot(async (snapshot) => [
      await snapshot.transaction((tx) => tx.query('select txid_current_snapshot()::text as at, current_user as who')),
      await snapshot.snapshot((same) => same.transaction((tx) => tx.query('select txid_current_snapshot()::text as at, current_user as who'))),
      ...(await Promise.all([1, 2].map(() => readTenant(snapshot, (tx, prologue) => tx.query('select txid_current_snapshot()::text as at, $1::text as who', [prologue[0]!.who]), { prologue: 'select current_user as who' })))),
    ])
    end()
    expect(read).toEqual(Array(4).fill([{ at: expect.any(String), who: tenant.schema }]))
    expect(new Set(read.flat().map((row) => (row as { at: string }).at)).size).toBe(1)
    expect(begun).toEqual([expect.stringContaining('repeatable read read only')])
  })

  test('is for reading, knows whose it is, and is closed with what it was opened for', async () => {
    await expect(tenant.snapshot((snapshot) => snapshot.transaction((tx) => saveThread(tx, 'snapshot')))).rejects.toMatchObject({ cause: { code: '25006' } })
    const kept = await tenant.snapshot(async (snapshot) => ({ snapshot }))
    expect([kept.snapshot.id, kept.snapshot.schema, storeOf(kept.snapshot)]).toEqual([tenant.id, tenant.schema, storeOf(tenant)])
    await expect(kept.snapshot.transaction((tx) => tx.query('select 1'))).rejects.toMatchObject({ code: 'transaction-over' })
    await expect(readTenant(kept.snapshot, (tx) => tx.query('select 1'))).rejects.toMatchObject({ code: 'transaction-over' })
  })

  test('reads there what is else read at once, and nothing that belongs before its beginning', async () => {
    const text = 'select txid_current_snapshot()::text as at, $1::int as given'
    const read = await tenant.snapshot(async (snapshot) => [
      await snapshot.transaction((tx) => tx.query('select txid_current_snapshot()::text as at')),
      await readAtOnce<{ at: string; given: number }>(snapshot, { text, values: [7] }, {}),
    ])
    expect(read).toEqual([[{ at: expect.any(String) }], [{ ...(read[0] as [{ at: string }])[0], given: 7 }]])
    for (const late of [{ settings: { jit: 'off' } }, { prologue: 'select 1' }]) await expect(tenant.snapshot((snapshot) => readAtOnce(snapshot, { text, values: [7] }, late))).rejects.toThrow('comes too late')
  })

  test('refuses what opens a transaction beside it', async () => {
    await expect(tenant.snapshot(() => readTenant(tenant, (tx) => tx.query('select 1')))).rejects.toMatchObject({ code: 'nested-transaction' })
  })
})

test('what is written together is kept together or not at all', async () => {
  const write = (keys: string[], then: () => void) =>
    tenant.together(async (joined) => {
      for (const key of keys) await joined.together((same) => same.transaction((tx) => saveThread(tx, key)))
      expect(await readTenant(joined, (tx) => tx.query('select key from thread where key = any($1) order by key', [keys]))).toEqual(keys.map((key) => ({ key })))
      then()
    })
  await write(['together:1', 'together:2'], () => {})
  await expect(write(['never:1', 'never:2'], () => { throw new Error('changed its mind') })).rejects.toThrow('changed its mind')
  expect((await threads('together:1', 'together:2', 'never:1', 'never:2')).sort()).toEqual(['together:1', 'together:2'])
})

describe.skipIf(readTestServer() === null)('a transaction on a server', () => {
  const backend = (tx: Transaction) => tx.query('select pg_backend_pid() as pid')

  test('begins in one piece with its first statement, unless that waits for rows of its beginning', async () => {
    const one = (tx: Transaction) => tx.query('select 1 as one')
    await run(one)
    expect(await countWrites(() => run(one))).toBe(2)
    expect(await countWrites(() => run(one, { prologue: 'select 1' }))).toBe(3)
  })

  test('that fails costs no connection', async () => {
    const before = await tenant.transaction(backend)
    await expect(tenant.transaction((tx) => tx.query('select no_such_column'))).rejects.toThrow(/no_such_column/)
    expect(await tenant.transaction(backend)).toEqual(before)
  })

  test('gives its statements the time that it asks for, beyond the limit of the pool', async () => {
    const pool = createServerPool(db.config.url!, 1, { query_timeout: 1_000, statement_timeout: 1_000 })
    const patient = runTransaction({ ...storeOf(db), pool }, scope, (tx) => tx.query('select 1 as one from pg_sleep(1.5)'), { statementTimeoutMs: 20_000 })
    await expect(patient).resolves.toEqual([{ one: 1 }])
    await pool.end()
  })

  test('has a statement that takes longer than it asks for ended by the server', async () => {
    await expect(run((tx) => tx.query('select pg_sleep(30)'), { statementTimeoutMs: 200 })).rejects.toMatchObject({ code: 'store-timeout', retryable: true })
  })

  test('has a statement with a name planned once for its connection', async () => {
    const planned = () => tenant.transaction((tx) => tx.query(`select name, generic_plans + custom_plans as uses from pg_prepared_statements where name = 'hot'`))
    for (let at = 0; at < 3; at++) await tenant.transaction((tx) => tx.query('select $1::int as at', [at], 'hot'))
    expect(await planned()).toEqual([{ name: 'hot', uses: '3' }])
  })
})
