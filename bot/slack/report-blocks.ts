import { toAmount, toChange } from '#server/amount.ts'
import type { Citation, Report } from '#server/answer-part.ts'
import { toMoment } from '#server/moment.ts'
import { toChartText } from '../chart/to-chart-text.ts'
import { contextBlock, sectionBlocks } from './blocks.ts'
import type { Block } from './blocks.ts'
import { mrkdwnLink } from './mrkdwn-link.ts'
import { lineBlocks } from './plain-blocks.ts'
import { escapeMrkdwn } from './prose.ts'
import { tableBlock, tableLines } from './table-block.ts'

/** Reports that are shown below one answer, and sentences about what each lacks. */
export const mostReports = 3
const mostMissing = 6

/**
 * What stands below the text of an answer with reports: for each its figures, its table, its chart and how current it is.
 * Slack takes one table a message, so the tables of later reports are lines.
 *
 * @param citations by number
 * @param pictures Slack's ids of the drawn charts, by the place of their report
 */
export function reportBlocks(reports: Report[], citations: ReadonlyMap<number, Citation>, pictures: ReadonlyMap<number, string> = new Map()): Block[] {
  const shown = reports.slice(0, mostReports)
  const withTable = shown.findIndex(hasRows)
  const blocks = shown.flatMap((report, place) => [
    ...sectionBlocks([`*${escapeMrkdwn(report.title)}*`, ...report.figures.map((figure) => toFigureLine(figure, citations))]),
    ...tableBlocks(report, place === withTable),
    ...pictureBlocks(report, pictures.get(place)),
    contextBlock(...stateLines(report)),
  ])
  const left = reports.length - shown.length
  return [...blocks, ...(left > 0 ? [contextBlock(`and ${left} more ${left === 1 ? 'report' : 'reports'}, which did not fit`)] : [])]
}

/** `Merged: *12* ▲ 4 from 8 [1]`; the value leads to the list it counts, the number to the source below. */
function toFigureLine(figure: Report['figures'][number], citations: ReadonlyMap<number, Citation>): string {
  const citation = figure.n === null ? undefined : citations.get(figure.n)
  const change = toChange(figure)
  return [
    `${escapeMrkdwn(figure.label)}: *${mrkdwnLink(figure.url, toAmount(figure.value, figure.unit))}*`,
    ...(change === null ? [] : [change]),
    ...(citation ? [mrkdwnLink(citation.url, `[${citation.n}]`)] : []),
  ].join('  ')
}

function hasRows({ table }: Report): boolean {
  return table !== null && table.columns.length > 0 && table.rows.length > 0
}

function tableBlocks(report: Report, native: boolean): Block[] {
  const { table } = report
  if (table === null || !hasRows(report)) return []
  const { block, left } = tableBlock(table)
  const more = table.more + left
  const rest = more > 0 ? mrkdwnLink(table.url, `and ${more} more`) : table.url === null ? null : mrkdwnLink(table.url, 'the whole list')
  return [...sectionBlocks([`*${escapeMrkdwn(table.title)}*`]), ...(native ? [block] : lineBlocks(tableLines(block))), ...(rest === null ? [] : [contextBlock(rest)])]
}

function pictureBlocks({ chart }: Report, file: string | undefined): Block[] {
  if (chart === null || file === undefined) return []
  return [{ type: 'image', slack_file: { id: file }, alt_text: toChartText(chart), title: { type: 'plain_text', text: chart.title.slice(0, 200) || 'Chart' } }]
}

/** Up to when it counts, which each reader sees in their own zone, and what it lacks. */
function stateLines({ asOf, timeZone, missing }: Report): string[] {
  const told = toMoment(asOf, timeZone)
  const moment = `<!date^${Math.floor(Date.parse(asOf) / 1000)}^{date_short_pretty} at {time}|${escapeMrkdwn(told)}>`
  const left = missing.length - mostMissing
  return [
    `As of ${moment} · days are those of ${escapeMrkdwn(timeZone)}`,
    ...missing.slice(0, mostMissing).map((sentence) => `Missing: ${escapeMrkdwn(sentence.slice(0, 300))}`),
    ...(left > 0 ? [`and ${left} more that are missing`] : []),
  ]
}
