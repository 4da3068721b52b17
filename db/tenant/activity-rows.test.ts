import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db, TenantDb } from '../index.ts'
import { createTestRepository } from '../testing/create-repository.ts'
import { createTestTenant, openTestDb } from '../testing/open-test-db.ts'
import { listUnreadPulls, notePullTimes, savePullReviews, savePulls } from './activity-rows.ts'
import type { PullRow } from './activity-rows.ts'
import { removeRepository } from './repositories.ts'

let db: Db
let tenant: TenantDb
beforeAll(async () => {
  db = await openTestDb()
  tenant = await createTestTenant(db)
})
afterAll(() => db.close())

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 1) + seconds * 1000)
const pull = (number: number, more: Partial<PullRow> = {}): PullRow => ({
  number, title: `Change ${number}`, author: 'ada', isBot: false, state: 'open', draft: false, createdAt: at(0), mergedAt: null, closedAt: null, updatedAt: at(0),
  baseRef: 'main', headRef: 'change', labels: [], milestone: null, requestedReviewers: [], requestedTeams: [], url: null, ...more,
})
const rowsOf = (repositoryId: string) => tenant.transaction((tx) => tx.query('select number, title, state, updated_at, labels from activity_pull where repository_id = $1 order by number', [repositoryId]))

test('in whatever order and however often states arrive, the newest of each stays', async () => {
  const state = fc.record({ number: fc.integer({ min: 1, max: 3 }), second: fc.integer({ min: 0, max: 5 }) })
  const arrivals = fc.array(fc.array(state, { maxLength: 6 }), { minLength: 1, maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(arrivals, async (batches) => {
      const { repositoryId } = await createTestRepository(tenant)
      const states = batches.map((batch) => batch.map(({ number, second }) => pull(number, { title: `At ${second}`, labels: [`l${second}`, 'x,"y'], updatedAt: at(second), state: second > 3 ? 'closed' : 'open' })))
      for (const batch of states) await savePulls(tenant, repositoryId, batch)
      const newest = Map.groupBy(states.flat(), ({ number }) => number)
      const expected = [...newest.values()].map((all) => all.reduce((a, b) => (b.updatedAt >= a.updatedAt ? b : a))).toSorted((a, b) => a.number - b.number)
      expect(await rowsOf(repositoryId)).toEqual(expected.map(({ number, title, state: of, updatedAt, labels }) => ({ number, title, state: of, updated_at: updatedAt, labels })))
    }),
    { numRuns: 25 },
  )
})

test('reviews are to be read again after each change, and one that was dismissed stays so', async () => {
  const { repositoryId } = await createTestRepository(tenant)
  await savePulls(tenant, repositoryId, [pull(1), pull(2, { updatedAt: at(9) })])
  expect((await listUnreadPulls(tenant, repositoryId, 10)).map(({ number }) => number)).toEqual([2, 1])
  const review = { id: 9_876_543_210, number: 1, author: 'bob', isBot: false, submittedAt: at(3) }
  await savePullReviews(tenant, repositoryId, 1, [{ ...review, verdict: 'dismissed' }], at(0))
  await savePullReviews(tenant, repositoryId, 1, [{ ...review, verdict: 'approved' }], at(0))
  expect(await tenant.transaction((tx) => tx.query('select id::float8 as id, verdict from activity_review where repository_id = $1', [repositoryId]))).toEqual([{ id: 9_876_543_210, verdict: 'dismissed' }])
  expect((await listUnreadPulls(tenant, repositoryId, 10)).map(({ number }) => number)).toEqual([2])
  await savePulls(tenant, repositoryId, [pull(1, { updatedAt: at(1) })])
  expect((await listUnreadPulls(tenant, repositoryId, 10)).map(({ number }) => number)).toEqual([2, 1])
})

test('times that only deliveries tell stay at the latest, whatever is read later', async () => {
  const { repositoryId } = await createTestRepository(tenant)
  await savePulls(tenant, repositoryId, [pull(1)])
  await notePullTimes(tenant, repositoryId, 1, { pushedAt: at(20) })
  await notePullTimes(tenant, repositoryId, 1, { pushedAt: at(10), readyAt: at(5) })
  await savePulls(tenant, repositoryId, [pull(1, { updatedAt: at(30) })])
  const rows = await tenant.transaction((tx) => tx.query('select ready_at, pushed_at from activity_pull where repository_id = $1', [repositoryId]))
  expect(rows).toEqual([{ ready_at: at(5), pushed_at: at(20) }])
})

test('what happened in a repository is forgotten with it, and stays its tenant’s own', async () => {
  const { repositoryId } = await createTestRepository(tenant)
  await savePulls(tenant, repositoryId, [pull(1, { title: 'nul \0 here' })])
  const other = await createTestTenant(db)
  expect(await other.transaction((tx) => tx.query('select 1 from activity_pull'))).toEqual([])
  await removeRepository(tenant, repositoryId)
  expect(await rowsOf(repositoryId)).toEqual([])
})
