import type { Cell, Report } from '#server/answer-part.ts'
import type { Block } from './blocks.ts'
import { isWebAddress, mrkdwnLink } from './mrkdwn-link.ts'

type Table = NonNullable<Report['table']>
type Leaf = { type: 'text'; text: string; style?: { bold: true } } | { type: 'link'; url: string; text: string }
type TableCell = { type: 'rich_text'; elements: { type: 'rich_text_section'; elements: Leaf[] }[] }
export type TableBlock = Block & { type: 'table'; rows: TableCell[][] }

/** Slack takes 100 rows, the header among them, 20 columns, and 10,000 characters over all cells of a message. */
const mostRows = 100
const mostColumns = 20
const mostCharacters = 9_500
const longestCell = 240

/** A table of a report in Slack's own kind of table, and how many of its rows had to stay out. */
export function tableBlock(table: Table): { block: TableBlock; left: number } {
  const columns = table.columns.slice(0, mostColumns)
  const header = columns.map(({ title }) => toCell({ text: title }, true))
  const rows = [header]
  let room = mostCharacters - lengthOf(header)
  for (const given of table.rows.slice(0, mostRows - 1)) {
    const row = columns.map((_, at) => toCell(given[at] ?? { text: '' }))
    room -= lengthOf(row)
    if (room < 0) break
    rows.push(row)
  }
  const settings = columns.map(({ kind }, at) => ({ align: kind === 'number' ? 'right' : 'left', is_wrapped: at === 0 }))
  return { block: { type: 'table', rows, column_settings: settings }, left: table.rows.length - (rows.length - 1) }
}

/** The rows of such a table as lines: `• Cache the plan · ada · 18 Nov`, with their links. */
export function tableLines(block: TableBlock): string[] {
  return block.rows.slice(1).map((row) => `• ${row.map((cell) => leavesOf(cell).map((leaf) => mrkdwnLink('url' in leaf ? leaf.url : null, leaf.text)).join('')).join(' · ')}`)
}

export function isTable(block: Block): block is TableBlock {
  return block.type === 'table'
}

function toCell({ text, url }: Cell, bold = false): TableCell {
  const line = text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()
  // Slack refuses a cell without text.
  const shown = line === '' ? '–' : line.length > longestCell ? `${line.slice(0, longestCell - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : line
  const leaf: Leaf = isWebAddress(url) ? { type: 'link', url, text: shown } : { type: 'text', text: shown, ...(bold ? { style: { bold } } : {}) }
  return { type: 'rich_text', elements: [{ type: 'rich_text_section', elements: [leaf] }] }
}

function leavesOf(cell: TableCell): Leaf[] {
  return cell.elements.flatMap(({ elements }) => elements)
}

/** Addresses count as well: whether Slack counts them is not written down. */
function lengthOf(row: TableCell[]): number {
  return row.flatMap(leavesOf).reduce((sum, leaf) => sum + leaf.text.length + ('url' in leaf ? leaf.url.length : 0), 0)
}
