import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db, TenantDb } from '../index.ts'
import { createTestRepository } from '../testing/create-repository.ts'
import { createTestTenant, openTestDb } from '../testing/open-test-db.ts'
import { readActivity } from './activity-counts.ts'
import { saveTeams } from './activity-history.ts'
import { saveDeployments, saveIssues, savePulls, saveReleases, saveReviews } from './activity-rows.ts'
import type { DeploymentRow, IssueRow, PullRow, ReleaseRow, ReviewRow } from './activity-rows.ts'
import type { ActivitySelection, ActivityThing } from './activity-selection.ts'

let db: Db
let tenant: TenantDb
beforeAll(async () => {
  db = await openTestDb()
  tenant = await createTestTenant(db)
  await saveTeams(tenant, 'acme', [{ slug: 'core', members: ['ada', 'bob'] }], { readAt: new Date() })
})
afterAll(() => db.close())

const hour = 3_600_000
/** Some days around the night in which clocks go forward in Berlin, and back in Santiago a week later. */
const start = Date.UTC(2026, 2, 26)
const now = new Date(start + 14 * 24 * hour)
const zones = ['UTC', 'Europe/Berlin', 'America/Santiago', 'America/St_Johns', 'Asia/Kathmandu', 'Pacific/Kiritimati', 'Pacific/Pago_Pago', 'America/Havana']
const people = ['ada', 'bob', 'eve', 'renovate[bot]']

type World = { pulls: PullRow[]; issues: IssueRow[]; reviews: ReviewRow[]; releases: ReleaseRow[]; deployments: DeploymentRow[] }

const time = fc.integer({ min: 0, max: 14 * 24 * 4 }).map((quarters) => new Date(start + quarters * (hour / 4)))
const who = fc.constantFrom(...people)
const labels = fc.subarray(['bug', 'Bug fix', 'win'])
const thread = fc.record({ opened: time, closed: fc.option(time), author: who, labels, draft: fc.boolean(), merged: fc.boolean(), base: fc.constantFrom('main', 'v1'), ready: fc.option(time) })
const world: fc.Arbitrary<World> = fc
  .record({
    pulls: fc.array(thread, { maxLength: 12 }),
    issues: fc.array(thread, { maxLength: 8 }),
    reviews: fc.array(fc.record({ of: fc.nat(11), author: who, at: time, verdict: fc.constantFrom('approved' as const, 'changes-requested' as const, 'commented' as const, 'dismissed' as const) }), { maxLength: 14 }),
    releases: fc.array(fc.record({ at: time, author: who }), { maxLength: 5 }),
    deployments: fc.array(fc.record({ at: time, environment: fc.constantFrom('production', 'staging'), state: fc.constantFrom('succeeded' as const, 'failed' as const, 'waiting' as const) }), { maxLength: 6 }),
  })
  .map(({ pulls, issues, reviews, releases, deployments }) => {
    const toThread = ({ opened, closed, author, labels: named }: (typeof pulls)[number], number: number) => {
      const closedAt = closed !== null && closed >= opened ? closed : null
      return { number, title: `Change ${number}`, author, isBot: author.endsWith('[bot]'), state: closedAt ? ('closed' as const) : ('open' as const), createdAt: opened, closedAt, updatedAt: closedAt ?? opened, labels: named, milestone: null, url: null }
    }
    return {
      pulls: pulls.map((each, at) => {
        const of = toThread(each, at + 1)
        return { ...of, draft: each.draft, mergedAt: each.merged ? of.closedAt : null, baseRef: each.base, headRef: 'x', requestedReviewers: [], requestedTeams: [] }
      }),
      issues: issues.map((each, at) => toThread(each, at + 1)),
      reviews: reviews.filter(({ of }) => of < pulls.length).map(({ of, author, at, verdict }, id) => ({ id, number: of + 1, author, isBot: author.endsWith('[bot]'), verdict, submittedAt: at })),
      releases: releases.map(({ at, author }, id) => ({ id, tag: `v${id}`, name: '', author, isBot: false, prerelease: false, publishedAt: at, updatedAt: at, url: null })),
      deployments: deployments.map(({ at, environment, state }, id) => ({ id, environment, ref: 'main', author: 'ada', isBot: false, state, createdAt: at, endedAt: null, updatedAt: at })),
    }
  })

type Hit = { number: number; author: string; labels: string[]; base: string | null; at: Date; isBot: boolean }

