import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db, TenantDb } from '#db/index.ts'
import { saveActivityHistory, saveTeams } from '#db/tenant/activity-history.ts'
import { saveDeployments, saveIssues, savePullReviews, savePulls, saveReleases } from '#db/tenant/activity-rows.ts'
import type { PullRow } from '#db/tenant/activity-rows.ts'
import { listRepositories } from '#db/tenant/repositories.ts'
import type { Repository } from '#db/tenant/repository.ts'
import { createTestRepository } from '#db/testing/create-repository.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { Report } from '../answer-part.ts'
import { answerActivity } from './answer-activity.ts'

/** A Friday. */
const now = new Date('2026-11-27T12:00:00Z')
let db: Db
let tenant: TenantDb
let shop: Repository
let secret: Repository
let checkout: Repository

const pull = (number: number, opened: string, merged: string | null, more: Partial<PullRow> = {}): PullRow => ({
  number, title: `Change ${number}`, author: 'ada', isBot: false, state: merged ? 'closed' : 'open', draft: false, createdAt: new Date(opened), mergedAt: merged ? new Date(merged) : null,
  closedAt: merged ? new Date(merged) : null, updatedAt: new Date(merged ?? opened), baseRef: 'main', headRef: `change-${number}`, labels: [], milestone: null, requestedReviewers: [], requestedTeams: [],
  url: `https://github.com/acme/shop/pull/${number}`, ...more,
})

beforeAll(async () => {
  db = await openTestDb()
  tenant = await createTestTenant(db)
  const connect = (name: string) => createTestRepository(tenant, { name, source: 'github', location: name, url: `https://github.com/${name}` })
  const ids = [await connect('acme/shop'), await connect('acme/secret'), await createTestRepository(tenant, { name: 'tools' })].map(({ repositoryId }) => repositoryId)
  const rows = await listRepositories(tenant)
  ;[shop, secret, checkout] = ids.map((id) => rows.find((row) => row.id === id)!) as [Repository, Repository, Repository]
  const whole = { pullsComplete: true, issuesComplete: true, releasesComplete: true, deploymentsComplete: true, syncedAt: new Date('2026-11-27T11:55:00Z') }
  await saveActivityHistory(tenant, shop.id, whole)
  await saveActivityHistory(tenant, secret.id, { ...whole, fault: 'secret fault' })
  await savePulls(tenant, shop.id, [
    pull(1, '2026-11-10T10:00:00Z', '2026-11-11T10:00:00Z'),
    pull(2, '2026-11-16T10:00:00Z', '2026-11-17T10:00:00Z', { title: 'Fix [3] **now** @channel <!here>\n# not a heading', labels: ['bug'] }),
    pull(3, '2026-11-16T10:00:00Z', '2026-11-20T10:00:00Z', { author: 'renovate[bot]', isBot: true }),
    // Sunday in New York, Monday in Berlin.
    pull(4, '2026-11-20T10:00:00Z', '2026-11-23T01:00:00Z', { author: 'bob' }),
    pull(5, '2026-10-01T10:00:00Z', null),
    pull(6, '2026-11-26T10:00:00Z', null, { draft: true }),
  ])
  await savePullReviews(tenant, shop.id, 2, [{ id: 1, number: 2, author: 'bob', isBot: false, verdict: 'approved', submittedAt: new Date('2026-11-16T16:00:00Z') }], new Date('2026-11-17T10:00:00Z'))
  await saveIssues(tenant, shop.id, [{ number: 9, title: 'It breaks', author: 'eve', isBot: false, state: 'open', createdAt: new Date('2026-11-17T12:00:00Z'), closedAt: null, updatedAt: new Date('2026-11-17T12:00:00Z'), labels: ['bug'], milestone: null, url: null }])
  await saveReleases(tenant, shop.id, [{ id: 1, tag: 'v2', name: 'v2', author: 'ada', isBot: false, prerelease: false, publishedAt: new Date('2026-11-18T12:00:00Z'), updatedAt: new Date('2026-11-18T12:00:00Z'), url: null }])
  await savePulls(tenant, secret.id, [pull(77, '2026-11-16T10:00:00Z', '2026-11-18T10:00:00Z', { title: 'Top secret', labels: ['hidden'], author: 'mallory' }), pull(78, '2026-01-01T00:00:00Z', null)])
  await saveDeployments(tenant, secret.id, [{ id: 1, environment: 'production', ref: 'main', author: 'mallory', isBot: false, state: 'failed', createdAt: new Date('2026-11-18T10:00:00Z'), endedAt: null, updatedAt: now }])
  await saveTeams(tenant, 'acme', [{ slug: 'core', members: ['ada'] }], { readAt: now })
})
afterAll(() => db.close())

