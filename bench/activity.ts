import type { TenantDb } from '#db/index.ts'
import { saveActivityHistory, saveTeams } from '#db/tenant/activity-history.ts'
import { saveDeployments, saveIssues, savePulls, saveReleases, saveReviews } from '#db/tenant/activity-rows.ts'
import type { IssueRow, PullRow, ReviewRow } from '#db/tenant/activity-rows.ts'
import { addRepository, listRepositories } from '#db/tenant/repositories.ts'
import { vacuumActivity } from '#db/tenant/vacuum-activity.ts'
import { createRandom } from '#infra/testing/create-random.ts'
import { answerActivity } from '#server/activity/answer-activity.ts'
import { quantile } from './measure.ts'
import { withDatabase } from './open-database.ts'
import type { Result } from './report.ts'

const repositories = 10
const pullsOfEach = 5_000
const rounds = 20
/** Milliseconds in which a report is to be counted, nineteen times of twenty. */
const mostMs = 300

const now = new Date('2026-11-27T12:00:00Z')
const year = 365 * 24 * 3_600_000
const people = Array.from({ length: 120 }, (_, at) => `person-${at}`)
const labels = ['bug', 'feature', 'docs', 'security', 'win', 'mac', 'linux', 'perf']

const questions: Record<string, string> = {
  shipped: 'What shipped last week?',
  'shipped, two years': 'What shipped in the last 24 months?',
  merged: 'How many pull requests were merged in 2025?',
  'merged, by author': 'Who merged the most pull requests in 2025?',
  'merged, by label': 'Merged pull requests by label in 2025',
  'merged, of a team': 'How many pull requests by the core team were merged in 2025?',
  'opened and closed': 'How many issues were opened and how many were closed in 2025?',
  'pulls opened and closed': 'How many pull requests were opened and how many were closed in 2025?',
  'in review': 'What is in review right now?',
  stuck: 'What is stuck?',
  'cycle time': 'What is the cycle time of pull requests merged in 2025?',
  releases: 'How many releases did we publish last year?',
  deployments: 'How many deployments failed last month?',
  reviews: 'Who reviewed the most in 2025?',
  open: 'open issues by label',
  oldest: 'How old is the oldest open pull request?',
}

/** Every kind of report over 50,000 pull requests in ten repositories, on PostgreSQL. */
export async function measureActivity(): Promise<Result[]> {
  return withDatabase(async ({ tenant }) => {
    await fill(tenant)
    // As after the first look at a repository.
    await vacuumActivity(tenant)
    const readable = await listRepositories(tenant)
    const results: Result[] = []
    for (const [name, text] of Object.entries(questions)) {
      const times: number[] = []
      for (let round = 0; round < rounds; round++) {
        const start = performance.now()
        const answer = await answerActivity({ now: () => now }, tenant, { text, timeZone: 'Europe/Berlin', readable })
        times.push(performance.now() - start)
        if (answer === null || 'unclear' in answer) throw new Error(`Not told: ${text}`)
      }
      const p95 = quantile(times, 0.95)
      results.push({ measure: name, nura: `${quantile(times, 0.5).toFixed(0)} ms p50, ${p95.toFixed(0)} ms p95`, bound: `p95 ≤ ${mostMs} ms`, holds: p95 <= mostMs, numbers: { first: times[0]!, worst: Math.max(...times) } })
    }
    const used = await tenant.transaction((tx) =>
      tx.query<{ name: string; scans: number }>(`select indexrelname as name, idx_scan::int as scans from pg_stat_user_indexes where schemaname = $1 and relname like 'activity%' order by 1`, [tenant.schema]),
    )
    const unused = used.filter(({ scans }) => scans === 0).map(({ name }) => name)
    results.push({ measure: 'indexes of activity that no report used', nura: unused.join(', ') || 'none', numbers: Object.fromEntries(used.map(({ name, scans }) => [name, scans])) })
    return results
  })
}

async function fill(tenant: TenantDb): Promise<void> {
  const random = createRandom(7)
  const pick = <T>(from: T[]) => from[Math.floor(random() * from.length)]!
  await saveTeams(tenant, 'acme', ['core', 'web', 'data'].map((slug, at) => ({ slug, members: people.filter((_, of) => of % 3 === at) })), { readAt: now })
  for (let of = 0; of < repositories; of++) {
    const { id } = await addRepository(tenant, { name: `acme/repository-${of}`, source: 'github', location: `acme/repository-${of}`, url: `https://github.com/acme/repository-${of}` })
    const pulls: PullRow[] = []
    const issues: IssueRow[] = []
    const reviews: ReviewRow[] = []
    for (let number = 1; number <= pullsOfEach; number++) {
      const createdAt = new Date(now.getTime() - random() * 3 * year)
      const closed = new Date(createdAt.getTime() + random() ** 4 * 0.2 * year)
      const closedAt = closed < now && random() < 0.98 ? closed : null
      const author = pick(people)
      const thread = { title: `Change ${number} of something that matters`, author, isBot: false, state: closedAt ? ('closed' as const) : ('open' as const), createdAt, closedAt, updatedAt: closedAt ?? createdAt, labels: labels.filter(() => random() < 0.15), milestone: null, url: null }
      pulls.push({ ...thread, number, draft: random() < 0.05, mergedAt: closedAt && random() < 0.9 ? closedAt : null, baseRef: 'main', headRef: `change-${number}`, requestedReviewers: [], requestedTeams: [] })
      if (number % 2 === 0) issues.push({ ...thread, number: pullsOfEach + number })
      for (let at = 0; at < 2; at++) {
        reviews.push({ id: number * 10 + at, number, author: pick(people), isBot: false, verdict: random() < 0.8 ? 'approved' : 'changes-requested', submittedAt: new Date(createdAt.getTime() + random() * ((closedAt ?? now).getTime() - createdAt.getTime())) })
      }
    }
    await savePulls(tenant, id, pulls)
    await saveIssues(tenant, id, issues)
    await saveReviews(tenant, id, reviews)
    await saveReleases(tenant, id, Array.from({ length: 100 }, (_, at) => ({ id: at, tag: `v${at}`, name: '', author: 'person-1', isBot: false, prerelease: false, publishedAt: new Date(now.getTime() - (at * 3 * year) / 100), updatedAt: now, url: null })))
    await saveDeployments(tenant, id, Array.from({ length: 2_000 }, (_, at) => ({ id: at, environment: pick(['production', 'staging']), ref: 'main', author: pick(people), isBot: false, state: random() < 0.9 ? ('succeeded' as const) : ('failed' as const), createdAt: new Date(now.getTime() - (at * 3 * year) / 2_000), endedAt: null, updatedAt: now })))
    await tenant.transaction((tx) => tx.execute('update activity_pull set reviews_read_for = updated_at where repository_id = $1', [id]))
    await saveActivityHistory(tenant, id, { pullsComplete: true, issuesComplete: true, releasesComplete: true, deploymentsComplete: true, syncedAt: now })
  }
}
