import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Db } from '#db/index.ts'
import { findGithubInstallation } from '#db/shared/github-installations.ts'
import { addRepository, findRepositoryByExternalId, listRepositories, updateRepository } from '#db/tenant/repositories.ts'
import { openTestDb } from '#db/testing/open-test-db.ts'
import { signToken } from '../testing/open-test-server.ts'
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
  rig = await openGithubRig(db)
  app = await rig.fake.addRepository({ installation: rig.installation, name: 'app', private: true, files: { 'a.ts': 'const a = 1\n' } })
  await rig.settle()
})
afterEach(() => rig.close())

const state = async () => (await findGithubInstallation(db, rig.installation.id))?.state
const rowOf = (repository: FakeRepository) => findRepositoryByExternalId(rig.tenant, repository.id)
const queuedFor = (name: string) => rig.queued.filter((job) => job.name === name)
/** Posts what the fake would, with any part of it spoilt. */
const post = async (name: string, payload: object) => {
  const event = rig.fake.event(name, payload)
  expect(await rig.fake.deliver(rig.hookUrl, event)).toBe(202)
  await rig.settle()
  return (await rig.rowOf(event.guid))?.outcome
}

it('an installation that the operator bound brings its repositories', async () => {
  expect(await state()).toBe('active')
  expect(await rig.repositories()).toEqual([{ name: 'acme/app', externalId: app.id, state: 'new', isPublic: false }])
  expect(queuedFor('sync-repository')).toHaveLength(1)
  expect(await rowOf(app)).toMatchObject({ source: 'github', location: 'acme/app', installationId: rig.installation.id, audience: 'tenant', defaultBranch: 'main' })
  expect(rig.fake.unknown).toEqual([])
})

it('what is taken away is gone at once, and purged, without a call', async () => {
  const docs = await rig.fake.addRepository({ installation: rig.installation, name: 'docs', files: { 'a.md': '# A\n' } })
  await rig.settle()
  const calls = rig.fake.calls.length
  await rig.fake.removeFrom(rig.installation, docs)
  await rig.settle()
  expect((await rig.repositories()).map(({ name }) => name)).toEqual(['acme/app'])
  await app.delete()
  await rig.settle()
  expect(await rig.repositories()).toEqual([])
  expect(rig.fake.calls.length).toBe(calls)
})

it('an installation that is deleted is called no more, and nothing of it stays', async () => {
  await rig.fake.uninstall(rig.installation)
  const calls = rig.fake.calls.length
  await rig.settle()
  expect([await state(), await rig.repositories()]).toEqual(['deleted', []])
  expect(await post('push', await rig.fake.payloads.push(app, { ref: 'refs/heads/main', before: '0'.repeat(40), after: await app.git('rev-parse', 'main') }))).toBeUndefined()
  await rig.sweep()
  expect(rig.fake.calls.slice(calls).filter(({ path }) => !path.startsWith('/app'))).toEqual([])
})

it('a suspended installation is not called; when it is back GitHub is asked', async () => {
  await rig.fake.suspend(rig.installation)
  await rig.settle()
  const calls = rig.fake.calls.length
  await app.commit({ 'a.ts': 'const a = 2\n' })
  await rig.settle()
  expect([await state(), rig.fake.calls.length, (await rowOf(app))?.state]).toEqual(['suspended', calls, 'new'])
  await rig.fake.unsuspend(rig.installation)
  await rig.settle()
  expect(await state()).toBe('active')
})

it('a claim of being back is checked with GitHub', async () => {
  await rig.fake.suspend(rig.installation)
  await rig.settle()
  expect(await post('installation', rig.fake.payloads.installation('unsuspend', rig.installation))).toBe('queued:sync-installation')
  expect(await state()).toBe('suspended')
})

it('privatized counts at once; publicized only when GitHub says so', async () => {
  await app.setPrivate(false)
  await rig.settle()
  expect((await rowOf(app))?.isPublic).toBe(true)
  const calls = rig.fake.calls.length
  await app.setPrivate(true)
  await rig.settle()
  expect([(await rowOf(app))?.isPublic, rig.fake.calls.length]).toEqual([false, calls])
  await post('repository', { ...rig.fake.payloads.repository('publicized', app) })
  expect((await rowOf(app))?.isPublic).toBe(false)
})

it('a renamed and a transferred repository is the same one, also when two change names', async () => {
  const other = await rig.fake.addRepository({ installation: rig.installation, name: 'other', files: { 'b.ts': 'const b = 1\n' } })
  await rig.settle()
  const ids = [(await rowOf(app))?.id, (await rowOf(other))?.id]
  rig.fake.deliveries.auto = false
  await app.rename('swap')
  await other.rename('app')
  rig.fake.deliveries.auto = true
  await app.rename('other')
  await rig.settle()
  expect((await rig.repositories()).map(({ name, externalId }) => [name, externalId])).toEqual([['acme/app', other.id], ['acme/other', app.id]])
  await app.transfer('globex', 'Organization')
  await rig.settle()
  expect([(await rowOf(app))?.id, (await rowOf(other))?.id]).toEqual(ids)
  expect(await rowOf(app)).toMatchObject({ name: 'globex/other', location: 'globex/other' })
})

