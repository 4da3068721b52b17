import { describe, expect, it } from 'vitest'
import type { Report } from '#server/answer-part.ts'
import { hostileReport } from '../testing/hostile-report.ts'
import { reportElements } from './report-card.ts'

const everything = { rows: 25, charts: true }
const elementsOf = (change: Partial<Report>, room = everything) => reportElements({ ...hostileReport, figures: [], table: null, chart: null, missing: [], ...change }, room)
const textOf = (elements: unknown) => [...JSON.stringify(elements).matchAll(/"type":"TextRun","text":"([^"]*)"/g)].map(([, text]) => text).join(' ')
const chart = (change: Partial<NonNullable<Report['chart']>>): NonNullable<Report['chart']> => ({ kind: 'line', title: 'Time to merge', unit: 'hours', labels: ['a', 'b'], series: [{ name: 'acme/api', values: [1.25, 2] }], ...change })
const chartOf = (change: Partial<NonNullable<Report['chart']>>) => elementsOf({ chart: chart(change) })[1]

describe('reportElements', () => {
  it.each([
    ['count', 1234, '1,234'],
    ['hours', 17.25, '17.3 h'],
    ['days', 2, '2 d'],
    ['percent', 66.66, '66.7 %'],
  ] as const)('writes a value in %s', (unit, value, shown) => {
    expect(textOf(elementsOf({ figures: [{ label: 'Of it', value, unit, previous: null, n: null, url: null }] }))).toContain(shown)
  })

  it.each([
    [3, '▲ 2 from 3'],
    [7, '▼ 2 from 7'],
    [5, 'same as before'],
  ])('says how a figure stands to the time before it, %i', (previous, trend) => {
    expect(textOf(elementsOf({ figures: [{ label: 'Merged', value: 5, unit: 'count', previous, n: 2, url: null }] }))).toContain(`5 Merged  [2] ${trend}`)
  })

  it('draws one series as bars, several side by side, and lines as lines, each with its numbers to fall back on', () => {
    expect(chartOf({ kind: 'bar' })).toMatchObject({ type: 'Chart.VerticalBar', data: [{ x: 'a', y: 1.25 }, { x: 'b', y: 2 }], fallback: { type: 'Container' } })
    expect(chartOf({ kind: 'bar', series: [{ name: 'one', values: [1, 2] }, { name: 'two', values: [3] }] })).toMatchObject({ type: 'Chart.VerticalBar.Grouped', data: [{ legend: 'one' }, { legend: 'two', values: [{ x: 'a', y: 3 }, { x: 'b', y: 0 }] }] })
    expect(chartOf({})).toMatchObject({ type: 'Chart.Line', yAxisTitle: 'hours', data: [{ legend: 'acme/api', values: [{ x: 'a', y: 1.25 }, { x: 'b', y: 2 }] }] })
    expect(textOf(chartOf({}))).toContain('acme/api a 1.3 h b 2 h')
  })

  it('keeps the newest points of a chart that has too many, each with its own value', () => {
    const labels = Array.from({ length: 40 }, (_, day) => `day ${day}`)
    const drawn = chartOf({ kind: 'bar', labels, series: [{ name: 'one', values: labels.map((_, day) => day) }] })?.data as { x: string; y: number }[]
    expect(drawn).toHaveLength(31)
    expect(drawn.at(0)).toEqual({ x: 'day 9', y: 9 })
    expect(drawn.at(-1)).toEqual({ x: 'day 39', y: 39 })
  })

  it('says how many rows it does not show', () => {
    const table = { ...hostileReport.table!, url: null }
    expect(textOf(elementsOf({ table }, { rows: 1, charts: true }))).toContain('and 11 more')
    expect(textOf(elementsOf({ table: { ...table, more: 0 } }))).not.toContain('more')
    expect(elementsOf({ table: { ...table, rows: [], more: 0 } })).toHaveLength(2)
  })

  it('tells up to when it is known in its zone, and in UTC where it names none that is', () => {
    expect(textOf(elementsOf({ timeZone: 'America/New_York' }))).toContain('As of 23 Nov 2026, 03:04 (America/New_York)')
    expect(textOf(elementsOf({ timeZone: 'Mars/Olympus' }))).toContain('As of 23 Nov 2026, 08:04 (UTC)')
  })
})
