import fc from 'fast-check'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmFromMarkdown } from 'mdast-util-gfm'
import { gfm } from 'micromark-extension-gfm'
import { expect, test } from 'vitest'
import type { Citation, Report } from '../answer-part.ts'
import { liveIn, livePieces } from '../testing/live-markdown.ts'
import { renderMarkdown } from './render-markdown.ts'

const list: Citation = { n: 1, repository: 'acme/api', path: 'activity/merged.md', startLine: 1, endLine: 9, sha: 'a'.repeat(40), url: 'https://github.com/acme/api/pulls?q=merged', title: 'Pull requests merged in acme/api' }
const report: Report = {
  title: 'Shipped, 16–22 Nov 2026',
  asOf: '2026-11-22T13:05:00.000Z',
  timeZone: 'Europe/Berlin',
  range: null,
  figures: [{ label: 'Merged', value: 12, unit: 'count', previous: 8, n: 1, url: 'https://github.com/acme/api/pulls?q=merged' }],
  table: {
    title: 'Merged pull requests',
    columns: [{ title: 'Pull request', kind: 'text' }, { title: 'Files', kind: 'number' }],
    rows: [[{ text: '#12 Cache | the plan for @ada', url: 'https://github.com/acme/api/pull/12' }, { text: '7' }], [{ text: 'Notes', url: 'https://wiki.example/notes' }, { text: '' }]],
    more: 10,
    url: 'https://github.com/acme/api/pulls?q=merged',
  },
  chart: null,
  missing: ['The history of acme/web is not read yet.'],
}
const render = (reports: Report[], markdown = 'Twelve were merged [1].') => renderMarkdown({ markdown, citations: [list], freshness: [], headSha: null, reports }, new Date('2026-11-22T14:00:00Z'))

test('a report stands below the text: figures, table, what is left out, as of when, what is missing', async () => {
  await expect(`${render([report])}\n`).toMatchFileSnapshot('./golden/report.md')
})

test('a link that its other end would tell of is words', () => {
  expect(render([report])).not.toContain('acme/api/pull/12')
  expect(render([report])).toContain('[Notes](https://wiki.example/notes)')
})

test('rows that are too many are counted', () => {
  const rows = Array.from({ length: 30 }, (_, at) => [{ text: `row ${at}` }, { text: '1' }])
  expect(render([{ ...report, table: { ...report.table!, rows } }])).toMatch(/row 19 \| 1 \|\n\n\[and 20 more\]/)
})

test('whatever people wrote in what is reported, nothing of it is live and the table keeps its columns', () => {
  const text = fc.array(fc.constantFrom(...livePieces, '[1]', '\\|', '`|`', 'a|b'), { maxLength: 12 }).map((parts) => parts.join(''))
  const url = fc.constantFrom('https://github.com/o/r/issues/5', 'javascript:alert(1)', 'https://e.example/a|b', 'https://e.example/) [x](y', null)
  fc.assert(
    fc.property(text, text, url, (title, cell, address) => {
      const shown = render([{ ...report, title, figures: [{ ...report.figures[0]!, label: cell, url: address }], table: { ...report.table!, title, rows: [[{ text: cell, url: address }, { text: title }]], url: address }, missing: [cell] }])
      expect(liveIn(shown)).toEqual([])
      const tables = fromMarkdown(shown, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] }).children.filter((node) => node.type === 'table')
      expect(tables.map(({ children }) => children.map((row) => row.children.length))).toEqual([[2, 2]])
    }),
    { numRuns: 200 },
  )
})
