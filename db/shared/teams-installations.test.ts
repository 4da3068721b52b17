import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Db, TenantDb } from '../index.ts'
import { createTestTenant, openTestDb } from '../testing/open-test-db.ts'
import { findDirectoryTenant, findTeamsChannel, findTeamsInstallation, noteTeamsChannel, noteTeamsInstallation, noteTeamsRemoval } from './teams-installations.ts'
import { offboardTenant } from './offboard-tenant.ts'
import { connectWorkspace } from './workspaces.ts'

let db: Db
let acme: TenantDb
beforeAll(async () => {
  db = await openTestDb()
  acme = await createTestTenant(db)
})
afterAll(() => db?.close())

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second))
const scope = { directoryId: 'dir-1', scopeId: '19:team@thread.tacv2' }
const install = (second: number, given: { scopeId?: string; tenantId?: string; serviceUrl?: string } = {}) =>
  noteTeamsInstallation(db, { ...scope, tenantId: acme.id, botId: '28:nura', serviceUrl: 'https://smba.example/emea', ...given }, at(second))

describe('installations', () => {
  test('each scope of a directory is installed and removed for itself', async () => {
    await install(1)
    await install(1, { scopeId: 'a:chat' })
    await noteTeamsRemoval(db, acme.id, { ...scope, scopeId: 'a:chat' }, at(2))
    expect(await findTeamsInstallation(db, scope)).toEqual({ ...scope, tenantId: acme.id, botId: '28:nura', serviceUrl: 'https://smba.example/emea' })
    expect(await findTeamsInstallation(db, { ...scope, scopeId: 'a:chat' })).toBeNull()
    expect(await findTeamsInstallation(db, { ...scope, directoryId: 'dir-2' })).toBeNull()
  })

  test('the connector of the newest activity is kept', async () => {
    await install(9, { scopeId: 'moved', serviceUrl: 'https://smba.example/new' })
    await install(5, { scopeId: 'moved', serviceUrl: 'https://smba.example/old' })
    expect(await findTeamsInstallation(db, { ...scope, scopeId: 'moved' })).toMatchObject({ serviceUrl: 'https://smba.example/new' })
  })

  test('whatever the order in which they are told, the later of installation and removal counts', async () => {
    let count = 0
    const told = fc.array(fc.record({ installs: fc.boolean(), second: fc.integer({ min: 0, max: 30 }) }), { minLength: 1, maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(told, async (events) => {
        const scopeId = `scope-${++count}`
        for (const { installs, second } of events) await (installs ? install(second, { scopeId }) : noteTeamsRemoval(db, acme.id, { ...scope, scopeId }, at(second)))
        const last = (installs: boolean) => Math.max(-1, ...events.filter((event) => event.installs === installs).map(({ second }) => second))
        expect((await findTeamsInstallation(db, { ...scope, scopeId })) !== null).toBe(last(true) > last(false))
      }),
      { numRuns: 60 },
    )
  })

  test('all of it goes with its tenant', async () => {
    const gone = await createTestTenant(db)
    await install(1, { scopeId: 'gone', tenantId: gone.id })
    await noteTeamsChannel(db, gone.id, { directoryId: 'dir-1', channelId: '19:gone', teamId: 'gone', groupId: null })
    await offboardTenant(db, gone.id)
    expect(await findTeamsInstallation(db, { ...scope, scopeId: 'gone' })).toBeNull()
    expect(await findTeamsChannel(db, 'dir-1', '19:gone')).toBeNull()
  })
})

test('the team of a channel is kept, and its group once it is told', async () => {
  const channel = { directoryId: 'dir-1', channelId: '19:general', teamId: scope.scopeId }
  await noteTeamsChannel(db, acme.id, { ...channel, groupId: null })
  expect(await findTeamsChannel(db, 'dir-1', '19:general')).toEqual({ ...channel, groupId: null })
  await noteTeamsChannel(db, acme.id, { ...channel, groupId: 'group-1' })
  await noteTeamsChannel(db, acme.id, { ...channel, groupId: null })
  expect(await findTeamsChannel(db, 'dir-1', '19:general')).toEqual({ ...channel, groupId: 'group-1' })
  expect(await findTeamsChannel(db, 'dir-2', '19:general')).toBeNull()
})

test('a directory belongs to the tenant that it was connected to', async () => {
  expect(await findDirectoryTenant(db, 'dir-9')).toBeNull()
  await connectWorkspace(db, acme.id, { surface: 'teams', id: 'dir-9' })
  expect(await findDirectoryTenant(db, 'dir-9')).toBe(acme.id)
})
