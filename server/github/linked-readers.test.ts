import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Db, TenantDb } from '#db/index.ts'
import { saveGithubInstallation, setGithubInstallationState } from '#db/shared/github-installations.ts'
import { linkGithubPerson, unlinkGithubPerson } from '#db/shared/github-people.ts'
import { remember } from '#db/shared/readers.ts'
import { addRepository, updateRepository } from '#db/tenant/repositories.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { createLog } from '../log.ts'
import type { Audience } from '../retrieval/audience.ts'
import { readableRepositories } from '../retrieval/readable-repositories.ts'
import type { ReadableParts } from '../retrieval/readable-repositories.ts'
import { startFakeGithub } from '../testing/fake-github/start-fake-github.ts'
import type { FakeGithub } from '../testing/fake-github/start-fake-github.ts'
import type { Account, Installation, Permission } from '../testing/fake-github/world.ts'
import { createGithubApp } from './app.ts'
import { readGithubConfig } from './config.ts'
import { createMayReadOnGithub } from './linked-readers.ts'
import { createPermissions } from './permissions.ts'

const alice = 'slack:T1:U0ALICE'
const person: Audience = { kind: 'person', id: alice }
const log = createLog({ level: 'silent', process: 'test' })
let db: Db
let acme: TenantDb
let github: FakeGithub
let installation: Installation
let octo: Account
let parts: ReadableParts
/** Added to the clock of what is remembered of rights. */
let later = 0

beforeAll(async () => {
  db = await openTestDb()
  acme = await createTestTenant(db, 'acme')
  github = await startFakeGithub()
  octo = github.world.account('octo')
  installation = await github.addInstallation({ account: 'acme', accountType: 'Organization' })
  await saveGithubInstallation(db, { id: installation.id, tenantId: acme.id, account: 'acme', accountId: installation.account.id })
  await remember(db, acme.id, { kind: 'person', id: alice, surface: 'slack' })
  for (const name of ['secret', 'shared']) await add(acme, name)
})
beforeEach(async () => {
  later += 10 * 60_000
  github.clearFaults()
  const app = createGithubApp(readGithubConfig(github.env())!, { db, log })
  parts = { db, mayReadOnGithub: createMayReadOnGithub({ db, log, permissions: createPermissions(app, { now: () => Date.now() + later }) }) }
  await setGithubInstallationState(db, installation.id, 'active')
  give('secret', 'none')
  give('shared', 'read')
  await linkGithubPerson(db, { tenantId: acme.id, reader: alice, githubId: octo.id, login: 'octo' })
})
afterAll(async () => {
  await github.close()
  await db.close()
})

const found = (name: string) => github.world.findRepository(`acme/${name}`)!
const give = (name: string, permission: Permission) => void found(name).permissions.set(octo.id, permission)

async function add(tenant: TenantDb, name: string): Promise<void> {
  await github.addRepository({ installation, name, private: true })
  await addRepository(tenant, { name: `acme/${name}`, source: 'github', location: `acme/${name}`, externalId: found(name).id, installationId: installation.id, audience: 'github' })
}

async function read(audience: Audience, tenant = acme): Promise<string[]> {
  return (await readableRepositories(parts, tenant, audience)).map(({ name }) => name)
}

it('opens to a person what their account may read, and nothing to anybody else', async () => {
  expect(await read(person)).toEqual(['acme/shared'])
  for (const audience of [{ kind: 'tenant' }, { kind: 'public' }, { kind: 'channel', id: 'slack:T1:C1' }, { kind: 'person', id: 'slack:T1:U0BOB' }] as const) expect(await read(audience)).toEqual([])
})

it('asks GitHub nothing for people without an account, nor when no source needs it', async () => {
  const before = github.calls.length
  await unlinkGithubPerson(db, acme.id, alice)
  expect(await read(person)).toEqual([])
  expect(await read({ kind: 'tenant' })).toEqual([])
  expect(github.calls.length).toBe(before)
})

it('forgets a right that was taken away within a minute', async () => {
  expect(await read(person)).toEqual(['acme/shared'])
  give('shared', 'none')
  later += 60_000
  expect(await read(person)).toEqual([])
})

it('follows the number of an account, not its name', async () => {
  octo.login = 'renamed'
  found('secret').permissions.set(github.world.account('octo').id, 'admin')
  expect(await read(person)).toEqual(['acme/shared'])
})

it.each([
  ['fails', { kind: 'status', status: 500 }],
  ['knows nobody of that name', { kind: 'status', status: 404 }],
  ['has had enough', { kind: 'secondary', seconds: 30 }],
  ['breaks the connection', { kind: 'drop' }],
] as const)('opens nothing when GitHub %s', async (_, fault) => {
  github.fail({ path: /\/collaborators\// }, fault, 99)
  expect(await read(person)).toEqual([])
  await db.control((tx) => tx.execute('update github_installation set blocked_until = null'))
})

it('opens nothing through an installation that is suspended or another tenant has', async () => {
  await setGithubInstallationState(db, installation.id, 'suspended')
  expect(await read(person)).toEqual([])
  await setGithubInstallationState(db, installation.id, 'active')

  const other = await createTestTenant(db, 'other')
  await remember(db, other.id, { kind: 'person', id: alice, surface: 'slack' })
  await linkGithubPerson(db, { tenantId: other.id, reader: alice, githubId: octo.id, login: 'octo' })
  await addRepository(other, { name: 'acme/shared', source: 'github', location: 'acme/shared', externalId: found('shared').id, installationId: installation.id, audience: 'github' })
  expect(await read(person, other)).toEqual([])
})

it('opens to everyone what is public there', async () => {
  const { id } = (await readableRepositories(parts, acme, person))[0]!
  await updateRepository(acme, id, { isPublic: true })
  expect(await read({ kind: 'public' })).toEqual(['acme/shared'])
  await updateRepository(acme, id, { isPublic: false })
  expect(await read({ kind: 'public' })).toEqual([])
})
