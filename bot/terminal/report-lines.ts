import { toAmount, toChange, unitNames } from '#server/amount.ts'
import type { Report } from '#server/answer-part.ts'
import { toMoment } from '#server/moment.ts'
import { printable } from './printable.ts'

type Table = NonNullable<Report['table']>
type Chart = NonNullable<Report['chart']>
type Align = 'left' | 'right'

const indent = '  '
const gap = 2
/** A column is not made narrower than this. */
const narrowest = 6
/** Bars of a chart that are drawn: the first of a ranking, the last of a line. */
const mostBars = 24
/** A bar's eighths. */
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** A report as lines of at most `width` letters, addresses aside, which stay whole so that a terminal can open them. */
export function toReportLines(report: Report, width: number): string[] {
  const room = Math.max(40, width) - indent.length
  const parts = [figureLines(report, room), report.table && report.table.rows.length > 0 ? tableLines(report.table, room) : [], report.chart ? chartLines(report.chart, room) : [], stateLines(report)]
  return [cut(oneLine(report.title), room), ...parts.flatMap((lines, at) => (lines.length === 0 ? [] : [...(at === 0 ? [] : ['']), ...lines.map((line) => indent + line)]))]
}

function figureLines({ figures }: Report, room: number): string[] {
  const rows = figures.map((figure) => [figure.label, toAmount(figure.value, figure.unit), toChange(figure) ?? '', figure.n === null ? '' : `[${figure.n}]`].map(oneLine))
  const lines = toColumns(rows, ['left', 'right', 'left', 'left'], room)
  // A list that is no source of the answer has no number to be found by.
  return lines.flatMap((line, at) => (figures[at]?.n === null && figures[at]?.url ? [line, `${indent}${oneLine(figures[at].url)}`] : [line]))
}

function tableLines({ title, columns, rows, more, url }: Table, room: number): string[] {
  const cells = [columns.map((column) => column.title), ...rows.map((row) => columns.map((_, at) => row[at]?.text ?? ''))].map((row) => row.map(oneLine))
  const [header = '', ...lines] = toColumns(cells, columns.map(({ kind }) => (kind === 'number' ? 'right' : 'left')), room)
  const where = url === null ? '' : oneLine(url)
  const rest = more > 0 ? [`and ${more} more${where ? `: ${where}` : ''}`] : where ? [where] : []
  return [cut(oneLine(title), room), header, '─'.repeat([...header].length), ...lines, ...rest]
}

function chartLines({ kind, title, unit, labels, series }: Chart, room: number): string[] {
  const from = kind === 'line' ? Math.max(0, labels.length - mostBars) : 0
  const many = series.length > 1
  const bars = labels.slice(from, from + mostBars).flatMap((label, place) => series.map(({ name, values }, at) => ({ label: at === 0 ? oneLine(label) : '', name: many ? oneLine(name) : '', value: values[from + place] ?? 0 })))
  const names = toColumns(bars.map(({ label, name }) => (many ? [label, name] : [label])), ['left', 'left'], Math.floor(room / 2))
  const amounts = bars.map(({ value }) => toAmount(value, unit))
  const length = Math.max(8, room - Math.max(0, ...names.map(lengthOf)) - Math.max(0, ...amounts.map(lengthOf)) - 2 * gap)
  const most = Math.max(...bars.map(({ value }) => value), 0)
  const nameWidth = Math.max(0, ...names.map(lengthOf))
  const left = labels.length - Math.min(labels.length, mostBars)
  return [
    cut(`${oneLine(title)} (${unitNames[unit]})`, room),
    ...bars.map(({ value }, at) => `${(names[at] ?? '').padEnd(nameWidth + gap)}${toBar(value, most, length)} ${amounts[at]}`),
    ...(left > 0 ? [`${left} ${kind === 'line' ? 'earlier' : 'more'} not drawn`] : []),
  ]
}

function stateLines({ asOf, timeZone, missing }: Report): string[] {
  return [`as of ${oneLine(toMoment(asOf, timeZone))}`, ...missing.map((sentence) => `missing: ${oneLine(sentence)}`)]
}

function toBar(value: number, most: number, length: number): string {
  if (most <= 0 || value <= 0) return ''
  const parts = Math.max(1, Math.round((value / most) * length * 8))
  return '█'.repeat(Math.floor(parts / 8)) + eighths[parts % 8]
}

/** Rows under each other; where they are too wide the widest columns give way. */
function toColumns(rows: string[][], aligns: Align[], room: number): string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => lengthOf(row[at] ?? ''))))
  for (let over = widths.reduce((sum, width) => sum + width + gap, -gap) - room; over > 0; over--) {
    const widest = widths.indexOf(Math.max(...widths))
    if ((widths[widest] ?? 0) <= narrowest) break
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  return rows.map((row) =>
    widths
      .map((width, at) => {
        const text = cut(row[at] ?? '', width)
        const fill = ' '.repeat(Math.max(0, width - lengthOf(text)))
        return aligns[at] === 'right' ? fill + text : text + fill
      })
      .join(' '.repeat(gap))
      .trimEnd(),
  )
}

function oneLine(text: string): string {
  return printable(text.replace(/[\s\p{Zl}\p{Zp}]+/gu, ' ')).trim()
}

function cut(text: string, width: number): string {
  const letters = [...text]
  return letters.length > width ? `${letters.slice(0, Math.max(0, width - 1)).join('')}…` : text
}

function lengthOf(text: string): number {
  return [...text].length
}
