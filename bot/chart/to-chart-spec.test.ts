import { describe, expect, it } from 'vitest'
import { toChartSpec } from './to-chart-spec.ts'
import type { Chart } from './to-chart-spec.ts'
import { toChartText } from './to-chart-text.ts'

const chart = (more: Partial<Chart> = {}): Chart => ({ kind: 'bar', title: 'Merged', unit: 'hours', labels: ['a', 'b'], series: [{ name: 'now', values: [1, 2.25] }], ...more })
type Spec = { title: { subtitle?: string }; params: { value: string[] }[]; data: { values: { label: number; series: number; value: number; shown: string }[] }; encoding: { x: { axis: { title: string | null } }; y: { axis: { title: string | null } } } }
const spec = (more?: Partial<Chart>) => toChartSpec(chart(more)) as unknown as Spec

describe('toChartSpec', () => {
  it('names the unit on the axis and writes the values at the bars', () => {
    expect(spec().encoding.y.axis.title).toBe('hours')
    expect(spec().data.values.map(({ shown }) => shown)).toEqual(['1 h', '2.3 h'])
  })

  it('lays bars down whose names are long', () => {
    expect(spec({ labels: ['acme/a-long-name', 'b'] }).encoding.x.axis.title).toBe('hours')
  })

  it('leaves out what would not be readable, and says so', () => {
    const many = Array.from({ length: 200 }, (_, at) => `${at}`)
    const bars = spec({ labels: many, series: Array.from({ length: 9 }, (_, at) => ({ name: `s${at}`, values: many.map(Number) })) })
    expect(bars.title.subtitle).toBe('Shown: first 30 of 200, 6 of 9 series')
    expect(bars.data.values).toHaveLength(180)
    const line = spec({ kind: 'line', labels: many, series: [{ name: 's', values: many.map(Number) }] })
    expect(line.title.subtitle).toBe('Shown: last 120 of 200')
    expect(line.data.values[0]).toMatchObject({ label: 0, value: 80 })
    expect(line.params[1]?.value[0]).toBe('80')
  })

  it('keeps two that read the same apart, and every name on one line', () => {
    const { params, data } = spec({ labels: ['a\nb', 'a\u202Eb'], series: [{ name: '', values: [1, 2] }] })
    expect(params.map(({ value }) => value)).toEqual([['Merged'], ['a b', 'a b'], ['–']])
    expect(data.values.map(({ label }) => label)).toEqual([0, 1])
  })
})

describe('toChartText', () => {
  it('tells the numbers', () => {
    expect(toChartText(chart())).toBe('Merged. now: a 1 h, b 2.3 h.')
  })

  it('ends within its limit', () => {
    expect(toChartText(chart({ labels: Array.from({ length: 500 }, () => 'a label') })).length).toBeLessThanOrEqual(1900)
  })
})