it('a name that another source has is not taken from it', async () => {
  await addRepository(rig.tenant, { name: 'acme/tool', source: 'git', location: '/srv/tool' })
  await rig.fake.addRepository({ installation: rig.installation, name: 'tool' })
  await rig.settle()
  expect((await listRepositories(rig.tenant)).map(({ name, location }) => [name, location])).toEqual([['acme/app', 'acme/app'], ['acme/tool', '/srv/tool'], ['github:acme/tool', 'acme/tool']])
})

it('a name goes to the new repository while the old one is still being emptied', async () => {
  await updateRepository(rig.tenant, (await rowOf(app))!.id, { state: 'ready' })
  rig.fake.deliveries.auto = false
  await app.delete()
  rig.fake.deliveries.auto = true
  const next = await rig.fake.addRepository({ installation: rig.installation, name: 'app' })
  await rig.settle()
  expect(await rig.repositories()).toEqual([{ name: 'acme/app', externalId: next.id, state: 'new', isPublic: true }])
})

it('what is listed again before it was emptied is kept', async () => {
  const { id } = (await rowOf(app))!
  await updateRepository(rig.tenant, id, { state: 'forgetting' })
  await post('installation_repositories', rig.fake.payloads.installationRepositories('added', rig.installation, [app.id]))
  expect(await rowOf(app)).toMatchObject({ id, state: 'new' })
})

it('one tenant cannot speak of what another has', async () => {
  const theirs = await openGithubRig(db)
  const secret = await theirs.fake.addRepository({ installation: theirs.installation, name: 'app', private: true, files: { 'a.ts': 'const a = 1\n' } })
  await theirs.settle()
  const forged = (of: FakeRepository) => ({ ...rig.fake.payloads.repository('deleted', app), repository: { ...theirs.fake.payloads.repository('deleted', of).repository as object, owner: { id: 999_999, login: 'globex' }, full_name: 'globex/app' } })
  expect(await post('repository', forged(secret))).toBe('refused:not-yours')
  expect(await theirs.repositories()).toMatchObject([{ externalId: secret.id, state: 'new' }])
  expect(rig.server.lines.some((line) => line.includes('does not belong to its installation'))).toBe(true)
  await theirs.close()
})

it('cannot be forgotten over the API while GitHub has it, for it would come back', async () => {
  const remove = async () => (await fetch(`${rig.server.url}/v1/repositories/${(await rowOf(app))!.id}`, { method: 'DELETE', headers: { authorization: `Bearer ${await signToken(rig.tenant)}` } })).status
  expect(await remove()).toBe(409)
  await rig.fake.suspend(rig.installation)
  await rig.settle()
  expect(await remove()).toBe(202)
})

it('nothing to change writes nothing', async () => {
  const picture = () => rig.tenant.transaction((tx) => tx.query('select xmin::text, * from repository order by id'))
  const before = await picture()
  const queued = rig.queued.length
  await post('installation_repositories', rig.fake.payloads.installationRepositories('added', rig.installation, [app.id]))
  expect([await picture(), rig.queued.length]).toEqual([before, queued])
})

it('a listing that does not add up forgets nothing', async () => {
  const more = await rig.fake.addRepository({ installation: rig.installation, name: 'more' })
  await rig.settle()
  rig.fake.deliveries.auto = false
  const { world } = rig.fake
  for (let at = 0; at < 99; at++) {
    const id = world.nextId()
    world.repositories.set(id, { ...app, id, name: `bulk-${at}` })
    rig.installation.repositories.add(id)
  }
  // Between the pages one goes and another comes, so that the first of the second page steps over to the first, and is on neither.
  let pages = 0
  rig.fake.before({ path: /^\/installation\/repositories$/ }, async () => {
    if (++pages !== 2) return
    await rig.fake.removeFrom(rig.installation, world.findRepository('acme/bulk-0')!)
    const id = world.nextId()
    world.repositories.set(id, { ...app, id, name: 'zoo' })
    rig.installation.repositories.add(id)
  })
  await post('installation_repositories', rig.fake.payloads.installationRepositories('added', rig.installation, []))
  expect(pages).toBeGreaterThanOrEqual(2)
  expect((await rowOf(more))?.state).toBe('new')
  await rig.fake.removeFrom(rig.installation, more)
  await post('installation_repositories', rig.fake.payloads.installationRepositories('added', rig.installation, []))
  expect(await rowOf(more)).toBeNull()
})
