import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readQuestion } from './read-question.ts'
import { ReportQuery } from './report-query.ts'

/** A Friday. */
const today = '2026-11-27'
const repositories = ['acme/shop', 'acme/shop-docs', 'acme/billing']

/** The kinds that are read, with whatever of the rest is not as usual. */
function show(text: string, at = today): string | null {
  const read = readQuestion(text, { today: at, repositories })
  if (read === null) return null
  if ('unclear' in read) return 'unclear'
  return read.queries
    .map((query) => {
      ReportQuery.parse(query)
      const { kind, of, range, by, filters, days } = query
      const named = Object.entries(filters).map(([key, value]) => `${key}=${value}`)
      return [kind, ...(['opened-closed', 'open', 'oldest'].includes(kind) ? [of] : []), ...(range ? [`${range.from}..${range.to}`] : []), ...(by ? [`by ${by}`] : []), ...named, ...(days === 14 ? [] : [`${days} days`])].join(' ')
    })
    .join(' + ')
}

const lastWeek = '2026-11-16..2026-11-22'
const month = '2026-10-29..2026-11-27'
test.each([
  ['What shipped last week?', `shipped ${lastWeek}`],
  ['what did we ship last week', `shipped ${lastWeek}`],
  ['What shipped last week and what is stuck?', `shipped ${lastWeek} + stuck`],
  ['What did the team ship last week, and what is stuck?', `shipped ${lastWeek} + stuck`],
  ['Hey, can you tell me what went out last week?', `shipped ${lastWeek}`],
  ['What has shipped?', 'shipped 2026-11-21..2026-11-27'],
  ['What did we ship recently?', 'shipped 2026-11-21..2026-11-27'],
  ['Did we ship anything yesterday?', 'shipped 2026-11-26..2026-11-26'],
  ['What did the platform team ship in October?', 'shipped 2026-10-01..2026-10-31 team=platform'],
  ['What went live today?', 'shipped 2026-11-27..2026-11-27'],
  ['Give me a summary of what was shipped last quarter', 'shipped 2026-07-01..2026-09-30'],
  ['Which label had the most issues last month?', 'opened-closed issues 2026-10-01..2026-10-31 by label'],
  ['What got done this week?', 'shipped 2026-11-23..2026-11-29'],
  ['What did ada ship last month?', 'shipped 2026-10-01..2026-10-31 author=ada'],
  ['What landed in main last week?', `shipped ${lastWeek} base=main`],
  ['what happened last week in acme/shop?', `shipped ${lastWeek} repository=acme/shop`],
  ['Summarise last week', `shipped ${lastWeek}`],
  ['What did we deliver in Q3?', 'shipped 2026-07-01..2026-09-30'],
  ['What shipped in shop-docs since 2026-11-02?', 'shipped 2026-11-02..2026-11-27 repository=shop-docs'],
  ['How many pull requests were merged in October?', 'merged 2026-10-01..2026-10-31'],
  ['How many PRs got merged in October 2018?', 'merged 2018-10-01..2018-10-31'],
  ['how many prs did we merge today?', 'merged 2026-11-27..2026-11-27'],
  ['what was merged this week?', 'merged 2026-11-23..2026-11-29'],
  ['Who merged the most pull requests in the first quarter of 2020?', 'merged 2020-01-01..2020-03-31 by author'],
  ['Who merged most last month?', 'merged 2026-10-01..2026-10-31 by author'],
  ['PRs merged in Q4 2019 by label, please', 'merged 2019-10-01..2019-12-31 by label'],
  ['Merged pull requests per team last quarter', 'merged 2026-07-01..2026-09-30 by team'],
  ['How many pull requests by the windows team were merged in 2019?', 'merged 2019-01-01..2019-12-31 team=windows'],
  ['How many pull requests by ben-noordhuis were merged last quarter?', 'merged 2026-07-01..2026-09-30 author=ben-noordhuis'],
  ['How many pull requests were merged between 2026-03-01 and 2026-03-15?', 'merged 2026-03-01..2026-03-15'],
  ['How many pull requests were merged in shop-docs in April?', 'merged 2026-04-01..2026-04-30 repository=shop-docs'],
  ['how many pull requests labelled win were merged in shop last month?', 'merged 2026-10-01..2026-10-31 label=win repository=shop'],
  ['How many pull requests labeled "good first issue" were merged in April?', 'merged 2026-04-01..2026-04-30 label=good first issue'],
  ['How many pull requests were merged into main last week?', `merged ${lastWeek} base=main`],
  ['How many PRs were merged into the release/2.x branch last week?', `merged ${lastWeek} base=release/2.x`],
  ['How many pull requests were merged in ghosts/none last week?', `merged ${lastWeek} repository=ghosts/none`],
  ['Which was the busiest month in 2019?', 'merged 2019-01-01..2019-12-31 by month'],
  ['Which was the busiest repository last quarter?', 'merged 2026-07-01..2026-09-30 by repository'],
  ['How did December 2019 compare with the month before?', 'merged 2019-12-01..2019-12-31'],
  ['How does last week compare to the week before?', `merged ${lastWeek}`],
  ['Were any PRs merged yesterday?', 'merged 2026-11-26..2026-11-26'],
  ['list the pull requests merged since last Monday', 'merged 2026-11-23..2026-11-27'],
  ['Which team merged the most last month?', 'merged 2026-10-01..2026-10-31 by team'],
  ['What did we merge on 25 December 2019?', 'merged 2019-12-25..2019-12-25'],
  ['How many PRs were merged in February, and how long did they take from opening to merging?', 'merged 2026-02-01..2026-02-28 + cycle-time 2026-02-01..2026-02-28'],
  ['What is the cycle time of pull requests merged this quarter?', 'cycle-time 2026-10-01..2026-12-31'],
  ['How long do pull requests take to merge?', `cycle-time ${month}`],
  ['How long did pull requests take to merge in October?', 'cycle-time 2026-10-01..2026-10-31'],
  ['What was the median time to merge last month?', 'cycle-time 2026-10-01..2026-10-31'],
  ['How long did pull requests wait for a first review in March?', 'cycle-time 2026-03-01..2026-03-31'],
  ['cycle time by team last quarter', 'cycle-time 2026-07-01..2026-09-30 by team'],
  ['average review time in October', 'cycle-time 2026-10-01..2026-10-31'],
  ['How many issues were opened and how many were closed in 2019?', 'opened-closed issues 2019-01-01..2019-12-31'],
  ['How many bugs were fixed last month?', 'opened-closed issues 2026-10-01..2026-10-31 label=bug'],
  ['how many tickets came in last week?', `opened-closed issues ${lastWeek}`],
  ['How many pull requests were opened this week?', 'opened-closed pulls 2026-11-23..2026-11-29'],
  ['Who opened the most issues last year?', 'opened-closed issues 2025-01-01..2025-12-31 by author'],
  ['Issues opened vs closed in the last 4 weeks', 'opened-closed issues 2026-10-31..2026-11-27'],
  ['Are there new bugs since yesterday?', 'opened-closed issues 2026-11-26..2026-11-27 label=bug'],
  ['What is in review right now?', 'in-review'],
  ['What is in review and for how long?', 'in-review'],
  ['Which pull requests are waiting for review?', 'in-review'],
  ['How many PRs need a review?', 'in-review'],
  ['which pull requests have no reviews', 'in-review'],
  ['How long have pull requests been in review?', 'in-review'],
  ['What is stuck?', 'stuck'],
  ['Is anything stuck?', 'stuck'],
  ['Are there any stale pull requests?', 'stuck'],
  ['Which pull requests have been stuck for more than 30 days?', 'stuck 30 days'],
  ['Which PRs have had no activity for 3 weeks?', 'stuck 21 days'],
  ["What's blocked in billing?", 'stuck repository=billing'],
  ['How many releases did we publish last year?', 'releases 2025-01-01..2025-12-31'],
  ['What did we release last month?', 'releases 2026-10-01..2026-10-31'],
  ['When was the last release?', `releases ${month}`],
  ['List all releases of acme/shop in 2026', 'releases 2026-01-01..2026-12-31 repository=acme/shop'],
  ['How many deployments failed last week?', `deployments ${lastWeek}`],
  ['What was deployed yesterday?', 'deployments 2026-11-26..2026-11-26'],
  ['Has anything been deployed today?', 'deployments 2026-11-27..2026-11-27'],
  ['How many deployments were there in October?', 'deployments 2026-10-01..2026-10-31'],
  ['Are there failing deployments?', `deployments ${month}`],
  ['Who reviewed the most in April 2020?', 'reviews 2020-04-01..2020-04-30 by author'],
  ['How many reviews did grace do last week?', `reviews ${lastWeek} author=grace`],
  ['What is the review load per person last month?', 'reviews 2026-10-01..2026-10-31 by author'],
  ['Who are the top reviewers?', `reviews ${month} by author`],
  ['How many issues labelled bug are open?', 'open issues label=bug'],
  ['How many open bugs do we have?', 'open issues label=bug'],
  ['Do we have any open bugs?', 'open issues label=bug'],
  ['open issues by label', 'open issues by label'],
  ['How many pull requests are open?', 'open pulls'],
  ['Which PRs are still open in shop?', 'open pulls repository=shop'],
  ["ada's open pull requests", 'open pulls author=ada'],
  ['How old is the oldest open issue?', 'oldest issues'],
  ['What is the oldest open PR?', 'oldest pulls'],
  ['Which pull request has been open the longest?', 'oldest pulls'],
  ['How many pull requests were merged on 31 February 2020?', 'unclear'],
  ['What shipped between 2020-04-30 and 2020-04-01?', 'unclear'],
  ['How many PRs were merged in December 2027?', 'unclear'],
  ['What did we ship this sprint?', 'unclear'],
  ['What will be merged next week?', null],
  ['How many PRs were merged next week?', 'unclear'],
])('%s', (text, expected) => {
  expect(show(text)).toBe(expected)
})

