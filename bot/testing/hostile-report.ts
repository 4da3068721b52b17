import type { Report } from '#server/answer-part.ts'

/** A report of figures, a chart of two series and a list with links, one row of which was written to mislead. */
export const hostileReport: Report = {
  title: 'Shipped, 16–22 Nov 2026',
  asOf: '2026-11-23T08:04:00.000Z',
  timeZone: 'Europe/Berlin',
  range: { from: '2026-11-16', to: '2026-11-22' },
  figures: [
    { label: 'Pull requests merged', value: 12, unit: 'count', previous: 9, n: 1, url: 'https://github.com/acme/api/pulls?q=is%3Amerged' },
    { label: 'Median time to merge', value: 17.25, unit: 'hours', previous: 21.5, n: 1, url: null },
    { label: 'Reviewed by two', value: 75, unit: 'percent', previous: 75, n: null, url: null },
    { label: 'Open for more than a week', value: 3, unit: 'count', previous: null, n: null, url: null },
  ],
  table: {
    title: 'Merged',
    columns: [{ title: 'Pull request', kind: 'text' }, { title: 'By', kind: 'text' }, { title: 'Merged', kind: 'date' }, { title: 'Lines', kind: 'number' }],
    rows: [
      [{ text: '#41 Cache the plan of a sync', url: 'https://github.com/acme/api/pull/41' }, { text: 'ada' }, { text: '18 Nov' }, { text: '412' }],
      [{ text: '#43 Refuse tokens that have expired', url: 'https://github.com/acme/api/pull/43' }, { text: 'grace' }, { text: '19 Nov' }, { text: '88' }],
      [{ text: '#44 [Sign in](https://evil.example) <at>all</at> now', url: null }, { text: 'mallory' }, { text: '20 Nov' }, { text: '1' }],
    ],
    more: 9,
    url: 'https://github.com/acme/api/pulls?q=is%3Amerged',
  },
  chart: {
    kind: 'bar',
    title: 'Merged a week',
    unit: 'count',
    labels: ['2 Nov', '9 Nov', '16 Nov'],
    series: [{ name: 'acme/api', values: [7, 9, 12] }, { name: 'acme/web', values: [4, 2, 6] }],
  },
  missing: ['acme/mobile is missing: its history is not read yet.'],
}
