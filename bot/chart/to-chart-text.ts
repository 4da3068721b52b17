import { toAmount } from '#server/amount.ts'
import type { Chart } from './to-chart-spec.ts'

/** A chart in words, for those who cannot see it: `Merged a week. merged: 2 Nov 8, 9 Nov 12.` At most `most` characters. */
export function toChartText(chart: Chart, most = 1900): string {
  const series = chart.series.map(({ name, values }) => `${name}: ${chart.labels.map((label, place) => `${label} ${toAmount(values[place] ?? 0, chart.unit)}`).join(', ')}.`)
  const text = [`${chart.title}.`, ...series].join(' ').replace(/\s+/g, ' ')
  return text.length > most ? `${text.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : text
}