async function tell(text: string, { readable = [shop], timeZone = 'UTC', at = now }: { readable?: Repository[]; timeZone?: string; at?: Date } = {}) {
  const answer = await answerActivity({ now: () => at }, tenant, { text, timeZone, readable })
  if (answer === null || 'unclear' in answer) throw new Error(`not told: ${JSON.stringify(answer)}`)
  for (const { report, sentences, lists } of answer.sections) {
    Report.parse(report)
    for (const place of sentences.flatMap((sentence) => sentence.lists)) expect(lists[place]).toBeDefined()
    for (const { n } of report.figures) expect(n === null || lists[n - 1] !== undefined).toBe(true)
  }
  return answer.sections
}

test('what shipped is told with its numbers, the list behind each and where to look', async () => {
  const [section] = await tell('What shipped last week?')
  expect(section!.sentences.map(({ text }) => text)).toEqual([
    '2 pull requests were merged in the week of 16–22 Nov 2026, 1 more than the week before; 1 release published.',
    '1 of them was opened by bots.',
  ])
  expect(section!.report).toMatchObject({
    title: 'Shipped, 16–22 Nov 2026', range: { from: '2026-11-16', to: '2026-11-22' }, timeZone: 'UTC', asOf: '2026-11-27T11:55:00.000Z', missing: ['The reviews of 5 pull requests in acme/shop are not read yet.'],
    figures: [{ label: 'Pull requests merged', value: 2, previous: 1, n: 1 }, { label: 'Releases published', value: 1, n: 2, url: 'https://github.com/acme/shop/releases' }],
  })
  expect(section!.lists[0]!.lines).toEqual(['#3 Change 3 · renovate[bot] · merged 2026-11-20', '#2 Fix [3] **now** @channel <!here> # not a heading · ada · merged 2026-11-17'])
  expect(decodeURIComponent(section!.lists[0]!.url!)).toBe('https://github.com/acme/shop/pulls?q=is:pr is:merged merged:2026-11-16T00:00:00+00:00..2026-11-22T23:59:59+00:00')
  expect(section!.report.chart).toMatchObject({ labels: ['2026-11-16', '2026-11-17', '2026-11-18', '2026-11-19', '2026-11-20', '2026-11-21', '2026-11-22'], series: [{ values: [0, 1, 0, 0, 1, 0, 0] }] })
})

test('days are the asker’s', async () => {
  const [section] = await tell('How many pull requests were merged last week?', { timeZone: 'America/New_York' })
  expect(section!.report.figures[0]!.value).toBe(3)
})

test('several questions in one have a section each, in their order', async () => {
  const [shipped, stuck] = await tell('What shipped last week and what is stuck?')
  expect(shipped!.report.title).toBe('Shipped, 16–22 Nov 2026')
  expect(stuck!.sentences[0]!.text).toBe('1 pull request is stuck, without a push or review for more than 14 days.')
  expect(stuck!.lists[0]!.lines).toEqual(['#5 Change 5 · ada · quiet for 57 days (since 2026-10-01)'])
})

