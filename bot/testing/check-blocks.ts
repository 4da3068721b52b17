import type { Workspace } from './fake-slack-methods.ts'

type Json = Record<string, unknown>

const listOf = (value: unknown): Json[] => (Array.isArray(value) ? (value as Json[]) : [])
const textOf = (value: unknown): string => (typeof value === 'object' && value !== null && 'text' in value ? String(value.text) : '')

/** Slack's rules for blocks that hold more than text; null when they are kept, else what is wrong. */
export function checkBlocks(blocks: Json[], workspace: Workspace): string | null {
  const tables = blocks.filter(({ type }) => type === 'table' || type === 'data_table')
  if (tables.length > 1) return 'only_one_table_allowed'
  for (const block of blocks) {
    const fault = block.type === 'table' ? checkTable(block) : block.type === 'image' ? checkImage(block, workspace) : block.type === 'actions' ? checkActions(block) : null
    if (fault !== null) return fault
  }
  return null
}

function checkTable(table: Json): string | null {
  const rows = Array.isArray(table.rows) ? (table.rows as Json[][]) : []
  if (rows.length < 1 || rows.length > 100) return 'a table has 1 to 100 rows'
  if (rows.some((row) => row.length < 1 || row.length > 20 || row.length !== rows[0]?.length)) return 'rows have 1 to 20 cells, all the same number'
  if (listOf(table.column_settings).length > 20) return 'at most 20 column settings'
  const cells = rows.flat()
  const texts = cells.map((cell) => (cell.type === 'rich_text' ? listOf(cell.elements).flatMap((section) => listOf(section.elements).map(({ text }) => String(text ?? ''))).join('') : cell.type === 'raw_text' ? String(cell.text ?? '') : ''))
  if (texts.some((text) => text === '')) return 'a cell needs text'
  if (texts.join('').length > 10_000) return 'cells have at most 10,000 characters'
  return null
}

/** A file can be shown once Slack has looked at it, which takes as many tries as the workspace says. */
function checkImage(image: Json, workspace: Workspace): string | null {
  const alt = String(image.alt_text ?? '')
  if (alt === '' || alt.length > 2000) return 'an image needs a text of at most 2,000 characters'
  const file = workspace.files.find(({ id }) => id === (image.slack_file as Json | undefined)?.id)
  if (!file?.completed) return 'invalid slack file'
  if (file.unready === 0) return null
  file.unready--
  return 'invalid slack file'
}

function checkActions(block: Json): string | null {
  const elements = listOf(block.elements)
  if (elements.length < 1 || elements.length > 25) return 'actions have 1 to 25 elements'
  for (const { type, value, options } of elements) {
    if (type === 'button' && String(value ?? '').length > 2000) return 'the value of a button has at most 2,000 characters'
    const given = listOf(options)
    if (type === 'static_select' && (given.length < 1 || given.length > 100)) return 'a menu has 1 to 100 options'
    if (given.some((option) => textOf(option.text) === '' || textOf(option.text).length > 75 || String(option.value ?? '').length > 150)) return 'an option has 75 characters and a value of 150'
  }
  return null
}
