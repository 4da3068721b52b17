import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDb, type Db, type TenantDb } from './index.ts'
import { migrate } from './migrate.ts'
import { createRole, ownerRole } from './roles.ts'
import { hasAmbientRights } from './shared/ambient-rights.ts'
import { offboardTenant } from './shared/offboard-tenant.ts'
import { createTenant } from './shared/tenants.ts'
import { storeOf } from './store.ts'
import { beginBulk, endBulk } from './tenant/bulk.ts'
import { vacuumActivity } from './tenant/vacuum-activity.ts'
import { writeFiles } from './tenant/write-files.ts'
import { createTestRepository } from './testing/create-repository.ts'
import { readTestServer } from './testing/config.ts'
import { createOrdinaryLogin, type OrdinaryLogin } from './testing/create-ordinary-login.ts'
import { makeFile } from './testing/make-file.ts'
import { openTestDb } from './testing/open-test-db.ts'
import { runTransaction } from './transaction.ts'

/** What a session may do before it takes on a role: on a server, as the login that operators are told to make. */
describe.skipIf(readTestServer() === null)('the login of a server', () => {
  let login: OrdinaryLogin
  let db: Db
  let acme: TenantDb
  let raw: pg.Client
  beforeAll(async () => {
    login = await createOrdinaryLogin(readTestServer()!)
    db = await openDb({ url: login.url, dataDir: 'memory://', encryptionKey: Buffer.alloc(32, 7), poolSize: 4 })
    await migrate(db)
    acme = await db.tenant((await createTenant(db, { slug: 'acme', name: 'acme' })).id)
    await writeFiles(acme, await createTestRepository(acme), [makeFile('own.ts', ['canary of acme'])])
    raw = new pg.Client({ connectionString: login.url })
    await raw.connect()
  })
  afterAll(async () => {
    await raw?.end()
    await db?.close()
    await login?.close()
  })

  /** Every table of Nura that this session reads without a role, however it tries. */
  async function readable(query: (text: string) => Promise<unknown>): Promise<string[]> {
    const { rows } = await raw.query<{ name: string }>(`select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('nura', $1)`, [acme.schema])
    expect(rows.length).toBeGreaterThan(30)
    const open: string[] = []
    for (const { name } of rows) {
      const denied = await query(`select * from ${name} limit 1`).then(() => '', (error: Error) => error.message)
      if (!/permission denied for schema/.test(denied)) open.push(`${name}: ${denied || 'read'}`)
    }
    return open
  }

  test('a session that took on no role reads no table of any tenant and none of the control plane', async () => {
    expect(await readable((text) => raw.query(text))).toEqual([])
    for (const statement of [`insert into "${acme.schema}".corpus default values`, 'delete from nura.tenant', `drop schema "${acme.schema}" cascade`, `create table "${acme.schema}".planted (id int)`, 'create table public.planted (id int)']) {
      await expect(raw.query(statement), statement).rejects.toThrow(/permission denied|must be owner/)
    }
    expect(await acme.transaction((tx) => tx.query('select count(*)::int as chunks from knowledge_base'))).toEqual([{ chunks: 1 }])
  })

  test("neither does the pool's client outside of a transaction, nor the queue's connection, nor an entity manager", async () => {
    const client = await storeOf(db).pool.connect()
    expect(await readable((text) => client.query(text))).toEqual([])
    client.release()
    const queue = db.queueConnection()
    expect(await readable((text) => queue.query(text))).toEqual([])
    const { orm } = storeOf(db)
    await expect(orm.em.getConnection().execute(`select * from "${acme.schema}".repository`)).rejects.toThrow(/inside tenant.transaction/)
    await expect(orm.em.fork({ schema: acme.schema }).getConnection().execute('select * from nura.tenant')).rejects.toThrow(/inside tenant.transaction/)
  })

  test('makes, indexes, vacuums and deletes tenants all the same', async () => {
    const { id } = await createTenant(db, { slug: 'short-lived', name: 'x' })
    const tenant = await db.tenant(id)
    await writeFiles(tenant, await createTestRepository(tenant), [makeFile('a.ts', ['one', 'two'])])
    await vacuumActivity(tenant)
    await beginBulk(tenant, 'builtin')
    await endBulk(tenant, 'builtin')
    expect((await offboardTenant(db, id))?.steps.flatMap(({ dropped }) => dropped)).toContainEqual({ store: 'database', table: 'knowledge_base', rows: 2 })
    expect((await raw.query('select 1 from pg_roles where rolname = $1', [tenant.schema])).rows).toEqual([])
    expect(await migrate(db)).toEqual([])
    expect(await hasAmbientRights(db)).toBe(false)
  })

  test('a database of a version whose login owned everything is handed over by the next migration, with what it holds', async () => {
    const asItWas = new pg.Client({ connectionString: readTestServer()!.replace(/\/[^/]*$/, `/${login.name}`) })
    await asItWas.connect()
    for (const schema of ['nura', acme.schema]) {
      const { rows } = await asItWas.query<{ name: string }>('select tablename as name from pg_tables where schemaname = $1', [schema])
      await asItWas.query(`alter schema "${schema}" owner to ${login.name}`)
      for (const { name } of rows) await asItWas.query(`alter table "${schema}"."${name}" owner to ${login.name}`)
    }
    await asItWas.query(`alter role ${login.name} inherit; delete from nura.migration where name = '0007-owner-role'`)
    await asItWas.end()
    expect(await readable((text) => raw.query(text))).not.toEqual([])
    await expect(db.ready()).rejects.toMatchObject({ code: 'not-migrated' })

    expect(await migrate(db)).toEqual(['nura/0007-owner-role'])
    await db.ready()
    expect(await readable((text) => raw.query(text))).toEqual([])
    expect(await acme.transaction((tx) => tx.query('select count(*)::int as chunks from knowledge_base'))).toEqual([{ chunks: 1 }])
    expect(await migrate(db)).toEqual([])
  })

  test('is said to have all rights when it is a superuser', async () => {
    const superuser = await openTestDb()
    await createTenant(superuser, { slug: 'any', name: 'any' })
    expect(await hasAmbientRights(superuser)).toBe(true)
    await superuser.close()
  })
})

/** The embedded store has the rules of PostgreSQL 16 and later, where each membership says what it brings. */
describe.skipIf(readTestServer() !== null)('an ordinary session of the embedded store', () => {
  let db: Db
  beforeAll(async () => void (db = await openTestDb()))
  afterAll(() => db.close())

  test('may take on a role that it makes, and has none of its rights before', async () => {
    const role = `t_${'0'.repeat(32)}`
    const rights = await runTransaction(storeOf(db), { role: null, schema: 'nura' }, async (tx) => {
      await tx.query('create role ordinary login createrole')
      await tx.query('set local session authorization ordinary')
      await createRole(tx, role)
      await createRole(tx, role)
      const [found] = await tx.query(`select current_user as who, pg_has_role($1, 'set') as enters, pg_has_role($1, 'usage') as inherits, pg_has_role($2, 'member') as owns`, [role, ownerRole])
      await tx.query(`set local role "${role}"`)
      return [found, (await tx.query('select current_user as who'))[0]]
    })
    expect(rights).toEqual([{ who: 'ordinary', enters: true, inherits: false, owns: false }, { who: role }])
  })
})