test('a repository that may not be read contributes to nothing at all', async () => {
  const questions = ['What shipped last week?', 'What is stuck?', 'Who merged the most this year?', 'PRs merged this year by label', 'How many deployments failed last week?', 'How long do pull requests take to merge?', 'What is in review?', 'how many pull requests labelled hidden were merged last week?', 'how many pull requests were merged in acme/secret last week?']
  for (const text of questions) expect(JSON.stringify(await tell(text))).not.toMatch(/mallory|Top secret|#7[78]|fault/)
  const [hidden] = await tell('how many pull requests labelled hidden were merged last week?')
  expect(hidden!.sentences[0]!.text).toBe('No pull request labelled hidden was merged in the week of 16–22 Nov 2026. No pull request or issue here is labelled hidden.')
  const [person] = await tell('how many pull requests by mallory were merged last week?')
  expect(person).toMatchObject({ sentences: [{ text: 'No pull request by mallory was merged in the week of 16–22 Nov 2026. Nobody called mallory did anything here.' }], lists: [] })
  const [named] = await tell('how many pull requests were merged in acme/secret last week?')
  expect(named).toMatchObject({ sentences: [{ text: 'There is no repository acme/secret here, or none that you may see.' }], report: { figures: [], missing: [] } })
  const [both] = await tell('What shipped last week?', { readable: [shop, secret] })
  expect(both!.report.figures[0]).toMatchObject({ value: 3, n: null })
  expect(both!.lists.filter(({ title }) => title.startsWith('Pull')).map(({ repository }) => repository)).toEqual(['acme/shop', 'acme/secret'])
  const other = await createTestTenant(db)
  expect(await answerActivity({ now: () => now }, other, { text: 'What shipped last week?', timeZone: 'UTC', readable: [shop] })).toMatchObject({ sections: [{ report: { figures: [{ value: 0 }, { value: 0 }] } }] })
})

test('what is not followed is said, and so is what nobody may see', async () => {
  expect(await tell('What shipped last week?', { readable: [checkout] })).toMatchObject([{ sentences: [{ text: 'What happens in tools is not followed: it is read from a checkout.' }], report: { figures: [], missing: ['What happens in tools is not followed: it is read from a checkout.'] } }])
  const [mixed] = await tell('What shipped last week?', { readable: [shop, checkout] })
  expect(mixed!.report.missing[0]).toBe('What happens in tools is not followed: it is read from a checkout.')
  expect(await tell('What shipped last week?', { readable: [] })).toMatchObject([{ sentences: [{ text: 'There is no repository here whose activity you may see.' }] }])
})

test.each([
  ['How many pull requests by the core team were merged last week?', '1 pull request by the core team was merged in the week of 16–22 Nov 2026, as many as the week before.'],
  ['How many pull requests by the mobile team were merged last week?', 'No pull request by the mobile team was merged in the week of 16–22 Nov 2026. No team here is called mobile.'],
  ['How many open bugs are there?', '1 issue labelled bug is open.'],
  ['How old is the oldest open issue?', 'The oldest open issue was opened 10 days ago.'],
  ['How many deployments failed last week?', 'There was no deployment in the week of 16–22 Nov 2026, so none failed.'],
  ['What is in review right now?', '1 pull request is in review now: 1 without a review yet, 0 with changes requested.'],
  ['Who reviewed the most this month?', '1 review was given in Nov 2026.'],
  ['How long did pull requests wait for a first review in November?', 'The one pull request that was merged in Nov 2026 and reviewed got the first review after 6 hours.'],
  ['How many issues were opened last week?', '1 issue was opened in the week of 16–22 Nov 2026, 1 more than the week before, and 0 were closed.'],
  ['When was the last release?', '1 release was published in the last 30 days, 1 more than the 30 days before.'],
  ['What was merged yesterday?', 'Nothing was merged yesterday.'],
])('%s', async (text, lead) => {
  const [section] = await tell(text)
  expect(section!.sentences[0]!.text).toBe(lead)
})

test('no question about activity, and what cannot be read', async () => {
  const ask = (text: string) => answerActivity({ now: () => now }, tenant, { text, timeZone: 'UTC', readable: [shop] })
  expect(await ask('Where is the pull request summary written?')).toBeNull()
  expect(await ask('What did we ship this sprint?')).toMatchObject({ unclear: expect.stringContaining('sprint') as string })
})

test('of a long list some hundreds are told, and how many more there are', async () => {
  const { repositoryId } = await createTestRepository(tenant, { name: 'acme/busy', source: 'github', location: 'acme/busy' })
  await savePulls(tenant, repositoryId, Array.from({ length: 1_301 }, (_, at) => pull(at + 1, '2026-11-16T10:00:00Z', '2026-11-18T10:00:00Z')))
  const busy = (await listRepositories(tenant)).find(({ id }) => id === repositoryId)!
  const [section] = await tell('What was merged last week?', { readable: [busy] })
  expect(section!.sentences[0]!.text).toBe('1,301 pull requests were merged in the week of 16–22 Nov 2026, 1,301 more than the week before.')
  expect([section!.lists[0]!.lines.length, section!.lists[0]!.lines.at(-1)]).toEqual([301, 'and 1,001 more'])
  expect(section!.report.missing).toEqual(['The history of acme/busy is not read completely yet, so that older things may be missing.'])
})
