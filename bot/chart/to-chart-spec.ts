import type { TopLevelSpec } from 'vega-lite'
import { toAmount, unitNames } from '#server/amount.ts'
import type { Report } from '#server/answer-part.ts'

export type Chart = NonNullable<Report['chart']>

/** The most that stays readable; the table tells the rest. */
const mostBars = 30
const mostPoints = 120
const mostSeries = 6
/** A line shows its points while they can be told apart. */
const mostMarked = 40
/** Values are written at the marks while there are few of them. */
const mostValues = 24
/** Names longer than this lie down beside their bars. */
const longName = 10
const longestName = 32

/** Told apart by lightness as much as by colour (after Okabe and Ito), so that no kind of sight needs the other. */
const colours = ['#1f4e9c', '#f0a202', '#3a9d78', '#c2487b', '#6b6f76', '#7cc4e8']
const dashes = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 6], [1, 4]]
const shapes = ['circle', 'square', 'triangle-up', 'diamond', 'cross', 'triangle-down']
const ink = '#1d1c1d'
const font = 'DejaVu Sans'

/**
 * A report's chart in Vega-Lite: on a white ground of its own, so that it reads the same in light and dark windows. Labels
 * and names are data to it and nothing in them is obeyed. What it leaves out it says below the title.
 */
export function toChartSpec(chart: Chart): TopLevelSpec {
  const { kept, note } = cut(chart)
  const { labels } = kept
  const names = kept.series.map(({ name }) => name)
  const numbers = names.map((_, at) => at)
  const values = kept.series.flatMap((series, at) =>
    labels.map((_, place) => ({ label: place, series: at, value: toDrawn(series.values[place] ?? 0), shown: toAmount(series.values[place] ?? 0, chart.unit) })),
  )
  const many = names.length > 1
  const pointed = labels.length <= mostMarked
  const lying = chart.kind === 'bar' && labels.some((label) => label.length > longName)
  const category = { field: 'label', type: 'ordinal', ...(chart.kind === 'bar' ? { scale: { paddingInner: 0.3, paddingOuter: 0.2 } } : {}), axis: { title: null, labelExpr: 'labels[datum.value]', labelAngle: chart.kind === 'bar' && !lying && labels.length > 12 ? -45 : 0, labelOverlap: chart.kind === 'line' ? 'greedy' : false } }
  const amount = { field: 'value', type: 'quantitative', axis: { title: unitNames[chart.unit], tickMinStep: chart.unit === 'count' ? 1 : 0.1 }, scale: { zero: chart.kind === 'bar', nice: true } }
  const colour = { field: 'series', type: 'nominal', scale: { domain: numbers, range: colours.slice(0, names.length) }, legend: many ? { title: null, labelExpr: 'names[datum.value]', orient: 'top', symbolSize: 140, ...(chart.kind === 'line' && pointed ? { symbolStrokeWidth: 0 } : {}) } : null }
  const across = lying ? { y: category, x: amount } : { x: category, y: amount }
  const beside = many && chart.kind === 'bar' ? { [lying ? 'yOffset' : 'xOffset']: { field: 'series', type: 'nominal', sort: null, scale: { domain: numbers } } } : {}
  const mark =
    chart.kind === 'bar'
      ? { mark: { type: 'bar', cornerRadiusEnd: 2 }, encoding: { color: colour } }
      : {
          mark: { type: 'line', strokeWidth: 2.5, point: pointed ? { filled: true, size: 60 } : false },
          encoding: {
            color: colour,
            strokeDash: { field: 'series', scale: { domain: numbers, range: dashes.slice(0, names.length) }, legend: colour.legend },
            ...(pointed ? { shape: { field: 'series', scale: { domain: numbers, range: shapes.slice(0, names.length) }, legend: colour.legend } } : {}),
          },
        }
  const written = values.length <= mostValues && (chart.kind === 'bar' || !many)
  const figures = {
    mark: lying ? { type: 'text', align: 'left', baseline: 'middle', dx: 5 } : { type: 'text', baseline: 'bottom', dy: -5 },
    encoding: { text: { field: 'shown', type: 'nominal' } },
  }
  return {
    background: 'white',
    padding: 18,
    title: { text: { expr: 'title[0]' }, anchor: 'start', fontSize: 17, offset: 14, color: ink, ...(note ? { subtitle: note, subtitleColor: '#616061', subtitleFontSize: 12 } : {}) },
    // Few bars are not drawn as walls.
    width: chart.kind === 'bar' && !lying ? Math.min(680, 160 + labels.length * Math.max(90, 45 * names.length)) : 680,
    height: lying ? Math.max(120, labels.length * (many ? 16 * names.length + 10 : 28)) : 300,
    // What people wrote is looked up by number: as a value of its own it would meet Vega's names of things, such as `constructor`.
    params: [{ name: 'title', value: [short(chart.title, 80)] }, { name: 'labels', value: labels }, { name: 'names', value: names }],
    data: { values },
    encoding: { ...across, ...beside },
    layer: [mark, ...(written ? [figures] : [])],
    config: {
      font,
      axis: { labelFontSize: 12, titleFontSize: 12, labelColor: ink, titleColor: '#616061', titleFontWeight: 'normal', gridColor: '#e8e8e8', domainColor: '#868686', tickColor: '#868686', labelLimit: 0 },
      legend: { offset: 26, columnPadding: 24, labelFontSize: 13, labelColor: ink, labelLimit: 200 },
      text: { fontSize: 12, color: ink, font },
      view: { stroke: null },
    },
  } as TopLevelSpec
}

/** To the thousandth, which is less than a pixel: Vega finds no ticks for a scale whose ends differ by next to nothing. */
function toDrawn(value: number): number {
  return Math.round(value * 1000) / 1000
}

/** What fits: of bars the first, for they are ranked or follow a calendar; of a line its newest end. */
function cut(chart: Chart): { kept: Pick<Chart, 'labels' | 'series'>; note: string | null } {
  const most = chart.kind === 'bar' ? mostBars : mostPoints
  const from = chart.kind === 'bar' ? 0 : Math.max(0, chart.labels.length - most)
  const kept = {
    labels: chart.labels.slice(from, from + most).map((label) => short(label, longestName)),
    series: chart.series.slice(0, mostSeries).map(({ name, values }) => ({ name: short(name, longestName), values: values.slice(from, from + most) })),
  }
  const notes = [
    chart.labels.length > most && `${chart.kind === 'bar' ? 'first' : 'last'} ${most} of ${chart.labels.length}`,
    chart.series.length > mostSeries && `${mostSeries} of ${chart.series.length} series`,
  ].filter((note) => typeof note === 'string')
  return { kept, note: notes.length > 0 ? `Shown: ${notes.join(', ')}` : null }
}

/** One line without marks that turn the direction of writing or cannot be drawn. */
function short(text: string, most: number): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim() || '–'
  const letters = [...line]
  return letters.length > most ? `${letters.slice(0, most - 1).join('')}…` : line
}
