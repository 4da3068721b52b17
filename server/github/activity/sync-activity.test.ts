import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db } from '#db/index.ts'
import { listActivityStates } from '#db/tenant/activity-history.ts'
import { listRepositories } from '#db/tenant/repositories.ts'
import { openTestDb } from '#db/testing/open-test-db.ts'
import { openGithubRig } from '../../testing/open-github-rig.ts'
import type { GithubRig } from '../../testing/open-github-rig.ts'
import type { FakeRepository } from '../../testing/fake-github/fake-repository.ts'
import { toTime } from '../../testing/fake-github/world.ts'
import { readActivityOf } from './sync-activity.ts'

let db: Db
let rig: GithubRig
beforeAll(async () => {
  db = await openTestDb()
  rig = await openGithubRig(db, { activity: true })
})
afterAll(async () => {
  await rig.close()
  await db.close()
})

const signal = new AbortController().signal
const query = <Row>(sql: string, values: unknown[] = []) => rig.tenant.transaction((tx) => tx.query<Row>(sql, values))
const log = { warn() {}, info() {}, error() {} } as never

async function connect(name: string, prepare: (fake: FakeRepository) => Promise<void> = async () => {}) {
  const fake = await rig.fake.addRepository({ installation: rig.installation, name, files: { 'a.ts': 'export const a = 1\n' } })
  await prepare(fake)
  await rig.settle()
  const { id } = (await listRepositories(rig.tenant)).find((row) => row.name === fake.fullName)!
  return { fake, id, read: () => readActivityOf({ db, github: rig.github, log }, rig.tenant, id, signal) }
}

test('what happens on GitHub is in the rows, and goes on being so', async () => {
  rig.fake.setTeam('acme', 'core', ['ada', 'bob'])
  rig.fake.setTeam('acme', 'hidden', ['eve'], 'secret')
  const { fake, id } = await connect('shop')
  const issue = await fake.openIssue({ title: 'It breaks', author: 'eve', labels: ['bug'] })
  const pull = await fake.openPull({ branch: 'fix', files: { 'a.ts': 'export const a = 2\n' }, title: 'Fix it with ghp_0123456789abcdefghijABCDEFGHIJ012345', author: 'ada', draft: true })
  const review = await pull.judge('bob', 'CHANGES_REQUESTED')
  await pull.setDraft(false)
  await fake.release('v1', { name: 'First' })
  await fake.release('v2', { draft: true })
  const deployment = await fake.deploy('production', { states: ['queued', 'in_progress'] })
  await rig.settle()
  expect(await query('select number, title, author, state, labels from activity_issue where repository_id = $1', [id])).toEqual([{ number: issue.number, title: 'It breaks', author: 'eve', state: 'open', labels: ['bug'] }])
  const [row] = await query<{ title: string; draft: boolean; author: string; base_ref: string; head_ref: string }>('select title, draft, author, base_ref, head_ref from activity_pull where repository_id = $1', [id])
  expect(row).toMatchObject({ draft: false, author: 'ada', base_ref: 'main', head_ref: 'fix' })
  expect(row!.title).not.toContain('ghp_')
  expect(await query('select author, verdict from activity_review where repository_id = $1', [id])).toEqual([{ author: 'bob', verdict: 'changes-requested' }])
  expect(await query('select tag, name from activity_release where repository_id = $1', [id])).toEqual([{ tag: 'v1', name: 'First' }])
  expect(await query('select environment, state from activity_deployment where repository_id = $1', [id])).toEqual([{ environment: 'production', state: 'waiting' }])
  expect(await query('select slug, member from activity_team order by member')).toEqual([{ slug: 'core', member: 'ada' }, { slug: 'core', member: 'bob' }])

  await pull.dismiss(review)
  await pull.merge('bob')
  await issue.close()
  await fake.setDeploymentState(deployment, 'failure')
  await fake.deleteRelease(fake.releases[0]!.id)
  const gone = await fake.openIssue({ title: 'Spam' })
  await rig.settle()
  await fake.deleteIssue(gone.number)
  await rig.settle()
  expect(await query('select state, merged_at is not null as merged from activity_pull where repository_id = $1', [id])).toEqual([{ state: 'closed', merged: true }])
  expect(await query('select verdict from activity_review where repository_id = $1', [id])).toEqual([{ verdict: 'dismissed' }])
  expect(await query('select number, state from activity_issue where repository_id = $1', [id])).toEqual([{ number: issue.number, state: 'closed' }])
  expect(await query('select state from activity_deployment where repository_id = $1', [id])).toEqual([{ state: 'failed' }])
  expect(await query('select tag from activity_release where repository_id = $1', [id])).toEqual([])
  const [state] = await listActivityStates(rig.tenant, [id])
  expect(state).toMatchObject({ pullsComplete: true, issuesComplete: true, releasesComplete: true, deploymentsComplete: true, unread: 0, fault: null })
  expect(state!.toldAt).not.toBeNull()
  expect(rig.fake.unknown).toEqual([])
})

