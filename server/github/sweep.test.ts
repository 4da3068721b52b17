import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Db } from '#db/index.ts'
import { findGithubInstallation } from '#db/shared/github-installations.ts'
import { connectWorkspace } from '#db/shared/workspaces.ts'
import { findPullRequest, savePullRequest } from '#db/tenant/pull-requests.ts'
import { findRepositoryByExternalId, updateRepository } from '#db/tenant/repositories.ts'
import { openTestDb } from '#db/testing/open-test-db.ts'
import type { FakeRepository } from '../testing/fake-github/fake-repository.ts'
import { openGithubRig } from '../testing/open-github-rig.ts'
import type { GithubRig } from '../testing/open-github-rig.ts'

let db: Db
let rig: GithubRig
let app: FakeRepository
beforeAll(async () => {
  db = await openTestDb()
})
afterAll(() => db.close())
beforeEach(async () => {
  rig = await openGithubRig(db, { env: { GITHUB_SWEEP_INTERVAL: '0' } })
  app = await rig.fake.addRepository({ installation: rig.installation, name: 'app', files: { 'a.ts': 'const a = 1\n' } })
  await rig.settle()
  await settled()
})
afterEach(() => rig.close())

const rowOf = async (repository: FakeRepository) => (await findRepositoryByExternalId(rig.tenant, repository.id))!
/** As a sync would leave it. */
async function settled(): Promise<void> {
  await updateRepository(rig.tenant, (await rowOf(app)).id, { state: 'ready', defaultBranch: 'main', indexedSha: await app.git('rev-parse', 'main') })
  rig.queued.length = 0
}
const names = () => rig.queued.map(({ name }) => name)
async function picture(): Promise<unknown> {
  const tables = await rig.tenant.transaction(async (tx) => [await tx.query('select xmin::text, * from repository order by id'), await tx.query('select xmin::text, * from pull_request order by number')])
  return [tables, rig.queued.length, rig.fake.calls.filter(({ method }) => method !== 'GET').length]
}
/** Writes and calls of one more sweep. */
async function again(): Promise<{ calls: { path: string; status: number }[] }> {
  const before = await picture()
  const calls = rig.fake.calls.length
  await rig.sweep()
  await rig.settle()
  expect(await picture()).toEqual(before)
  return { calls: rig.fake.calls.slice(calls).map(({ path, status }) => ({ path, status })) }
}

it('a push that was never delivered is found by the head, and once it is indexed there is nothing to do', async () => {
  rig.fake.deliveries.hookUrl = null
  await app.commit({ 'a.ts': 'const a = 2\n' })
  await rig.sweep()
  expect(names()).toEqual(['sync-repository'])
  await settled()
  const { calls } = await again()
  expect(calls.filter(({ path }) => path.startsWith('/repos/')).map(({ status }) => status)).toEqual([304, 304])
  expect(rig.fake.unknown).toEqual([])
})

it('what happens in a repository is looked at before it is indexed, but not while it is forgotten', async () => {
  const eager = await openGithubRig(db, { activity: true, env: { GITHUB_SWEEP_INTERVAL: '0' } })
  const fresh = await eager.fake.addRepository({ installation: eager.installation, name: 'fresh', files: { 'a.ts': 'const a = 1\n' } })
  await eager.settle()
  const { id, state } = (await findRepositoryByExternalId(eager.tenant, fresh.id))!
  expect(state).toBe('new')
  const looks = async () => {
    eager.queued.length = 0
    await eager.sweep()
    return eager.queued.filter(({ name, payload }) => name === 'sync-activity' && (payload as { repositoryId: string }).repositoryId === id).length
  }
  expect(await looks()).toBe(1)
  await updateRepository(eager.tenant, id, { state: 'forgetting' })
  eager.installation.repositories.delete(fresh.id)
  expect(await looks()).toBe(0)
  await eager.close()
})

