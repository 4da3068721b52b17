import type { Citation, Report } from '#server/answer-part.ts'

export const listCitation: Citation = {
  n: 2,
  repository: 'acme/api',
  path: 'activity/merged.md',
  startLine: 1,
  endLine: 12,
  sha: 'a1b2c3d4e5f60718293a4b5c6d7e8f9012345678',
  url: 'https://git.example/acme/api/pulls?q=merged',
  title: 'Pull requests merged 16–22 Nov 2026 in acme/api',
}

/** A report with everything in it: a change, a figure without one, rows left out, a chart and something missing. */
export const sampleReport: Report = {
  title: 'Shipped, 16–22 Nov 2026',
  asOf: '2026-11-22T13:05:00.000Z',
  timeZone: 'Europe/Berlin',
  range: { from: '2026-11-16', to: '2026-11-22' },
  figures: [
    { label: 'Merged', value: 12, unit: 'count', previous: 8, n: 2, url: 'https://git.example/acme/api/pulls?q=merged' },
    { label: 'Median time to merge', value: 26.5, unit: 'hours', previous: 30, n: 2, url: null },
  ],
  table: {
    title: 'Merged pull requests',
    columns: [{ title: 'Pull request', kind: 'text' }, { title: 'Author', kind: 'text' }, { title: 'Files', kind: 'number' }, { title: 'Merged', kind: 'date' }],
    rows: [
      [{ text: '#12 Cache the plan', url: 'https://git.example/acme/api/pull/12' }, { text: 'ada' }, { text: '7' }, { text: '18 Nov' }],
      [{ text: '#13 <!channel> | *bold* <https://evil.example|x>', url: 'javascript:alert(1)' }, { text: 'grace' }, { text: '' }, { text: '19 Nov' }],
    ],
    more: 10,
    url: 'https://git.example/acme/api/pulls?q=merged',
  },
  chart: { kind: 'bar', title: 'Merged a week', unit: 'count', labels: ['9 Nov', '16 Nov'], series: [{ name: 'merged', values: [8, 12] }] },
  missing: ['The history of acme/web is not read yet.'],
}