/** The same by hand, from nothing but the rows and the calendar of Intl. */
function countByHand(of: ActivityThing, { pulls, issues, reviews, releases, deployments }: World, { timeZone, range, label, author, team, base, days }: ActivitySelection): Hit[] {
  const toHit = (row: PullRow | IssueRow, at: Date | null): Hit[] => (at === null ? [] : [{ number: row.number, author: row.author, isBot: row.isBot, labels: row.labels, base: 'baseRef' in row ? row.baseRef : null, at }])
  const others = (pull: PullRow) => reviews.filter((review) => review.number === pull.number && !review.isBot && review.author !== pull.author)
  const waiting = pulls.filter((pull) => pull.state === 'open' && !pull.draft)
  const plain = (each: { author: string; isBot: boolean }, at: Date): Hit => ({ number: 0, author: each.author, isBot: each.isBot, labels: [], base: null, at })
  const all: Record<ActivityThing, () => Hit[]> = {
    'pulls merged': () => pulls.flatMap((pull) => toHit(pull, pull.mergedAt)),
    'pulls opened': () => pulls.flatMap((pull) => toHit(pull, pull.createdAt)),
    'pulls closed': () => pulls.flatMap((pull) => toHit(pull, pull.closedAt)),
    'issues opened': () => issues.flatMap((issue) => toHit(issue, issue.createdAt)),
    'issues closed': () => issues.flatMap((issue) => toHit(issue, issue.closedAt)),
    'issues open': () => issues.filter(({ state }) => state === 'open').flatMap((issue) => toHit(issue, issue.createdAt)),
    'pulls open': () => pulls.filter(({ state }) => state === 'open').flatMap((pull) => toHit(pull, pull.createdAt)),
    'pulls in review': () => waiting.flatMap((pull) => toHit(pull, pull.createdAt)),
    'pulls unreviewed': () => waiting.filter((pull) => others(pull).length === 0).flatMap((pull) => toHit(pull, pull.createdAt)),
    'pulls sent back': () =>
      waiting
        .filter((pull) => {
          const verdicts = reviews.filter(({ number, verdict }) => number === pull.number && verdict !== 'commented')
          return [...Map.groupBy(verdicts, (review) => review.author).values()].some((own) => own.toSorted((a, b) => a.submittedAt.getTime() - b.submittedAt.getTime() || a.id - b.id).at(-1)!.verdict === 'changes-requested')
        })
        .flatMap((pull) => toHit(pull, pull.createdAt)),
    'pulls quiet': () =>
      waiting.flatMap((pull) => {
        const touched = Math.max(pull.createdAt.getTime(), ...reviews.filter((review) => review.number === pull.number && !review.isBot).map(({ submittedAt }) => submittedAt.getTime()))
        return now.getTime() - touched > days! * 24 * hour ? toHit(pull, new Date(touched)) : []
      }),
    reviews: () => reviews.flatMap((review) => {
      const pull = pulls.find(({ number }) => number === review.number)!
      return pull.author === review.author ? [] : [{ number: pull.number, author: review.author, isBot: review.isBot, labels: pull.labels, base: pull.baseRef, at: review.submittedAt }]
    }),
    releases: () => releases.map((each) => plain(each, each.publishedAt)),
    deployments: () => deployments.map((each) => plain(each, each.createdAt)),
    'deployments failed': () => deployments.filter(({ state }) => state === 'failed').map((each) => plain(each, each.createdAt)),
    'deployments failing': () =>
      [...Map.groupBy(deployments.filter(({ state }) => state !== 'waiting'), ({ environment }) => environment).values()]
        .map((each) => each.toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime() || a.id - b.id).at(-1)!)
        .filter(({ state }) => state === 'failed')
        .map((each) => plain(each, each.createdAt)),
  }
  return all[of]().filter(
    (hit) =>
      (range === null || (range.from <= toLocalDay(hit.at, timeZone) && toLocalDay(hit.at, timeZone) <= range.to)) &&
      hit.at <= now &&
      (label === undefined || hit.labels.some((each) => each.toLowerCase() === label.toLowerCase())) &&
      (author === undefined || hit.author === author) &&
      (base === undefined || hit.base === base) &&
      (team === undefined || ['ada', 'bob'].includes(hit.author)),
  )
}

function toLocalDay(at: Date, timeZone: string): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(at)
}

/** How many hits share a name. */
function countBy(hits: Hit[], toName: (hit: Hit) => string): Map<string, number> {
  return new Map([...Map.groupBy(hits, toName)].map(([name, all]) => [name, all.length]))
}