it('a delivery that failed is asked for again, once', async () => {
  const issue = await app.openIssue({ author: 'ada' })
  rig.fake.deliveries.dropNext()
  await issue.comment('ada', '@nura where is a?')
  expect(rig.mentions).toHaveLength(0)
  await rig.sweep()
  await rig.fake.deliveries.settle()
  await rig.settle()
  expect(rig.mentions).toHaveLength(1)
  await again()
  expect(rig.fake.callsTo('POST', /\/attempts$/)).toHaveLength(1)
})

it('a delivery that fails for ever is asked for once', async () => {
  rig.fake.deliveries.dropNext(10)
  await app.rename('other')
  await rig.sweep()
  await rig.fake.deliveries.settle()
  await again()
  expect(rig.fake.callsTo('POST', /\/attempts$/)).toHaveLength(1)
})

it('lost lifecycle is found: renamed, made private, added, removed', async () => {
  rig.fake.deliveries.auto = false
  await app.rename('renamed')
  await app.setPrivate(true)
  const added = await rig.fake.addRepository({ installation: rig.installation, name: 'added' })
  await rig.sweep()
  expect(await rig.repositories()).toMatchObject([{ name: 'acme/added' }, { name: 'acme/renamed', isPublic: false }])
  await rig.fake.removeFrom(rig.installation, added)
  await rig.sweep()
  await rig.settle()
  expect(await rig.repositories()).toMatchObject([{ name: 'acme/renamed' }])
})

it('an installation that was bound but never told of itself is found; one that left is forgotten', async () => {
  const quiet = await openGithubRig(db, { env: { GITHUB_SWEEP_INTERVAL: '0' }, owner: 'nobody' })
  quiet.fake.deliveries.auto = false
  await quiet.fake.addRepository({ installation: quiet.installation, name: 'lib' })
  await quiet.sweep()
  expect(await findGithubInstallation(db, quiet.installation.id)).toBeNull()
  await connectWorkspace(db, quiet.tenant.id, { surface: 'github', id: String(quiet.installation.id) })
  await quiet.sweep()
  await quiet.settle()
  expect(await quiet.repositories()).toMatchObject([{ name: 'acme/lib' }])
  await quiet.fake.uninstall(quiet.installation)
  await quiet.sweep()
  await quiet.settle()
  expect(await quiet.repositories()).toEqual([])
  expect((await findGithubInstallation(db, quiet.installation.id))?.state).toBe('deleted')
  await quiet.close()
})

it('the configured installation belongs to the configured tenant, without a word from anyone', async () => {
  const one = await openGithubRig(db, { env: { GITHUB_SWEEP_INTERVAL: '0' }, owner: 'configuration' })
  one.fake.deliveries.auto = false
  await one.fake.addRepository({ installation: one.installation, name: 'lib' })
  await one.sweep()
  await one.settle()
  expect(await one.repositories()).toMatchObject([{ name: 'acme/lib' }])
  await one.close()
})

it('a suspended installation gets no call of its own, and is back when GitHub says so', async () => {
  await rig.fake.suspend(rig.installation)
  await rig.settle()
  rig.fake.deliveries.auto = false
  const { calls } = await again()
  expect(calls.filter(({ path }) => !path.startsWith('/app'))).toEqual([])
  await rig.fake.unsuspend(rig.installation)
  await rig.sweep()
  await rig.settle()
  expect((await findGithubInstallation(db, rig.installation.id))?.state).toBe('active')
})

it('pull requests that nobody told of are found: opened, pushed to, closed', async () => {
  rig.fake.deliveries.hookUrl = null
  const { id } = await rowOf(app)
  const pull = await app.openPull({ branch: 'topic', files: { 'b.ts': 'const b = 1\n' }, author: 'ada' })
  await rig.sweep()
  expect(names()).toEqual(['summarise-pull-request'])
  expect(await findPullRequest(rig.tenant, id, pull.number)).toMatchObject({ headSha: pull.pull.head.sha, state: 'open', author: 'ada' })
  // The hint was lost with the queue: it comes again until there is a summary.
  rig.queued.length = 0
  await rig.sweep()
  expect(names()).toEqual(['summarise-pull-request'])
  await savePullRequest(rig.tenant, { repositoryId: id, number: pull.number, summarisedSha: pull.pull.head.sha })
  rig.queued.length = 0
  await rig.sweep()
  await again()
  expect(names()).toEqual([])
  await pull.push({ 'b.ts': 'const b = 2\n' })
  await rig.sweep()
  expect([names(), (await findPullRequest(rig.tenant, id, pull.number))?.headSha]).toEqual([['summarise-pull-request'], pull.pull.head.sha])
  await pull.close()
  await rig.sweep()
  expect((await findPullRequest(rig.tenant, id, pull.number))?.state).toBe('closed')
})

