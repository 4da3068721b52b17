import { execFileSync } from 'node:child_process'
import { createServer, connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDb, type Db, type TenantDb } from './index.ts'
import { createServerPool } from './server-pool.ts'
import { countWrites } from './testing/count-writes.ts'
import { readTestServer } from './testing/config.ts'
import { createTestTenant, openTestDb } from './testing/open-test-db.ts'

test('a server that is not there is told as such, retryable, and openDb does not wait for it', async () => {
  const db = await openDb({ url: 'postgres://nobody@127.0.0.1:1/none', dataDir: 'memory://', encryptionKey: null, poolSize: 1 })
  await expect(db.ready()).rejects.toMatchObject({ code: 'store-unavailable', retryable: true })
  await expect(db.tenant('00000000-0000-4000-8000-000000000000')).rejects.toMatchObject({ code: 'store-unavailable' })
  await db.close()
})

describe.skipIf(readTestServer() === null)('on a server', () => {
  let db: Db & { config: { url: string | null } }
  let tenant: TenantDb
  beforeAll(async () => {
    db = await openTestDb({ poolSize: 2 })
    tenant = await createTestTenant(db)
  })
  afterAll(() => db.close())

  const administer = (text: string, values: unknown[] = []) => {
    const pool = createServerPool(db.config.url!, 1)
    return pool.connect().then(async (client) => {
      try {
        return await client.query(text, values)
      } finally {
        client.release()
        await pool.end()
      }
    })
  }

  test('what is asked before the loop turns leaves in one write', async () => {
    const pool = createServerPool(db.config.url!, 1)
    const client = await pool.connect()
    await client.query('select 1')
    let answers: { rows: unknown[] }[] = []
    const writes = await countWrites(async () => void (answers = await Promise.all([client.query('begin'), client.query('select $1::int as at', [7]), client.query('commit')])))
    client.release()
    await pool.end()
    expect([answers[1]!.rows, writes]).toEqual([[{ at: 7 }], 1])
  })

  test('questions of two tenants, with backends terminated at random between them, see no row of the other', async () => {
    const other = await createTestTenant(db)
    const foreign: unknown[] = []
    let failed = 0
    const asked = Array.from({ length: 120 }, async (_, at) => {
      const [mine] = at % 2 ? [tenant] : [other]
      try {
        const [row] = await mine!.transaction((tx) => tx.query<{ who: string; where: string }>('select current_user as who, current_schema as where'))
        if (row!.who !== mine!.schema || row!.where !== mine!.schema) foreign.push(row)
      } catch {
        failed++
      }
    })
    const terminated = Array.from({ length: 10 }, () =>
      administer(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'nura' and datname = current_database() and pid <> pg_backend_pid() order by random() limit 1`),
    )
    await Promise.allSettled([...asked, ...terminated])
    expect(foreign).toEqual([])
    expect(failed).toBeLessThan(60)
    expect(await tenant.transaction((tx) => tx.query('select 1 as alive'))).toEqual([{ alive: 1 }])
  })

  test('T3: two hundred askers of two tenants, a fifth of them aborting, backends terminated between them, read ten thousand rows and none of the other', async () => {
    const other = await createTestTenant(db)
    const tenants = [tenant, other]
    for (const each of tenants) {
      await each.transaction((tx) => tx.query(`insert into repository (id, name, source, location) select gen_random_uuid(), $1 || '/' || n, 'git', $1 || n from generate_series(1, 80) n`, [each.schema]))
    }
    let read = 0
    const foreign: string[] = []
    const ask = async (at: number) => {
      const mine = tenants[at % 2]!
      const rows = await mine.transaction(async (tx) => {
        const found = await tx.query<{ name: string }>('select name from repository')
        if (at % 5 === 0) throw new Error('the asker went away')
        return found
      })
      read += rows.length
      foreign.push(...rows.map(({ name }) => name).filter((name) => !name.startsWith(`${mine.schema}/`)))
    }
    const terminate = () => administer(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'nura' and datname = current_database() and pid <> pg_backend_pid() order by random() limit 1`)
    for (let round = 0; read < 10_000 && round < 20; round++) {
      await Promise.allSettled(Array.from({ length: 200 }, (_, at) => (at % 40 === 39 ? Promise.all([ask(at), terminate()]) : ask(at))))
    }
    expect(foreign).toEqual([])
    expect(read).toBeGreaterThanOrEqual(10_000)
  })

  test('a client given back inside a transaction is destroyed', async () => {
    const pool = createServerPool(db.config.url!, 1)
    const client = await pool.connect()
    await client.query('begin')
    const [before] = (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows
    client.release()
    const next = await pool.connect()
    const [after] = (await next.query<{ pid: number }>('select pg_backend_pid() as pid')).rows
    next.release()
    await pool.end()
    expect(after!.pid).not.toBe(before!.pid)
  })

  test('a statement that takes too long is ended by the server and told as retryable', async () => {
    const slow = (tx: { query(text: string): Promise<unknown> }) => tx.query(`set local statement_timeout to 50; select pg_sleep(30)`)
    await expect(tenant.transaction(slow)).rejects.toMatchObject({ code: 'store-timeout', retryable: true })
  })

  test('a frozen backend costs its own question only: its client is destroyed and the next one works', async () => {
    const pool = createServerPool(db.config.url!, 1, { query_timeout: 300, statement_timeout: 0 })
    const client = await pool.connect()
    const [{ pid }] = (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows as [{ pid: number }]
    execFileSync('kill', ['-STOP', String(pid)])
    try {
      await expect(client.query('select 1')).rejects.toThrow(/timeout/i)
      client.release()
      const next = await pool.connect()
      expect((await next.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      next.release()
    } finally {
      execFileSync('kill', ['-CONT', String(pid)])
      await pool.end()
    }
  })

  test('a connection that is cut in the middle of a question is told as such and not lent again', async () => {
    const target = new URL(db.config.url!)
    const sockets = new Set<Socket>()
    const proxy = createServer((near) => {
      const far = connect(Number(target.port), target.hostname)
      near.pipe(far).pipe(near)
      for (const socket of [near, far]) socket.on('error', () => {})
      sockets.add(near)
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    const through = new URL(target)
    through.port = String((proxy.address() as { port: number }).port)
    const cut = await openDb({ ...db.config, url: through.href, dataDir: 'memory://', encryptionKey: null, poolSize: 1 })
    const question = cut.control(async (tx) => {
      await tx.query('select 1')
      for (const socket of sockets) socket.destroy()
      return tx.query('select 2')
    })
    await expect(question).rejects.toMatchObject({ code: 'store-unavailable', retryable: true })
    expect(await cut.control((tx) => tx.query('select 3 as three'))).toEqual([{ three: 3 }])
    await cut.close()
    proxy.close()
  })
})
