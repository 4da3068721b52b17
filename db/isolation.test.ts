import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Db, TenantDb } from './index.ts'
import { offboardTenant } from './shared/offboard-tenant.ts'
import { createTenant, findTenant, listTenants } from './shared/tenants.ts'
import { createTestRepository } from './testing/create-repository.ts'
import { makeFile } from './testing/make-file.ts'
import { createTestTenant, openTestDb } from './testing/open-test-db.ts'
import { answersInThread, saveAnswer } from './tenant/answers.ts'
import { readChunks } from './tenant/chunks.ts'
import { findRepository } from './tenant/repositories.ts'
import { searchBm25 } from './tenant/search.ts'
import { saveThread } from './tenant/threads.ts'
import { writeFiles } from './tenant/write-files.ts'

let db: Db
let acme: TenantDb
let globex: TenantDb
beforeAll(async () => {
  db = await openTestDb({ poolSize: 2 })
  acme = await createTestTenant(db, 'acme')
  globex = await createTestTenant(db, 'globex')
})
afterAll(() => db.close())

describe('a tenant', () => {
  test("cannot read, write or even see another tenant's schema by naming it in SQL", async () => {
    for (const statement of [
      `select * from "${globex.schema}".repository`,
      `select * from "${globex.schema}".knowledge_base`,
      `insert into "${globex.schema}".source_grant values (gen_random_uuid(), 'person', 'x')`,
      `drop schema "${globex.schema}" cascade`,
      `create table "${globex.schema}".planted (id int)`,
    ]) {
      await expect(acme.transaction((tx) => tx.query(statement)), statement).rejects.toThrow(/permission denied|must be owner/)
    }
  })

  test('cannot read the control plane, change its own tables or make any', async () => {
    for (const statement of [
      'select * from nura.tenant', 'select * from nura.slack_installation', 'select * from nura.teams_installation', 'select * from nura.inbox', 'drop table repository',
      'alter table repository add column x int', 'create table planted (id int)', 'create table public.planted (id int)', 'create schema planted',
    ]) {
      await expect(acme.transaction((tx) => tx.query(statement)), statement).rejects.toThrow(/permission denied|must be owner/)
    }
  })

  test('the control plane cannot read any tenant', async () => {
    await expect(db.control((tx) => tx.query(`select * from "${acme.schema}".repository`))).rejects.toThrow(/permission denied/)
  })

  test('leaves nothing of its role behind when its transaction ends or fails', async () => {
    await acme.transaction((tx) => tx.query('select 1'))
    await expect(acme.transaction((tx) => tx.query('select no_such_column'))).rejects.toThrow(/no_such_column/)
    const seen = await Promise.all(
      Array.from({ length: 6 }, (_, at) => (at % 2 ? acme : globex).transaction((tx) => tx.query<{ who: string; where: string }>('select current_user as who, current_schema as where'))),
    )
    expect(seen.map(([row]) => [row!.who, row!.where])).toEqual(seen.map((_, at) => (at % 2 ? [acme.schema, acme.schema] : [globex.schema, globex.schema])))
  })

  test('is unknown by any id that is not one', async () => {
    for (const id of ['', 'acme', '00000000-0000-4000-8000-000000000000', `${acme.id}' or true --`, acme.schema]) {
      await expect(db.tenant(id)).rejects.toMatchObject({ code: 'unknown-tenant', retryable: false })
      if (id !== 'acme') await expect(db.tenantNamed(id)).rejects.toMatchObject({ code: 'unknown-tenant', retryable: false })
    }
    for (const name of ['acme', acme.id]) expect((await db.tenantNamed(name)).schema).toBe(acme.schema)
  })
})