const things = [
  'pulls merged', 'pulls opened', 'pulls closed', 'issues opened', 'issues closed', 'releases', 'deployments', 'deployments failed', 'reviews',
  'pulls open', 'pulls in review', 'pulls unreviewed', 'pulls quiet', 'pulls sent back', 'deployments failing', 'issues open',
] as const satisfies ActivityThing[]

const asked = fc.record({
  timeZone: fc.constantFrom(...zones), first: fc.integer({ min: 0, max: 13 }), many: fc.integer({ min: 0, max: 9 }), isNow: fc.boolean(), days: fc.integer({ min: 1, max: 9 }),
  label: fc.option(fc.constantFrom('bug', 'WIN', 'none'), { nil: undefined }), author: fc.option(who, { nil: undefined }), team: fc.option(fc.constantFrom('core'), { nil: undefined }), base: fc.option(fc.constantFrom('main'), { nil: undefined }),
})
const toDay = (days: number) => new Date(start + days * 24 * hour).toISOString().slice(0, 10)

async function createWorld(rows: World): Promise<string> {
  const { repositoryId } = await createTestRepository(tenant, { location: 'Acme/shop' })
  await savePulls(tenant, repositoryId, rows.pulls)
  await saveIssues(tenant, repositoryId, rows.issues)
  await saveReviews(tenant, repositoryId, rows.reviews)
  await saveReleases(tenant, repositoryId, rows.releases)
  await saveDeployments(tenant, repositoryId, rows.deployments)
  return repositoryId
}

test('SQL counts, lists, ranks and measures what a hand counts, in any zone and over any days', async () => {
  await fc.assert(
    fc.asyncProperty(world, world, asked, async (rows, others, { timeZone, first, many, isNow, days, ...named }) => {
      const repositoryId = await createWorld(rows)
      // One that may not be read, with rows of the same numbers.
      await createWorld(others)
      const range = isNow ? null : { from: toDay(first), to: toDay(first + many) }
      await readActivity(tenant, async (reads) => {
        for (const of of things) {
          const selection = { of, repositories: [repositoryId], timeZone, now, range, days, ...named }
          const expected = countByHand(of, rows, selection)
          expect({ of, ...(await reads.count(selection)) }).toEqual({ of, count: expected.length, bots: expected.filter(({ isBot }) => isBot).length })
          const lists = await reads.list(selection, { most: 3, first: 'newest' })
          expect(lists.map(({ total, lines }) => [total, lines.length])).toEqual(expected.length === 0 ? [] : [[expected.length, Math.min(3, expected.length)]])
          expect(lists.flatMap(({ lines }) => lines.map(({ at }) => at))).toEqual(expected.map(({ at }) => at).toSorted((a, b) => b.getTime() - a.getTime()).slice(0, 3))
          const byAuthor = await reads.rank(selection, 'author', 50)
          expect(new Map(byAuthor.rows.map(({ name, count }) => [name, count]))).toEqual(countBy(expected, ({ author }) => author))
          const byMonth = await reads.rank(selection, 'month', 50)
          expect(new Map(byMonth.rows.map(({ name, count }) => [name, count]))).toEqual(countBy(expected, ({ at }) => toLocalDay(at, timeZone).slice(0, 7)))
          expect(await reads.trend(selection, 'day')).toEqual(countBy(expected, ({ at }) => toLocalDay(at, timeZone)))
          const byLabel = await reads.rank(selection, 'label', 50)
          expect(byLabel.rows.reduce((sum, { count }) => sum + count, 0)).toBe(expected.flatMap(({ labels: all }) => all).length)
          const trend = await reads.trend(selection, 'week')
          expect([...trend.values()].reduce((sum, count) => sum + count, 0)).toBe(expected.length)
        }
        const merged = { of: 'pulls merged' as const, repositories: [repositoryId], timeZone, now, range, ...named }
        const hits = countByHand('pulls merged', rows, merged)
        const openedAt = (number: number) => rows.pulls[number - 1]!.createdAt.getTime()
        const took = hits.map(({ number, at }) => (at.getTime() - openedAt(number)) / hour)
        const waited = hits.flatMap(({ number, author: by }) => {
          const others = rows.reviews.filter((review) => review.number === number && !review.isBot && review.author !== by)
          return others.length === 0 ? [] : [(Math.min(...others.map(({ submittedAt }) => submittedAt.getTime())) - openedAt(number)) / hour]
        })
        const [durations] = await reads.durations(merged)
        expect(durations?.toMerge.count ?? 0).toBe(hits.length)
        if (hits.length > 0) {
          expect(durations!.toMerge.median).toBeCloseTo(toQuantile(took, 0.5), 6)
          expect(durations!.toMerge.p90).toBeCloseTo(toQuantile(took, 0.9), 6)
          expect(durations!.toReview.count).toBe(waited.length)
          if (waited.length === 0) expect(durations!.toReview).toEqual({ count: 0, median: null, p90: null })
          else expect([durations!.toReview.median, durations!.toReview.p90]).toEqual([expect.closeTo(toQuantile(waited, 0.5), 6), expect.closeTo(toQuantile(waited, 0.9), 6)])
        }
      })
    }),
    { numRuns: 15 },
  )
}, 300_000)

