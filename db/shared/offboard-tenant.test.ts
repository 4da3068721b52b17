import { setImmediate as breathe } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TenantDb } from '../index.ts'
import { migrate } from '../migrate.ts'
import { storeOf } from '../store.ts'
import { listRepositories } from '../tenant/repositories.ts'
import { writeFiles } from '../tenant/write-files.ts'
import { createTestRepository } from '../testing/create-repository.ts'
import { makeFile } from '../testing/make-file.ts'
import { createTestTenant, openTestDb } from '../testing/open-test-db.ts'
import { watchSql } from '../testing/watch-sql.ts'
import { accept } from './inbox.ts'
import { listOpenOffboardings, offboardTenant } from './offboard-tenant.ts'
import { findInstallation, saveInstallation } from './slack-installations.ts'
import { createTenant, findTenant, listTenants } from './tenants.ts'

let db: Awaited<ReturnType<typeof openTestDb>>
beforeAll(async () => void (db = await openTestDb()))
afterAll(() => db.close())

let made = 0

/** A tenant with content, a bot token and an event. */
async function inhabited(): Promise<{ tenant: TenantDb; teamId: string; keep(): ReturnType<typeof accept> }> {
  const teamId = `T${++made}`
  const tenant = await createTestTenant(db, `doomed-${made}`)
  await writeFiles(tenant, await createTestRepository(tenant), [makeFile('a.ts', ['one', 'two'])])
  await saveInstallation(db, { tenantId: tenant.id, teamId, enterpriseId: null, botToken: 'xoxb-doomed', botUserId: 'U1', installation: {} })
  let events = 0
  const keep = () => accept(db, { tenantId: tenant.id, surface: 'slack', kind: 'message', eventKey: `${teamId}-${++events}`, threadKey: teamId, payload: {} })
  await keep()
  return { tenant, teamId, keep }
}

async function left({ id, schema }: TenantDb): Promise<unknown[]> {
  const tables = ['tenant_key', 'slack_installation', 'inbox', 'workspace', 'reader']
  const rows = tables.map((table) => `select '${table}' as what from ${table} where tenant_id = $1`)
  const names = `select nspname from pg_namespace where nspname = $2 union all select rolname from pg_roles where rolname in ($2, replace($2, 't_', 'gone_'))`
  return db.control((tx) => tx.query(`${rows.join(' union all ')} union all select 'tenant' from tenant where id = $1 union all ${names} union all select scope from migration where scope = $2`, [id, schema]))
}

test('T19: cut off in any of its steps, it is ended by what looks for the rest, and the receipt counts everything once', async () => {
  const cuts = [/alter role/, /lock table/, /^drop role/, /jsonb_build_array\(\$2::jsonb\)/, /set ended_at/]
  for (const [at, cut] of cuts.entries()) {
    const { tenant, teamId, keep } = await inhabited()
    const stop = watchSql(db, ({ text }) => {
      if (cut.test(text)) throw new Error('the process ended here')
    })
    await expect(offboardTenant(db, tenant.id), String(cut)).rejects.toThrow('ended here')
    stop()
    expect(await listOpenOffboardings(db)).toHaveLength(at === 0 || at === 3 ? 0 : 1)
    const isClosed = (await findTenant(db, tenant.id)) === null
    if (isClosed) {
      await expect(db.tenant(tenant.id)).rejects.toMatchObject({ code: 'unknown-tenant' })
      await expect(tenant.transaction((tx) => tx.query('select 1'))).rejects.toMatchObject({ code: 'unknown-tenant' })
      await expect(keep()).rejects.toMatchObject({ code: 'unknown-tenant' })
      expect(await findInstallation(db, { teamId, enterpriseId: null })).toBeNull()
      expect(await migrate(db)).toEqual([])
      expect((await listTenants(db)).map(({ id }) => id)).not.toContain(tenant.id)
    } else {
      expect(await keep()).toMatchObject({ isNew: true })
      await offboardTenant(db, tenant.id)
    }
    for (const id of await listOpenOffboardings(db)) await offboardTenant(db, id, { dropElsewhere: async () => [{ store: 'cache', table: 'entries', rows: 1 }] })
    expect(await left(tenant)).toEqual([])
    const receipt = (await offboardTenant(db, tenant.id))!
    expect(receipt.endedAt).toBeInstanceOf(Date)
    expect(receipt.steps.map(({ step }) => step)).toEqual(['closed', 'dropped', 'elsewhere'])
    const dropped = receipt.steps.flatMap((step) => step.dropped)
    for (const [table, rows] of [['nura.tenant_key', 1], ['nura.slack_installation', 1], ['nura.inbox', isClosed ? 1 : 2], ['knowledge_base', 2], ['nura.tenant', 1]] as const) {
      expect(dropped.filter((each) => each.table === table), table).toEqual([{ store: 'database', table, rows }])
    }
  }
}, 300_000)

test('T19: of several who delete one tenant at once all get the same receipt, and its name can be used again at once', async () => {
  const { tenant } = await inhabited()
  const receipts = await Promise.all([1, 2, 3].map(() => offboardTenant(db, tenant.id)))
  for (const receipt of receipts) expect(receipt).toEqual(receipts[0])
  const again = await createTenant(db, { slug: tenant.slug, name: 'again' })
  expect(again.id).not.toBe(tenant.id)
  expect(await listRepositories(await db.tenant(again.id))).toEqual([])
})

test('T19: while several write to it: every writer is told that the tenant is gone, nobody is told of a deadlock, the neighbour writes on', async () => {
  const [{ tenant }, neighbour] = [await inhabited(), await createTestTenant(db)]
  const home = await createTestRepository(neighbour)
  const causes: unknown[] = []
  const seen: unknown[] = []
  let written = 0
  let isOver = false
  // The embedded store answers without ever giving way to a timer: who writes on and on would be alone with it.
  const writer = async (at: number) => {
    const context = await createTestRepository(tenant)
    for (let file = 0; ; file++) {
      await writeFiles(tenant, context, [makeFile(`${at}-${file}.ts`, ['one', `two ${file}`])])
      written++
      await breathe()
    }
  }
  const writers = [1, 2].map((at) =>
    writer(at).catch((error: { code?: string; cause?: { code?: string } }) => {
      seen.push(error.code)
      causes.push(error.cause?.code)
    }),
  )
  const beside = (async () => {
    for (let file = 0; !isOver; file++) {
      await writeFiles(neighbour, home, [makeFile(`${file}.ts`, ['ours'])])
      await breathe()
    }
  })()
  await expect.poll(() => written).toBeGreaterThan(2)
  await offboardTenant(db, tenant.id)
  await Promise.all(writers)
  isOver = true
  await beside
  expect(seen).toEqual(['unknown-tenant', 'unknown-tenant'])
  expect(causes).not.toContain('40P01')
  expect(await left(tenant)).toEqual([])
  expect(await neighbour.transaction((tx) => tx.query('select count(*) > 0 as has from file'))).toEqual([{ has: true }])
})

test('T19: a transaction that does not end is ended', async () => {
  if (db.kind === 'embedded') return
  const { tenant } = await inhabited()
  const client = await storeOf(db).pool.connect()
  await client.query(`begin; set local search_path to "${tenant.schema}"; select count(*) from knowledge_base`)
  await offboardTenant(db, tenant.id)
  await expect(client.query('select 1')).rejects.toThrow()
  client.release(true)
  expect(await left(tenant)).toEqual([])
})
