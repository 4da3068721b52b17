import type { ActivitySection } from '../activity/activity-answer.ts'

/** What a tenant shipped and what waits, as if it had been counted. */
export function sampleSections(): ActivitySection[] {
  const at = { repositoryId: 'repository-1', repository: 'acme/shop' }
  return [
    {
      sentences: [
        { text: '2 pull requests were merged in the week of 16–22 Nov, 1 more than the week before.', lists: [0] },
        { text: '1 of them is labelled bug.', lists: [0] },
      ],
      lists: [{ ...at, title: 'Merged 16–22 Nov 2026', url: 'https://github.com/acme/shop/pulls?q=merged', lines: ['#12 Cache the plan · ada · merged 2026-11-18', '#13 Fix [3] @channel <!here> · bob · merged 2026-11-19'] }],
      report: {
        title: 'Shipped, 16–22 Nov 2026', asOf: '2026-11-27T09:00:00.000Z', timeZone: 'UTC', range: { from: '2026-11-16', to: '2026-11-22' },
        figures: [{ label: 'Merged pull requests', value: 2, unit: 'count', previous: 1, n: 1, url: 'https://github.com/acme/shop/pulls?q=merged' }],
        table: { title: 'By repository', columns: [{ title: 'Repository', kind: 'text' }, { title: 'Merged', kind: 'number' }], rows: [[{ text: 'acme/shop' }, { text: '2' }]], more: 0, url: null },
        chart: null, missing: [],
      },
    },
    {
      sentences: [{ text: '1 pull request is stuck.', lists: [0] }],
      lists: [{ ...at, title: 'Stuck pull requests', url: null, lines: ['#9 Split the worker · ada · no activity for 12 days'] }],
      report: {
        title: 'Stuck', asOf: '2026-11-27T09:00:00.000Z', timeZone: 'UTC', range: null,
        figures: [{ label: 'Stuck pull requests', value: 1, unit: 'count', previous: null, n: 1, url: null }],
        table: null, chart: null, missing: [],
      },
    },
  ]
}

/** The answer where nothing can be counted, because nobody follows the repositories. */
export function uncountedSections(): ActivitySection[] {
  return sampleSections().slice(0, 1).map(({ report }) => ({ sentences: [{ text: 'What happens in acme/shop is not followed: it is read from a checkout.', lists: [] }], lists: [], report: { ...report, figures: [], table: null } }))
}