function toQuantile(values: number[], quantile: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const place = (sorted.length - 1) * quantile
  const below = sorted[Math.floor(place)]!
  return below + (sorted[Math.ceil(place)]! - below) * (place - Math.floor(place))
}

test('a list of the repositories that have most leaves the others out, and is counted with them', async () => {
  const pull = (number: number, minute: number): PullRow => ({
    number, title: 'x', author: 'ada', isBot: false, state: 'open', draft: false, createdAt: new Date(start + minute * 60_000), mergedAt: null, closedAt: null, updatedAt: new Date(start),
    baseRef: 'main', headRef: 'x', labels: [], milestone: null, requestedReviewers: [], requestedTeams: [], url: null,
  })
  const ids: string[] = []
  for (const size of [1, 3, 2]) {
    const { repositoryId } = await createTestRepository(tenant, { name: `acme/of-${size}` })
    await savePulls(tenant, repositoryId, Array.from({ length: size }, (_, at) => pull(at + 1, at)))
    ids.push(repositoryId)
  }
  const selection: ActivitySelection = { of: 'pulls open', repositories: ids, timeZone: 'UTC', now, range: null }
  await readActivity(tenant, async (reads) => {
    const lists = await reads.list(selection, { most: 2, first: 'oldest', repositories: 2 })
    expect(lists.map(({ repositoryId, total, lines }) => [repositoryId, total, lines.map(({ number }) => number)])).toEqual([[ids[1], 3, [1, 2]], [ids[2], 2, [1, 2]]])
    expect(await reads.count(selection)).toEqual({ count: 6, bots: 0 })
    expect(await reads.rank(selection, 'repository', 2)).toEqual({ names: 3, rows: [{ name: 'acme/of-3', count: 3 }, { name: 'acme/of-2', count: 2 }] })
    expect(await reads.list({ ...selection, repositories: [] }, { most: 2, first: 'oldest' })).toEqual([])
  })
})

test('a page of a ranking says how many names there are', async () => {
  const pull = (number: number, author: string): PullRow => ({
    number, title: 'x', author, isBot: false, state: 'closed', draft: false, createdAt: new Date(start), mergedAt: new Date(start), closedAt: new Date(start), updatedAt: new Date(start),
    baseRef: 'main', headRef: 'x', labels: ['bug'], milestone: null, requestedReviewers: [], requestedTeams: [], url: null,
  })
  const { repositoryId } = await createTestRepository(tenant, { location: 'acme/rank' })
  await savePulls(tenant, repositoryId, [pull(1, 'ada'), pull(2, 'ada'), pull(3, 'bob'), pull(4, 'eve')])
  const selection: ActivitySelection = { of: 'pulls merged', repositories: [repositoryId], timeZone: 'UTC', now, range: null }
  await readActivity(tenant, async (reads) => {
    expect(await reads.rank(selection, 'author', 2)).toEqual({ names: 3, rows: [{ name: 'ada', count: 2 }, { name: 'bob', count: 1 }] })
    expect((await reads.rank(selection, 'team', 2)).rows).toEqual([{ name: 'core', count: 3 }])
    expect(await reads.names([repositoryId], { label: 'bugs', team: 'Core', author: 'EVE' })).toEqual({ label: 'bug', team: true, author: true })
    expect(await reads.names([repositoryId], { label: 'payments', team: 'mobile', author: 'mallory' })).toEqual({ label: null, team: false, author: false })
    expect(await reads.names([], { label: 'bug', team: 'core', author: 'ada' })).toEqual({ label: null, team: false, author: false })
  })
})
