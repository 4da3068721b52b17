import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db, TenantDb } from '#db/index.ts'
import { findGithubInstallation } from '#db/shared/github-installations.ts'
import { connectWorkspace, findWorkspaceTenant } from '#db/shared/workspaces.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { createLog } from '../../log.ts'
import { startFakeGithub } from '../../testing/fake-github/start-fake-github.ts'
import type { FakeGithub } from '../../testing/fake-github/start-fake-github.ts'
import { createGithubApp } from '../app.ts'
import type { GithubApp } from '../app.ts'
import { readGithubConfig } from '../config.ts'
import { adoptInstallation } from './adopt-installation.ts'

let db: Db
let acme: TenantDb
let github: FakeGithub
let app: GithubApp
beforeAll(async () => {
  db = await openTestDb()
  acme = await createTestTenant(db, 'acme')
  github = await startFakeGithub()
  app = createGithubApp(readGithubConfig(github.env())!, { db, log: createLog({ level: 'silent', process: 'test' }) })
})
afterAll(async () => {
  await github.close()
  await db.close()
})

test('an installation gets the name that GitHub gives it, however often', async () => {
  const { id, account } = await github.addInstallation({ account: 'acme-inc', accountType: 'Organization' })
  expect(await adoptInstallation(db, app, acme.id, id)).toEqual({ account: 'acme-inc', isSuspended: false })
  await adoptInstallation(db, app, acme.id, id)
  expect(await findGithubInstallation(db, id)).toMatchObject({ tenantId: acme.id, account: 'acme-inc', accountId: account.id, state: 'active' })
})

test('one that is suspended on GitHub is so here', async () => {
  const installation = await github.addInstallation({ account: 'paused', accountType: 'Organization' })
  await github.suspend(installation)
  expect(await adoptInstallation(db, app, acme.id, installation.id)).toEqual({ account: 'paused', isSuspended: true })
  expect(await findGithubInstallation(db, installation.id)).toMatchObject({ state: 'suspended' })
})

test('one that the App does not have is refused', async () => {
  await expect(adoptInstallation(db, app, acme.id, 99)).rejects.toMatchObject({ code: 'github-not-found', message: expect.stringContaining('no installation 99') as unknown })
  expect(await findWorkspaceTenant(db, { surface: 'github', id: '99' })).toBeNull()
})

test('one of another tenant stays there', async () => {
  const { id } = await github.addInstallation({ account: 'theirs', accountType: 'Organization' })
  await connectWorkspace(db, (await createTestTenant(db, 'other')).id, { surface: 'github', id: String(id) })
  await expect(adoptInstallation(db, app, acme.id, id)).rejects.toMatchObject({ code: 'connected-elsewhere' })
  expect(await findGithubInstallation(db, id)).toBeNull()
})
