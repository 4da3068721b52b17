import { toAmount, toChange } from '../amount.ts'
import type { Cell, Report } from '../answer-part.ts'
import { plain } from '../models/extractive/prose.ts'
import { toMoment } from '../moment.ts'
import { refersBack } from './refers-back.ts'

const mostRows = 20
const mostColumns = 12
const longestCell = 160

/**
 * A report as Markdown: its figures with `[n]`, its table, up to when it counts and what it lacks. What people wrote is
 * words in it and nothing else. It has no picture of the chart, for a comment takes none from here; the table has the numbers.
 */
export function reportMarkdown({ title, figures, table, asOf, timeZone, missing }: Report): string {
  const state = [`As of ${toMoment(asOf, timeZone)}.`, ...missing.map(toWords)].join(' ')
  return [`**${toWords(title)}**`, figures.map(toFigure).join('\n'), table && table.rows.length > 0 && table.columns.length > 0 ? toTable(table) : '', `<sub>${state}</sub>`].filter((part) => part !== '').join('\n\n')
}

function toFigure(figure: Report['figures'][number]): string {
  const change = toChange(figure)
  return `- ${toWords(figure.label)}: **${toLink(toAmount(figure.value, figure.unit), figure.url)}**${change === null ? '' : ` ${change}`}${figure.n === null ? '' : ` [${figure.n}]`}`
}

function toTable({ title, columns, rows, more, url }: NonNullable<Report['table']>): string {
  const shown = columns.slice(0, mostColumns)
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  const left = more + Math.max(0, rows.length - mostRows)
  const rest = left > 0 ? toLink(`and ${left} more`, url) : ''
  return [
    `${toWords(title)}:\n`,
    line(shown.map((column) => toCell({ text: column.title }))),
    line(shown.map(({ kind }) => (kind === 'number' ? '---:' : '---'))),
    ...rows.slice(0, mostRows).map((row) => line(shown.map((_, at) => toCell(row[at] ?? { text: '' })))),
    ...(rest === '' ? [] : [`\n${rest}`]),
  ].join('\n')
}

function toCell({ text, url }: Cell): string {
  const words = toWords(text)
  return words === '' ? '–' : toLink(words, url ?? null)
}

/** Words in one line; a bar would begin another cell, even inside of code. */
function toWords(text: string): string {
  const line = plain(text).replace(/\s+/g, ' ').trim()
  return (line.length > longestCell ? plain(`${text.slice(0, longestCell - 20)} …`).replace(/\s+/g, ' ').trim() : line).replace(/\\*\|/g, '\\|')
}

/** A link, unless GitHub would tell the other end of it. */
function toLink(words: string, url: string | null): string {
  return url !== null && /^https?:\/\/[^\s<>()]+$/i.test(url) && !refersBack(url) ? `[${words}](${url.replaceAll('|', '%7C')})` : words
}