test.each([
  'Is the billing migration covered by tests?', 'What plans do we support?', 'How do we release?', 'Where is the pull request summary written?',
  'How does the webhook verify its signature?', 'What happens when a pull request is merged?', 'Who owns the billing module?', 'Which file handles merged pull requests?',
  'Why was the worker split?', 'How are deployments done?', 'How do I open a pull request?', 'What is our release process?', 'Explain the review flow.',
  'Where are issues synced?', 'Which tests cover the deploy script?', 'What does the label nura:skip do?', 'How is a pull request marked as stuck?',
  'Can reviewers be assigned automatically?', 'What is the difference between merged and closed?', 'Does Nura summarise draft pull requests?', 'Which plan includes audit logs?',
  'What is the retention period?', 'How many connections does the pool open?', 'How long are tokens valid?', 'How long is an answer kept?', 'How many retries does the queue make?',
  'Which function merges two ranges?', 'How many tenants may share a database?', 'What does the release workflow do?', 'Where do we store reviews?',
  'How old may a signature be?', 'What opens the database?', 'Which jobs are stuck in the queue?', 'Who can deploy to production?', 'What is deployed where?',
  'What is the most expensive query?', 'How many issues can the API list at once?', 'What branch do we release from?', 'Which permissions does the App need to read pull requests?',
  'How does last_merged get computed?', 'Which events trigger a review?', 'What is a stale embedding?', 'Who wrote the merge code?', 'Are pull requests from forks supported?',
  'How many chunks does a file have?', 'Which services are open to the internet?', 'Is there a limit on open files?', 'What ships in the starter plan?', 'Who reviews security changes?',
  'What do we do when a deployment fails?', 'How long do sessions stay open?', 'Which module closes the connection?', 'What are the release notes for?', 'What is the price of the team plan?',
  'Tell me about the cache', 'What are the open questions in the design?', 'What is blocked by the firewall?', 'hello', 'thanks!', 'What did we decide about billing last week?',
  'Who merges pull requests?', 'What is a pull request?', 'Is the release pull request merged automatically?', 'How is cycle time calculated?', 'Which labels does the bug template set?', 'Should I merge this?', 'Write a test for the merge function', 'What changed in the retry code?',
  'Why is the deployment failing?', 'Where can I see open pull requests?', 'How many lines does a hunk have at most?', 'Who do I ask about releases?', 'What is the team plan?',
])('is no question about activity: %s', (text) => {
  expect(show(text)).toBe(null)
})

test('any text is read or left alone, and what is read is whole', () => {
  const word = fc.constantFrom('what', 'shipped', 'last', 'week', 'pull', 'requests', 'merged', 'by', 'the', 'team', 'in', 'march', 'between', '31', 'february', 'and', '2026-01-01', 'stuck', 'open', 'issues', 'labelled', 'q3', 'how many', '?', 'for more than', '0', 'days', 'ada', 'acme/shop', '"', '`')
  fc.assert(
    fc.property(fc.oneof(fc.string({ maxLength: 80 }), fc.array(word, { maxLength: 14 }).map((words) => words.join(' '))), (text) => {
      const read = readQuestion(text, { today, repositories })
      if (read === null || 'unclear' in read) return
      expect(read.queries.length).toBeGreaterThan(0)
      for (const query of read.queries) {
        const { range } = ReportQuery.parse(query)
        if (range) expect(range.from <= range.to && range.from <= today).toBe(true)
      }
    }),
    { numRuns: 500 },
  )
})
