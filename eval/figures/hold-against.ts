import type { Report, Unit } from '#server/answer-part.ts'
import type { Told } from './ask-surfaces.ts'
import { countByHand, rankByHand } from './count-by-hand.ts'
import type { Moment } from './count-by-hand.ts'
import type { Measure } from './measure.ts'
import type { FigureQuestion } from './question-set.ts'
import type { History } from './read-history.ts'

/** One thing that an answer says, beside what it must say. */
export type Held = { what: string; nura: string; byHand: string; equal: boolean }

/** Holds the reports of an answer against the history. */
export function holdAgainst(history: History, question: FigureQuestion, told: Told, teams: Moment['teams']): Held[] {
  const moment = { at: Date.parse(question.at) / 1000, zone: question.timeZone, teams }
  if (told.error !== null) return [{ what: 'an answer', nura: told.error, byHand: 'an answer', equal: false }]
  const said = told.text.toLowerCase()
  const missing = question.says.filter((words) => !words.toLowerCase().split('|').some((word) => said.includes(word)))
  const words = question.says.length === 0 ? [] : [toHeld('words', missing.length === 0 ? 'said' : `not said: ${missing.join(', ')}`, 'said')]
  if (question.outcome === 'unclear') return [toHeld('outcome', toOutcome(told), 'asks back'), ...words]
  const nothing = question.outcome === 'nothing' ? [toHeld('outcome', saysNothing(told) ? 'says there is none' : toOutcome(told), 'says there is none')] : []
  // Names that nothing here has are told as something that is missing too.
  const lacks = told.reports.flatMap(({ missing }) => missing)
  const whole = question.outcome === 'nothing' ? [] : [toHeld('lacks', lacks.join(' ') || 'nothing', 'nothing')]
  return [
    ...nothing,
    ...words,
    ...whole,
    ...question.figures.flatMap((figure) => holdFigure(history, figure, told, moment)),
    ...question.lists.flatMap((list) => holdList(history, list, told, moment)),
  ]
}

function toHeld(what: string, nura: string, byHand: string): Held {
  return { what, nura, byHand, equal: nura === byHand }
}

function toOutcome({ reports, text }: Told): string {
  if (reports.length > 0) return `tells ${reports.length} ${reports.length === 1 ? 'report' : 'reports'}`
  return /\bask\b|\bsuch as\b|\bsay\b|\bname\b/i.test(text) ? 'asks back' : `says: ${text.slice(0, 60)}`
}

function saysNothing({ reports, text }: Told): boolean {
  return reports.every(({ figures }) => figures.every(({ value }) => value === 0)) && /\b(?:no|none|nothing|never|not)\b/i.test(text)
}

function holdFigure(history: History, { label, measure, previous }: FigureQuestion['figures'][number], { reports, text }: Told, moment: Moment): Held[] {
  const found = reports.flatMap((report) => report.figures.map((figure) => ({ report, figure }))).find(({ figure }) => figure.label.toLowerCase().includes(label.toLowerCase()))
  const counted = countByHand(history, measure, moment)
  if (!found) return [toHeld(label, 'no such figure', show(counted, 'count'))]
  const { report, figure } = found
  const held = [toHeld(label, show(figure.value, figure.unit), show(toUnit(counted, measure, figure.unit), figure.unit))]
  if ('from' in measure) held.push(toHeld(`${label}: days`, report.range ? `${report.range.from} to ${report.range.to}` : 'none', `${measure.from} to ${measure.to}`))
  held.push(toHeld(`${label}: zone`, report.timeZone, moment.zone))
  if (previous) held.push(toHeld(`${label}: before`, show(figure.previous, figure.unit), show(toUnit(countByHand(history, previous, moment), previous, figure.unit), figure.unit)))
  // The sentence must say what the report says.
  if (figure.unit === 'count' && figure.value > 0) held.push(toHeld(`${label}: in the text`, numbersIn(text).includes(figure.value) ? 'said' : 'not said', 'said'))
  return held
}

/** Measures of time are counted in hours or days; a report may tell either. */
function toUnit(counted: number | null, { of }: Measure, unit: Unit): number | null {
  if (counted === null) return null
  if (of.startsWith('hours') && unit === 'days') return counted / 24
  if (of.startsWith('days') && unit === 'hours') return counted * 24
  return counted
}

/** Times at the tenth that people read; counts as they are. */
function show(value: number | null, unit: Unit): string {
  if (value === null) return 'none'
  return unit === 'count' ? String(value) : `${value.toFixed(1)} ${unit}`
}

function numbersIn(text: string): number[] {
  return [...text.replace(/\[\d+\]/g, ' ').matchAll(/\d[\d,]*(?:\.\d+)?/g)].map(([number]) => Number(number.replaceAll(',', '')))
}

function holdList(history: History, { by, measure }: FigureQuestion['lists'][number], { reports }: Told, moment: Moment): Held[] {
  const counted = rankByHand(history, measure, by, moment)
  const expected = new Map(counted.map(({ name, count }) => [name, count]))
  const found = reports.map((report) => toNumbers(report, by)).find((rows) => rows !== null)
  if (!found) return [toHeld(`by ${by}`, 'no such table', `${counted.length} rows`)]
  const least = Math.min(...found.map(({ count }) => count))
  const left = counted.filter(({ name, count }) => count > least && !found.some((row) => row.name === name))
  return [
    ...found.map(({ name, count }) => toHeld(`by ${by}: ${name}`, String(count), String(expected.get(name) ?? 0))),
    toHeld(`by ${by}: left out`, left.map(({ name }) => name).join(', ') || 'none', 'none'),
  ]
}

/** The table of a report as names with their numbers; null when it tells apart by something else. */
function toNumbers({ table, chart }: Report, by: string): { name: string; count: number }[] | null {
  const [first, second] = table?.columns ?? []
  if (table && first?.title.toLowerCase() === by && second?.kind === 'number') return table.rows.map(([name, count]) => ({ name: name!.text, count: Number(count!.text.replaceAll(',', '')) }))
  if (by !== 'month' || !chart) return null
  return chart.labels.map((label, at) => ({ name: label, count: chart.series[0]!.values[at]! })).filter(({ count }) => count > 0)
}