it('pull requests from before the connection, drafts and those of bots are left in peace', async () => {
  rig.fake.deliveries.hookUrl = null
  const { id } = await rowOf(app)
  const old = await app.openPull({ branch: 'old', files: { 'b.ts': 'const b = 1\n' } })
  Object.assign(old, { createdAt: '2020-01-01T00:00:00Z' })
  await app.openPull({ branch: 'draft', files: { 'c.ts': 'const c = 1\n' }, draft: true })
  await app.openPull({ branch: 'skip', files: { 'd.ts': 'const d = 1\n' }, labels: ['nura:skip'] })
  await rig.sweep()
  expect([names(), await findPullRequest(rig.tenant, id, old.number)]).toEqual([[], null])
  await again()
})

it('an installation that GitHub puts off, or whose calls fail, does not hold up the others', async () => {
  rig.fake.deliveries.hookUrl = null
  const other = await rig.fake.addInstallation({ account: 'globex' })
  await connectWorkspace(db, rig.tenant.id, { surface: 'github', id: String(other.id) })
  await rig.fake.addRepository({ installation: other, name: 'lib' })
  rig.fake.fail({ path: /^\/installation\/repositories$/, installation: rig.installation.id }, { kind: 'secondary', seconds: 30 })
  await rig.sweep()
  await rig.settle()
  await rig.sweep()
  expect((await rig.repositories()).map(({ name }) => name)).toEqual(['acme/app', 'globex/lib'])
  const calls = rig.fake.calls.filter(({ installation }) => installation === rig.installation.id).length
  await rig.sweep()
  expect(rig.fake.calls.filter(({ installation }) => installation === rig.installation.id).length).toBe(calls)
})

it('what is due is swept once in the time that is set, by one process', async () => {
  const slow = await openGithubRig(db, { env: { GITHUB_SWEEP_INTERVAL: '300' } })
  await slow.settle()
  await Promise.all([slow.sweep(), slow.sweep(), slow.sweep()])
  const calls = slow.fake.callsTo('GET', /^\/installation\/repositories$/).length
  await slow.sweep()
  expect(slow.fake.callsTo('GET', /^\/installation\/repositories$/).length).toBe(calls)
  await slow.close()
})

it('a summary that failed is tried again, but not by every sweep', async () => {
  const calm = await openGithubRig(db, { env: { GITHUB_SWEEP_INTERVAL: '300' } })
  const repository = await calm.fake.addRepository({ installation: calm.installation, name: 'calm', files: { 'a.ts': 'const a = 1\n' } })
  await calm.settle()
  const { id } = (await findRepositoryByExternalId(calm.tenant, repository.id))!
  await updateRepository(calm.tenant, id, { state: 'ready', defaultBranch: 'main', indexedSha: await repository.git('rev-parse', 'main') })
  calm.fake.deliveries.auto = false
  const minutesAgo = { lately: 50, before: 61 }
  for (const [branch, minutes] of Object.entries(minutesAgo)) {
    const pull = await repository.openPull({ branch, files: { 'b.ts': `const b = ${minutes}\n` } })
    const headSha = pull.pull.head.sha
    await savePullRequest(calm.tenant, { repositoryId: id, number: pull.number, headSha, failedSha: headSha, runStartedAt: new Date(Date.now() - minutes * 60_000) })
  }
  calm.queued.length = 0
  await calm.sweep()
  expect(calm.queued.filter(({ name }) => name === 'summarise-pull-request')).toMatchObject([{ payload: { repositoryId: id, number: 2 } }])
  await calm.close()
})
