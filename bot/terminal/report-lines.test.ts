import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Report } from '#server/answer-part.ts'
import { sampleReport } from '../testing/sample-report.ts'
import { toReportLines } from './report-lines.ts'

const empty: Report = { ...sampleReport, figures: [], table: null, chart: null, missing: [] }

describe('toReportLines', () => {
  it('draws the bars of a chart as long as their values', () => {
    const lines = toReportLines({ ...empty, chart: { kind: 'bar', title: 'Open', unit: 'days', labels: ['a', 'b', 'c'], series: [{ name: 'x', values: [10, 5, 0] }] } }, 80)
    const bars = lines.filter((line) => / d$/.test(line))
    expect(bars.map((line) => line.match(/█/g)?.length ?? 0)).toEqual([69, 34, 0])
    expect(lines).toContain('  Open (days)')
  })

  it('names the series of each bar where there are several', () => {
    const lines = toReportLines({ ...empty, chart: { kind: 'line', title: 'Open', unit: 'count', labels: Array.from({ length: 30 }, (_, at) => `${at}`), series: [{ name: 'mine', values: [] }, { name: 'yours', values: Array.from({ length: 30 }, (_, at) => at) }] } }, 80)
    expect(lines.find((line) => line.endsWith(' 29'))).toMatch(/^ {2} {2,}yours +█+ 29$/)
    expect(lines).toContain('  6 earlier not drawn')
  })

  it('keeps an address whole, for a terminal opens what it shows', () => {
    const url = `https://git.example/${'a'.repeat(120)}`
    expect(toReportLines({ ...empty, figures: [{ label: 'Merged', value: 1, unit: 'count', previous: null, n: null, url }], table: { title: 't', columns: [{ title: 'c', kind: 'text' }], rows: [[{ text: 'r' }]], more: 3, url } }, 60)).toEqual(expect.arrayContaining([`    ${url}`, `  and 3 more: ${url}`]))
  })

  it('fits the width and obeys nothing, whatever is in it', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ maxLength: 200 }), fc.constantFrom('\u001b]0;x\u0007', '\u009b31m', 'a\nb', 'x'.repeat(300)))
    const report = fc.record({
      title: text,
      asOf: fc.constant(sampleReport.asOf),
      timeZone: fc.constant('UTC'),
      range: fc.constant(null),
      figures: fc.array(fc.record({ label: text, value: fc.double({ noNaN: true, min: 0, max: 1e9 }), unit: fc.constant('count' as const), previous: fc.option(fc.integer()), n: fc.option(fc.integer({ min: 1, max: 99 })), url: fc.constant(null) }), { maxLength: 5 }),
      table: fc.option(fc.record({ title: text, columns: fc.array(fc.record({ title: text, kind: fc.constantFrom('text' as const, 'number' as const) }), { minLength: 1, maxLength: 5 }), rows: fc.array(fc.array(fc.record({ text }), { maxLength: 5 }), { maxLength: 5 }), more: fc.nat(), url: fc.constant(null) })),
      chart: fc.option(fc.record({ kind: fc.constantFrom('bar' as const, 'line' as const), title: text, unit: fc.constant('hours' as const), labels: fc.array(text, { maxLength: 5 }), series: fc.array(fc.record({ name: text, values: fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { maxLength: 5 }) }), { maxLength: 3 }) })),
      missing: fc.constant<string[]>([]),
    })
    fc.assert(
      fc.property(report, fc.integer({ min: 60, max: 200 }), (given, width) => {
        const lines = toReportLines(given, width)
        expect(lines.join('')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
        for (const line of lines) expect([...line].length).toBeLessThanOrEqual(width)
      }),
    )
  })
})
