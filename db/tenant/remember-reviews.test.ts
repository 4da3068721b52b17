import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db, TenantDb } from '../index.ts'
import { readTestServer } from '../testing/config.ts'
import { createTestRepository } from '../testing/create-repository.ts'
import { createTestTenant, openTestDb } from '../testing/open-test-db.ts'
import { savePullReviews, savePulls, saveReviews } from './activity-rows.ts'
import type { PullRow, ReviewRow } from './activity-rows.ts'

let db: Db
let tenant: TenantDb
beforeAll(async () => {
  db = await openTestDb()
  tenant = await createTestTenant(db)
})
afterAll(() => db.close())

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 1) + seconds * 1000)
const pull = (number: number, author: string, second: number): PullRow => ({
  number, title: `Change ${number}`, author, isBot: false, state: 'open', draft: false, createdAt: at(0), mergedAt: null, closedAt: null, updatedAt: at(second),
  baseRef: 'main', headRef: 'change', labels: [], milestone: null, requestedReviewers: [], requestedTeams: [], url: null,
})

const people = ['ada', 'bob', 'renovate[bot]']
const number = fc.integer({ min: 1, max: 3 })
const second = fc.integer({ min: 0, max: 6 })
const review: fc.Arbitrary<ReviewRow> = fc
  .record({ id: fc.integer({ min: 1, max: 9 }), author: fc.constantFrom(...people), verdict: fc.constantFrom('approved' as const, 'changes-requested' as const, 'commented' as const, 'dismissed' as const), submitted: second })
  // A review stays with its pull request, whatever else of it changes.
  .map(({ id, author, verdict, submitted }) => ({ id, number: (id % 3) + 1, author, isBot: author.endsWith('[bot]'), verdict, submittedAt: at(submitted) }))
const write = fc.oneof(
  fc.record({ kind: fc.constant('pulls' as const), rows: fc.array(fc.record({ number, author: fc.constantFrom('ada', 'bob', 'ghost'), second }), { maxLength: 4 }) }),
  fc.record({ kind: fc.constant('reviews' as const), rows: fc.array(review, { maxLength: 6 }) }),
  fc.record({ kind: fc.constant('reviews of one' as const), number, rows: fc.array(review, { maxLength: 6 }) }),
)

type Stored = { number: number; author: string; first_reviewed_at: Date | null; last_reviewed_at: Date | null; sent_back: boolean }
type StoredReview = { id: number; number: number; author: string; is_bot: boolean; verdict: string; submitted_at: Date; of_other: boolean }

const byTime = (a: StoredReview, b: StoredReview) => a.submitted_at.getTime() - b.submitted_at.getTime() || a.id - b.id

/** The same by hand, from what is stored of reviews. */
function tellByHand({ number: of, author }: Stored, reviews: StoredReview[]): Stored {
  const own = reviews.filter((each) => each.number === of).toSorted(byTime)
  const byPeople = own.filter((each) => !each.is_bot)
  const verdicts = Map.groupBy(own.filter(({ verdict }) => verdict !== 'commented'), (each) => each.author)
  return {
    number: of, author,
    first_reviewed_at: byPeople.find((each) => each.author !== author)?.submitted_at ?? null,
    last_reviewed_at: byPeople.at(-1)?.submitted_at ?? null,
    sent_back: [...verdicts.values()].some((all) => all.at(-1)!.verdict === 'changes-requested'),
  }
}

test('in whatever order pull requests and reviews are written, what is kept of them is what their rows say', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(write, { minLength: 1, maxLength: 7 }), async (writes) => {
      const [{ repositoryId }, { repositoryId: otherId }] = [await createTestRepository(tenant), await createTestRepository(tenant)]
      // The same numbers elsewhere are other pull requests.
      await savePulls(tenant, otherId, [pull(1, 'eve', 0)])
      await saveReviews(tenant, otherId, [{ id: 1, number: 1, author: 'ada', isBot: false, verdict: 'changes-requested', submittedAt: at(1) }])
      for (const each of writes) {
        if (each.kind === 'pulls') await savePulls(tenant, repositoryId, each.rows.map((row) => pull(row.number, row.author, row.second)))
        else if (each.kind === 'reviews') await saveReviews(tenant, repositoryId, each.rows)
        else await savePullReviews(tenant, repositoryId, each.number, each.rows.filter((row) => row.number === each.number), at(0))
      }
      for (const id of [repositoryId, otherId]) {
        const [pulls, reviews] = await tenant.transaction(async (tx) => [
          await tx.query<Stored>('select number, author, first_reviewed_at, last_reviewed_at, sent_back from activity_pull where repository_id = $1 order by number', [id]),
          await tx.query<StoredReview>('select id::float8 as id, number, author, is_bot, verdict, submitted_at, of_other from activity_review where repository_id = $1', [id]),
        ])
        expect(pulls).toEqual(pulls.map((row) => tellByHand(row, reviews)))
        expect(reviews.map((row) => row.of_other)).toEqual(reviews.map((row) => pulls.some((of) => of.number === row.number && of.author !== row.author)))
      }
    }),
    { numRuns: 40 },
  )
}, 300_000)

test.skipIf(readTestServer() === null)('two that write of one pull request at the same time keep what both wrote', async () => {
  const { repositoryId } = await createTestRepository(tenant)
  await savePulls(tenant, repositoryId, [pull(1, 'ada', 0)])
  const give = (id: number) => saveReviews(tenant, repositoryId, [{ id, number: 1, author: 'bob', isBot: false, verdict: 'commented', submittedAt: at(id) }])
  const [held, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const holder = tenant.transaction(async (tx) => {
    await tx.query('select 1 from activity_pull where repository_id = $1 for update', [repositoryId])
    held.resolve()
    await release.promise
  })
  await held.promise
  // Both come as far as they can while a third holds the pull request.
  const both = [give(1), give(2)]
  const waiting = () => tenant.transaction((tx) => tx.query('select 1 from pg_locks where not granted'))
  await expect.poll(async () => (await waiting()).length).toBeGreaterThanOrEqual(2)
  release.resolve()
  await Promise.all([holder, ...both])
  const rows = await tenant.transaction((tx) => tx.query('select first_reviewed_at, last_reviewed_at from activity_pull where repository_id = $1', [repositoryId]))
  expect(rows).toEqual([{ first_reviewed_at: at(1), last_reviewed_at: at(2) }])
})
