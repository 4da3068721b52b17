import { toAmount, toChange, unitNames } from '#server/amount.ts'
import type { Report } from '#server/answer-part.ts'
import { toMoment } from '#server/moment.ts'
import { paragraph } from './card-text.ts'
import type { Element } from './card-text.ts'
import { plain } from './prose.ts'

type Figure = Report['figures'][number]
type Table = NonNullable<Report['table']>
type Chart = NonNullable<Report['chart']>

/** Most figures that stand beside each other. */
const figuresPerRow = 3
/** Narrowest and widest column of a table, in characters: a heading must fit on a telephone, and a title may take lines. */
const narrowest = 8
const widest = 13
/** Points of a chart; more of them nobody can tell apart in a chat. */
const mostPoints = 31

/** How much of a report a card has room for. */
export type ReportRoom = { rows: number; charts: boolean }

/** A report as elements of a card: its figures, then the picture, then the list, then up to when it is known and what it lacks. */
export function reportElements(report: Report, room: ReportRoom): Element[] {
  return [
    paragraph([{ text: report.title, weight: 'bolder' }], { size: 'medium', separator: true, spacing: 'medium' }),
    ...toRows(report.figures).map(figureRow),
    ...(report.chart && room.charts ? [chartElement(report.chart)] : []),
    ...(report.table ? tableElements(report.table, room.rows) : []),
    ...report.missing.map((missing) => paragraph([{ text: missing, color: 'warning' }], { size: 'small', spacing: 'small' })),
    paragraph([{ text: `As of ${toMoment(report.asOf, report.timeZone)}`, subtle: true }], { size: 'small', spacing: 'small' }),
  ]
}

function toRows(figures: Figure[]): Figure[][] {
  // Four stand two by two, rather than one alone.
  const beside = figures.length === 4 ? 2 : figuresPerRow
  return Array.from({ length: Math.ceil(figures.length / beside) }, (_, row) => figures.slice(row * beside, (row + 1) * beside))
}

function figureRow(figures: Figure[]): Element {
  return { type: 'ColumnSet', spacing: 'medium', columns: figures.map(figureColumn) }
}

function figureColumn({ label, value, unit, previous, n, url }: Figure): Element {
  const change = toChange({ value, previous, unit })
  const source = n === null ? [] : [{ text: ` [${n}]`, subtle: true }]
  return {
    type: 'Column',
    width: 'stretch',
    items: [
      paragraph([{ text: toAmount(value, unit), url, weight: 'bolder' }], { size: 'extraLarge' }),
      paragraph([{ text: label }, ...source], { size: 'small', spacing: 'none' }),
      ...(change === null ? [] : [paragraph([{ text: change, subtle: true }], { size: 'small', spacing: 'none' })]),
    ],
  }
}

/** Teams draws it; a host that cannot shows the numbers instead. */
function chartElement(chart: Chart): Element {
  const labels = chart.labels.slice(-mostPoints).map((label) => plain(label, 40))
  const series = chart.series.map(({ name, values }) => ({ legend: plain(name, 60), values: values.slice(-mostPoints) }))
  const axes = { title: plain(chart.title, 120), yAxisTitle: unitNames[chart.unit], colorSet: 'categorical' }
  const fallback = chartTable(chart)
  const toPoints = (values: number[]) => labels.map((x, index) => ({ x, y: values[index] ?? 0 }))
  const [only, ...others] = series
  if (chart.kind === 'bar' && only && others.length === 0) return { type: 'Chart.VerticalBar', ...axes, showBarValues: true, data: toPoints(only.values), fallback }
  const type = chart.kind === 'bar' ? 'Chart.VerticalBar.Grouped' : 'Chart.Line'
  return { type, ...axes, data: series.map(({ legend, values }) => ({ legend, values: toPoints(values) })), fallback }
}

function chartTable(chart: Chart): Element {
  const columns = [{ title: '', kind: 'text' as const }, ...chart.series.map(({ name }) => ({ title: name, kind: 'number' as const }))]
  const rows = chart.labels.map((label, index) => [{ text: label }, ...chart.series.map(({ values }) => ({ text: toAmount(values[index] ?? 0, chart.unit) }))])
  return { type: 'Container', spacing: 'medium', items: [paragraph([{ text: chart.title, weight: 'bolder' }]), tableElement(columns, rows.slice(-mostPoints))] }
}

function tableElements(table: Table, most: number): Element[] {
  const rows = table.rows.slice(0, most)
  const hidden = table.rows.length - rows.length + table.more
  const more = hidden > 0 ? [paragraph([{ text: `and ${hidden} more`, url: table.url, subtle: !table.url }], { size: 'small', spacing: 'small' })] : []
  if (table.rows.length === 0) return []
  return [paragraph([{ text: table.title, weight: 'bolder' }], { spacing: 'medium' }), ...(rows.length > 0 ? [tableElement(table.columns, rows)] : []), ...more]
}

function tableElement(columns: Table['columns'], rows: Table['rows']): Element {
  const aligned = (index: number) => ({ horizontalAlignment: columns[index]?.kind === 'number' ? 'right' : 'left' })
  const row = (cells: Element[]) => ({ type: 'TableRow', cells })
  const cell = (element: Element) => ({ type: 'TableCell', items: [element] })
  return {
    type: 'Table',
    spacing: 'small',
    gridStyle: 'default',
    firstRowAsHeaders: true,
    columns: columns.map(({ title }, index) => ({ width: toWidth([title, ...rows.map((cells) => cells[index]?.text ?? '')]) })),
    rows: [
      row(columns.map(({ title }, index) => cell(paragraph([{ text: title, weight: 'bolder' }], { size: 'small', ...aligned(index) })))),
      ...rows.map((cells) => row(columns.map((_, index) => cell(paragraph([{ text: cells[index]?.text ?? '', url: cells[index]?.url }], { size: 'small', ...aligned(index) }))))),
    ],
  }
}

function toWidth(texts: string[]): number {
  return Math.min(widest, Math.max(narrowest, ...texts.map((text) => text.length)))
}