test('with identical content, interleaved questions and aborts over two connections, no tenant is shown a row of the other', async () => {
  const tenants = [acme, globex]
  const repositories = new Map<TenantDb, string>()
  for (const tenant of tenants) {
    const context = await createTestRepository(tenant, { name: 'same/name', location: '/srv/same' })
    repositories.set(tenant, context.repositoryId)
    await writeFiles(tenant, context, [makeFile('same.ts', ['the same words in both'], { symbols: [] }), makeFile('own.ts', [`canary of ${tenant.slug}`])])
    await saveThread(tenant, { key: 'slack:T1:C1:1', surface: 'slack' })
    const answer = { asker: 'u', question: 'q', agent: 'dev', abstained: false, citations: [], trace: {}, usage: {}, citedChunks: [], thread: 'slack:T1:C1:1' }
    await saveAnswer(tenant, { ...answer, markdown: `answer of ${tenant.slug}` })
  }
  const foreign: string[] = []
  const asked = Array.from({ length: 200 }, async (_, at) => {
    const tenant = tenants[at % 2]!
    const other = tenants[(at + 1) % 2]!
    if (at % 5 === 0) {
      await tenant.transaction(async (tx) => {
        await tx.query('select * from knowledge_base')
        throw new Error('aborted')
      }).catch(() => {})
    }
    // The other's repository is asked for as well: its id means nothing here.
    const hits = await searchBm25(tenant, { tokens: ['same', 'canary', other.slug], limit: 10, repositoryIds: [...repositories.values()] })
    const chunks = await readChunks(tenant, hits.map(({ chunkId }) => chunkId))
    const answers = await answersInThread(tenant, 'slack:T1:C1:1', 5)
    const text = JSON.stringify([chunks, answers, await findRepository(tenant, 'same/name')])
    if (chunks.length !== 2 || answers.length !== 1 || text.includes(other.slug) || text.includes(repositories.get(other)!)) foreign.push(text)
  })
  await Promise.all(asked)
  expect(foreign).toEqual([])
})

test('a transaction inside another is refused at once instead of waiting for itself', async () => {
  await expect(acme.transaction(() => globex.transaction((tx) => tx.query('select 1')))).rejects.toMatchObject({ code: 'nested-transaction', message: expect.stringContaining('pass the open one down') })
  await expect(acme.transaction(() => db.control((tx) => tx.query('select 1')))).rejects.toMatchObject({ code: 'nested-transaction' })
})

describe('tenants', () => {
  test('hostile names are refused; schemas come from ids only', async () => {
    for (const slug of ['a"; drop schema nura cascade; --', 'pg_temp', 'A', '', 'ünï', '-a', 'a-', 'a'.repeat(300)]) {
      await expect(createTenant(db, { slug, name: 'x' }), slug).rejects.toMatchObject({ code: 'bad-tenant-name', field: 'slug' })
    }
    const named = await createTenant(db, { slug: 'public', name: `"; drop schema nura cascade; --` })
    expect(named.schema).toMatch(/^t_[0-9a-f]{32}$/)
    await expect(createTenant(db, { slug: 'public', name: 'again' })).rejects.toMatchObject({ code: 'tenant-exists', field: 'slug', message: expect.stringContaining('"public"') })
    await offboardTenant(db, named.id)
  })

  test('of many who create the same tenant at once one succeeds', async () => {
    const tries = await Promise.allSettled(Array.from({ length: 5 }, () => createTenant(db, { slug: 'contested', name: 'x' })))
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(tries.flatMap((tried) => (tried.status === 'rejected' ? [tried.reason.code] : []))).toEqual(Array(4).fill('tenant-exists'))
  })

  test('deletion leaves no schema, role or row, tells what was there, may be repeated, and spares the neighbour', async () => {
    const doomed = await createTestTenant(db, 'doomed')
    const context = await createTestRepository(doomed)
    await writeFiles(doomed, context, [makeFile('a.ts', ['one', 'two'])])
    const receipt = await offboardTenant(db, doomed.id, { dropElsewhere: async () => [{ store: 'cache', table: 'entries', rows: 3 }] })
    const dropped = receipt?.steps.flatMap((step) => step.dropped)
    expect(dropped).toContainEqual({ store: 'database', table: 'knowledge_base', rows: 2 })
    expect(dropped).toContainEqual({ store: 'database', table: 'nura.tenant', rows: 1 })
    expect(dropped).toContainEqual({ store: 'cache', table: 'entries', rows: 3 })
    expect(receipt?.endedAt).toBeInstanceOf(Date)
    expect(JSON.stringify(receipt)).not.toContain('doomed')
    expect(await offboardTenant(db, doomed.id)).toEqual(receipt)
    expect(await offboardTenant(db, '00000000-0000-4000-8000-000000000000')).toBeNull()
    expect(await findTenant(db, 'doomed')).toBeNull()
    expect((await listTenants(db)).map(({ slug }) => slug)).toContain('acme')
    await expect(db.tenant(doomed.id)).rejects.toMatchObject({ code: 'unknown-tenant' })
    await expect(doomed.transaction((tx) => tx.query('select 1'))).rejects.toMatchObject({ code: 'unknown-tenant', message: 'There is no such tenant any more.', cause: { code: '22023' } })
    const left = await db.control((tx) => tx.query('select nspname from pg_namespace where nspname = $1 union all select rolname from pg_roles where rolname = $1', [doomed.schema]))
    expect(left).toEqual([])
    expect(await acme.transaction((tx) => tx.query('select 1 as alive'))).toEqual([{ alive: 1 }])
  })
})
