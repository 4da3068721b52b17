import { expect, test } from 'vitest'
import type { Report } from '#server/answer-part.ts'
import type { Told } from './ask-surfaces.ts'
import { holdAgainst } from './hold-against.ts'
import type { FigureQuestion } from './question-set.ts'
import type { History } from './read-history.ts'

const at = (time: string) => Date.parse(time) / 1000
const pull = (number: number, author: string, mergedAt: string) => ({ number, repository: 'shop', title: 'A change', author, labels: [], reviews: [], commits: ['a'], openedAt: at(mergedAt) - 36 * 3600, mergedAt: at(mergedAt) })
const history: History = {
  pulls: [pull(1, 'ada', '2020-03-02T12:00:00Z'), pull(2, 'ada', '2020-03-03T12:00:00Z'), pull(3, 'grace', '2020-02-25T12:00:00Z'), pull(4, 'grace', '2020-03-09T12:00:00Z')],
  issues: [],
  releases: [],
}
const week = { of: 'pulls merged' as const, from: '2020-03-02', to: '2020-03-08' }
const asked: FigureQuestion = {
  question: 'What shipped last week?', at: '2020-03-09T08:00:00Z', timeZone: 'UTC', lists: [], outcome: 'told', says: [],
  figures: [{ label: 'merged', measure: week, previous: { ...week, from: '2020-02-24', to: '2020-03-01' } }],
}
const figure: Report['figures'][number] = { label: 'Pull requests merged', value: 2, unit: 'count', previous: 1, n: 1, url: null }
const report: Report = { title: 'Shipped', asOf: '2020-03-09T08:00:00Z', timeZone: 'UTC', range: { from: '2020-03-02', to: '2020-03-08' }, figures: [figure], table: null, chart: null, missing: [] }
const told = (reports: Report[], text = '2 pull requests were merged [1].'): Told => ({ text, reports, others: [], agent: 'pm', error: null })
const wrong = (question: FigureQuestion, answer: Told) => holdAgainst(history, question, answer, {}).filter(({ equal }) => !equal).map(({ what, nura, byHand }) => `${what}: ${nura}, ${byHand}`)

test('an answer that is right has nothing wrong', () => {
  expect(holdAgainst(history, asked, told([report]), {}).map(({ what, nura }) => `${what}: ${nura}`)).toEqual([
    'lacks: nothing', 'merged: 2', 'merged: days: 2020-03-02 to 2020-03-08', 'merged: zone: UTC', 'merged: before: 1', 'merged: in the text: said',
  ])
  expect(wrong(asked, told([report]))).toEqual([])
})

test.each<[string, Partial<Report>, string[]]>([
  ['number', { figures: [{ ...figure, value: 3 }] }, ['merged: 3, 2', 'merged: in the text: not said, said']],
  ['number before', { figures: [{ ...figure, previous: 0 }] }, ['merged: before: 0, 1']],
  ['number that is missing', { figures: [{ ...figure, previous: null }] }, ['merged: before: none, 1']],
  ['range', { range: { from: '2020-03-02', to: '2020-03-09' } }, ['merged: days: 2020-03-02 to 2020-03-09, 2020-03-02 to 2020-03-08']],
  ['zone', { timeZone: 'Asia/Tokyo' }, ['merged: zone: Asia/Tokyo, UTC']],
  ['part of the history that is not read', { missing: ['The history of shop is not read completely yet.'] }, ['lacks: The history of shop is not read completely yet., nothing']],
  ['figure', { figures: [{ ...figure, label: 'Opened' }] }, ['merged: no such figure, 2']],
])('a wrong %s is told', (_, change, expected) => {
  expect(wrong(asked, told([{ ...report, ...change }]))).toEqual(expected)
})

test('a text that says another number than its report is told; the number of a citation is none', () => {
  expect(wrong(asked, told([report], 'Some were merged [2].'))).toEqual(['merged: in the text: not said, said'])
})

test('a turn that failed is told', () => {
  expect(wrong(asked, { ...told([]), error: 'internal: broke' })).toEqual(['an answer: internal: broke, an answer'])
})

test('times are held at a tenth, in the unit of the report', () => {
  const question: FigureQuestion = { ...asked, figures: [{ label: 'median', measure: { ...week, of: 'hours to merge', quantile: 0.5 } }] }
  const days = (value: number) => told([{ ...report, figures: [{ ...figure, label: 'Median', unit: 'days', value }] }])
  expect(wrong(question, days(1.52))).toEqual([])
  expect(wrong(question, days(1.6))).toEqual(['median: 1.6 days, 1.5 days'])
})

test('a table must have the right numbers, and whoever has more', () => {
  const question: FigureQuestion = { ...asked, figures: [], lists: [{ by: 'author', measure: { ...week, from: '2020-02-01' } }] }
  const rows = (...counts: [string, string][]) => told([{ ...report, table: { title: 'By author', columns: [{ title: 'Author', kind: 'text' }, { title: 'Merged', kind: 'number' }], rows: counts.map((row) => row.map((text) => ({ text }))), more: 0, url: null } }])
  expect(wrong(question, rows(['ada', '2'], ['grace', '1']))).toEqual([])
  expect(wrong(question, rows(['ada', '2']))).toEqual([])
  expect(wrong(question, rows(['grace', '1']))).toEqual(['by author: left out: ada, none'])
  expect(wrong(question, rows(['ada', '3'], ['eve', '1']))).toEqual(['by author: ada: 3, 2', 'by author: eve: 1, 0'])
  expect(wrong(question, told([report]))).toEqual(['by author: no such table, 2 rows'])
})

test('what cannot be read is asked back, and no number is made up', () => {
  const question: FigureQuestion = { ...asked, figures: [], outcome: 'unclear', says: ['31 feb|february'] }
  expect(wrong(question, told([], 'There is no 31 February. Ask for a range such as 1 to 29 February.'))).toEqual([])
  expect(wrong(question, told([report], 'In February 2.'))).toEqual(['outcome: tells 1 report, asks back'])
  expect(wrong(question, told([], 'I found nothing.'))).toEqual(['outcome: says: I found nothing., asks back', 'words: not said: 31 feb|february, said'])
})

test('what is not there is said, and named', () => {
  const question: FigureQuestion = { ...asked, figures: [], outcome: 'nothing', says: ['payments'] }
  expect(wrong(question, told([], 'No pull request is labelled Payments.'))).toEqual([])
  expect(wrong(question, told([report], 'No pull request.'))).toEqual(['outcome: tells 1 report, says there is none', 'words: not said: payments, said'])
})
