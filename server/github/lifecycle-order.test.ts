import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Db } from '#db/index.ts'
import { connectWorkspace } from '#db/shared/workspaces.ts'
import { listRepositories } from '#db/tenant/repositories.ts'
import { openTestDb } from '#db/testing/open-test-db.ts'
import type { Event } from '../testing/fake-github/deliveries.ts'
import { toFullName } from '../testing/fake-github/world.ts'
import type { Installation, Repository } from '../testing/fake-github/world.ts'
import { openGithubRig } from '../testing/open-github-rig.ts'
import type { GithubRig } from '../testing/open-github-rig.ts'

let db: Db
let rig: GithubRig
let template: Repository
beforeAll(async () => {
  db = await openTestDb()
  rig = await openGithubRig(db)
  template = await rig.fake.addRepository({ installation: null, name: 'template' })
  rig.fake.deliveries.auto = false
})
afterAll(async () => {
  await rig.close()
  await db.close()
})

/** What people do to repositories; `at` names the one. */
const change = fc.record({
  kind: fc.constantFrom('create', 'remove', 'add', 'rename', 'private', 'public', 'delete', 'swap', 'suspend', 'unsuspend'),
  at: fc.nat({ max: 3 }),
})
/** Which deliveries come, in which order: some never, some more than once. Each is followed by the jobs, or not. */
const arrivals = fc.array(fc.record({ at: fc.nat({ max: 30 }), settles: fc.boolean() }), { maxLength: 25 })

it('whatever comes of the deliveries, in whatever order: once GitHub is read, the rows are as GitHub has them', async () => {
  let runs = 0
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), arrivals, async (changes, order) => {
      const { fake } = rig
      const installation = await fake.addInstallation({ account: `account-${++runs}`, accountType: 'Organization' })
      await connectWorkspace(db, rig.tenant.id, { surface: 'github', id: String(installation.id) })
      const events = await make(installation, changes)
      for (const { at, settles } of order) {
        await fake.deliver(rig.hookUrl, events[at % events.length]!)
        if (settles) await rig.settle()
      }
      await rig.settle()
      installation.suspendedAt = null
      await fake.deliver(rig.hookUrl, fake.event('installation', fake.payloads.installation('new_permissions_accepted', installation)))
      await rig.settle()

      const listed = [...installation.repositories].map((id) => fake.world.repositories.get(id)!).filter(({ deleted }) => !deleted)
      const expected = listed.map((one) => ({ externalId: one.id, name: toFullName(one), isPublic: !one.private, state: 'new' }))
      const rows = (await listRepositories(rig.tenant)).filter(({ installationId }) => installationId === installation.id)
      const found = rows.map(({ externalId, name, isPublic, state }) => ({ externalId, name, isPublic, state }))
      expect(found.toSorted(byId)).toEqual(expected.toSorted(byId))
    }),
    { numRuns: 25 },
  )
})

const byId = (a: { externalId?: number | null }, b: { externalId?: number | null }) => (a.externalId ?? 0) - (b.externalId ?? 0)

/** Does it all, and gives back what GitHub would have sent, in its order. No repository here is ever read, so none has a store. */
async function make(installation: Installation, changes: { kind: string; at: number }[]): Promise<Event[]> {
  const { payloads, world, ...fake } = rig.fake
  const events = [fake.event('installation', payloads.installation('created', installation))]
  const tell = (name: string, payload: object) => void events.push(fake.event(name, payload))
  const made: Repository[] = []
  const create = (isPrivate: boolean) => {
    const id = world.nextId()
    const repository = { ...template, id, owner: installation.account, name: `repository-${id}`, private: isPrivate }
    world.repositories.set(id, repository)
    installation.repositories.add(id)
    made.push(repository)
    return repository
  }
  tell('installation_repositories', payloads.installationRepositories('added', installation, [create(false).id]))
  for (const { kind, at } of changes) {
    const one = made[at % made.length]!
    if (one.deleted && kind !== 'create') continue
    if (kind === 'create') tell('repository', payloads.repository('created', create(at % 2 === 0)))
    else if (kind === 'remove' || kind === 'add') {
      await (kind === 'remove' ? fake.removeFrom(installation, one) : fake.addTo(installation, one))
      tell('installation_repositories', payloads.installationRepositories(kind === 'remove' ? 'removed' : 'added', installation, [one.id]))
    } else if (kind === 'rename' || kind === 'swap') {
      const other = kind === 'swap' ? made[(at + 1) % made.length]! : { name: `renamed-${world.nextId()}` }
      ;[one.name, other.name] = [other.name, one.name]
      tell('repository', payloads.repository('renamed', one))
    } else if (kind === 'private' || kind === 'public') {
      one.private = kind === 'private'
      tell('repository', payloads.repository(kind === 'private' ? 'privatized' : 'publicized', one))
    } else if (kind === 'delete') {
      tell('repository', payloads.repository('deleted', one))
      one.deleted = true
    } else {
      installation.suspendedAt = kind === 'suspend' ? world.now().toISOString() : null
      tell('installation', payloads.installation(kind, installation))
    }
  }
  return events
}
