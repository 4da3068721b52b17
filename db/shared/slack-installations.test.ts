import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Db, TenantDb } from '../index.ts'
import { createTestTenant, openTestDb } from '../testing/open-test-db.ts'
import { approveChannel, deleteInstallation, findInstallation, isChannelApproved, revokeChannel, saveInstallation } from './slack-installations.ts'
import { isKnown, remember } from './readers.ts'

let db: Db
let acme: TenantDb
let globex: TenantDb
beforeAll(async () => {
  db = await openTestDb()
  acme = await createTestTenant(db)
  globex = await createTestTenant(db)
})
afterAll(() => db.close())

const token = 'xoxb-1234-secret'
const install = (overrides: Partial<Parameters<typeof saveInstallation>[1]> = {}) =>
  saveInstallation(db, { tenantId: acme.id, teamId: 'T1', enterpriseId: null, botToken: token, botUserId: 'U1', installation: { botId: 'B1' }, ...overrides })

describe('installations', () => {
  test('a token is found again and is nowhere in the database as it is', async () => {
    await install()
    expect(await findInstallation(db, { teamId: 'T1', enterpriseId: null })).toMatchObject({ tenantId: acme.id, botToken: token, botUserId: 'U1', botId: 'B1' })
    const dump = await db.control((tx) => tx.query('select * from slack_installation'))
    expect(JSON.stringify(dump)).not.toContain('xoxb')
    expect(await findInstallation(db, { teamId: 'T2', enterpriseId: null })).toBeNull()
  })

  test('a row moved to another tenant, or changed by one bit, does not open', async () => {
    await install({ teamId: 'T3' })
    await db.control((tx) => tx.query(`update slack_installation set tenant_id = $1 where team_id = 'T3'`, [globex.id]))
    await expect(findInstallation(db, { teamId: 'T3', enterpriseId: null })).rejects.toMatchObject({ code: 'secret-unreadable' })
  })

  test('a workspace of another tenant is not taken over while it is installed there', async () => {
    await install({ teamId: 'T4' })
    await expect(install({ teamId: 'T4', tenantId: globex.id })).rejects.toMatchObject({ code: 'installed-elsewhere' })
    expect(await deleteInstallation(db, { teamId: 'T4', enterpriseId: null })).toBe(true)
    await install({ teamId: 'T4', tenantId: globex.id })
    expect(await findInstallation(db, { teamId: 'T4', enterpriseId: null })).toMatchObject({ tenantId: globex.id })
  })

  test('removal destroys the token; one that was announced before a new installation leaves that alone', async () => {
    await install({ teamId: 'T5' })
    expect(await deleteInstallation(db, { teamId: 'T5', enterpriseId: null }, new Date(Date.now() - 60_000))).toBe(false)
    expect(await findInstallation(db, { teamId: 'T5', enterpriseId: null })).not.toBeNull()
    expect(await deleteInstallation(db, { teamId: 'T5', enterpriseId: null })).toBe(true)
    expect(await deleteInstallation(db, { teamId: 'T5', enterpriseId: null })).toBe(false)
    expect(await findInstallation(db, { teamId: 'T5', enterpriseId: null })).toBeNull()
    expect(await db.control((tx) => tx.query(`select bot_token from slack_installation where team_id = 'T5'`))).toEqual([{ bot_token: '' }])
  })

  test('a workspace without its own installation is served by that of its organisation', async () => {
    await install({ teamId: null, enterpriseId: 'E1', botToken: 'xoxb-org' })
    expect(await findInstallation(db, { teamId: 'T9', enterpriseId: 'E1' })).toMatchObject({ botToken: 'xoxb-org', teamId: null })
    await install({ teamId: 'T9', enterpriseId: 'E1', botToken: 'xoxb-own' })
    expect(await findInstallation(db, { teamId: 'T9', enterpriseId: 'E1' })).toMatchObject({ botToken: 'xoxb-own' })
  })

  test('a shared channel is approved and revoked for its tenant alone', async () => {
    await approveChannel(db, acme.id, 'C1', 'U1')
    await approveChannel(db, acme.id, 'C1', 'U2')
    expect([await isChannelApproved(db, acme.id, 'C1'), await isChannelApproved(db, globex.id, 'C1')]).toEqual([true, false])
    await revokeChannel(db, acme.id, 'C1')
    expect(await isChannelApproved(db, acme.id, 'C1')).toBe(false)
  })

  test('a reader is known to the tenant, and as the kind, that was seen', async () => {
    await remember(db, acme.id, { kind: 'channel', id: 'slack:T1:C1', surface: 'slack' })
    await remember(db, acme.id, { kind: 'channel', id: 'slack:T1:C1', surface: 'slack' })
    const known = await Promise.all([isKnown(db, acme.id, 'channel', 'slack:T1:C1'), isKnown(db, acme.id, 'person', 'slack:T1:C1'), isKnown(db, globex.id, 'channel', 'slack:T1:C1')])
    expect(known).toEqual([true, false, false])
  })
})
