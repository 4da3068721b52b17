import { randomUUID } from 'node:crypto'
import { pino } from 'pino'
import type { TenantDb } from '#db/index.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { saveGithubInstallation } from '#db/shared/github-installations.ts'
import { createGithubApp } from '../github/app.ts'
import type { GithubApp, GithubAppRig } from '../github/app.ts'
import { readGithubConfig } from '../github/config.ts'
import { startFakeGithub } from './fake-github/start-fake-github.ts'

/** A fake GitHub, a database, and the App between them. */
export type TestGithub = Awaited<ReturnType<typeof openTestGithub>>

export async function openTestGithub() {
  const [db, github] = await Promise.all([openTestDb(), startFakeGithub()])

  return {
    db,
    github,
    /** The App as another process would have it: nothing is shared but the database. */
    openApp(rig: Partial<GithubAppRig> = {}, env: Record<string, string> = {}): GithubApp {
      return createGithubApp(readGithubConfig({ ...github.env(), ...env })!, { db, log: pino({ level: 'silent' }), ...rig })
    },
    /** An installation, with a tenant of its own where none is given. */
    async install({ tenant: given, account = `acme-${randomUUID().slice(0, 8)}` }: { tenant?: TenantDb; account?: string } = {}) {
      const tenant = given ?? (await createTestTenant(db))
      const installation = await github.addInstallation({ account })
      await saveGithubInstallation(db, { id: installation.id, tenantId: tenant.id, account, accountId: installation.account.id })
      return { tenant, installation }
    },
    async close() {
      await github.close()
      await db.close()
    },
  }
}