test('what no delivery told is found by the sweep, and a look at what did not change asks for nothing anew', async () => {
  const { fake, id, read } = await connect('quiet')
  await read()
  rig.fake.deliveries.auto = false
  await fake.openIssue({ title: 'Nobody told of this' })
  rig.fake.deliveries.auto = true
  await read()
  expect(await query('select title from activity_issue where repository_id = $1', [id])).toEqual([{ title: 'Nobody told of this' }])
  await read()
  const before = rig.fake.calls.length
  await read()
  expect(rig.fake.calls.slice(before).map(({ status }) => status)).toEqual([304, 304, 304, 304])
})

test('a review in the second of the last look is found by the next', async () => {
  const { fake, id, read } = await connect('hasty')
  const pull = await fake.openPull({ branch: 'fix', files: { 'a.ts': 'export const a = 2\n' }, author: 'ada' })
  await read()
  const [row] = await query<{ updated_at: Date }>('select updated_at from activity_pull where repository_id = $1', [id])
  const { pull: branches } = [...fake.threads.values()].find(({ number }) => number === pull.number)!
  // GitHub tells whole seconds: what it changes within one looks as before.
  branches!.reviews.push({ id: rig.fake.world.nextId(), user: rig.fake.world.account('bob'), state: 'APPROVED', submittedAt: toTime(row!.updated_at) })
  await read()
  expect(await query('select author from activity_review where repository_id = $1', [id])).toEqual([{ author: 'bob' }])
})

test('a history of many pages that breaks off goes on where it was', async () => {
  const { world } = rig.fake
  // The first page comes, the second is refused for a while.
  let pages = 0
  rig.fake.before({ path: /\/pulls$/ }, ({ query: { sort } }) => {
    if (sort === 'created' && ++pages === 2) rig.fake.fail({ path: /\/pulls$/ }, { kind: 'status', status: 403 }, 3)
  })
  const { id, read } = await connect('long', async (fake) => {
    const sha = (await fake.store.resolve('refs/heads/main'))!
    for (let number = 1; number <= 330; number++) {
      const time = toTime(new Date(Date.UTC(2025, 0, 1) + number * 3_600_000))
      const isPull = number % 2 === 0
      fake.threads.set(number, {
        id: world.nextId(), number, user: world.account('ada'), association: 'NONE', title: `Thread ${number}`, body: null, labels: [], state: 'open', locked: false, createdAt: time, updatedAt: time, closedAt: null, comments: [], reactions: [],
        pull: isPull ? { draft: false, mergedAt: null, base: { ref: 'main', sha }, head: { ref: `b${number}`, sha, owner: fake.owner, repository: fake }, reviewComments: [], collapsed: new Set(), reviews: [{ id: world.nextId(), user: world.account('bob'), state: 'APPROVED', submittedAt: time }] } : null,
      })
    }
  })
  const counts = async () => (await query<{ pulls: number; issues: number; reviews: number }>(`select (select count(*)::int from activity_pull where repository_id = $1) as pulls, (select count(*)::int from activity_issue where repository_id = $1) as issues, (select count(*)::int from activity_review where repository_id = $1) as reviews`, [id]))[0]
  expect(await counts()).toEqual({ pulls: 100, issues: 0, reviews: 0 })
  expect((await listActivityStates(rig.tenant, [id]))[0]).toMatchObject({ pullsComplete: false, pullsPage: 2, syncedAt: null, fault: expect.stringContaining('Check the permissions') as string })
  rig.fake.clearFaults()
  rig.fake.fail({ path: /\/pulls\/\d+\/reviews$/ }, { kind: 'status', status: 502 }, 3)
  await expect(read()).rejects.toMatchObject({ code: 'github-unavailable' })
  rig.fake.clearFaults()
  const before = rig.fake.calls.length
  await read()
  expect(await counts()).toEqual({ pulls: 165, issues: 165, reviews: 165 })
  const asked = rig.fake.calls.slice(before).filter(({ path, query: given }) => path.endsWith('/pulls') && given.sort === 'created')
  expect(asked).toEqual([])
  expect((await listActivityStates(rig.tenant, [id]))[0]).toMatchObject({ pullsComplete: true, issuesComplete: true, unread: 0, fault: null })
})

test('permissions that the App was not given take away what needs them, and nothing else', async () => {
  const { fake, id, read } = await connect('refused')
  const given = rig.installation.permissions
  rig.installation.permissions = { contents: 'read', issues: 'write', metadata: 'read', pull_requests: 'write' }
  await fake.openIssue({ title: 'Still read' })
  await read()
  rig.installation.permissions = given
  expect(await query('select title from activity_issue where repository_id = $1', [id])).toEqual([{ title: 'Still read' }])
  const [state] = await listActivityStates(rig.tenant, [id])
  expect(state).toMatchObject({ fault: 'GitHub does not let the App read deployments: approve its new permissions in the settings of the installation.' })
})
