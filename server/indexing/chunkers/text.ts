import type { Lines } from '../lines.ts'
import type { Block, Rows } from '../split-lines.ts'
import type { Outline } from './outline.ts'

const closing = /^\s*([}\])]|<\/|end\b|-->|\*\/|fi\b|done\b|esac\b)/

/** Prose by paragraph; anything else by indentation, which is how configuration and unparsed code nest. */
export function outlineText(lines: Lines, prose: boolean): Outline {
  const whole = { start: 0, end: lines.count }
  const blocks = prose ? paragraphs(lines, whole) : indented(lines, whole)
  return { chunker: 'text', blocks, definitions: [], edges: [], fill: 1 }
}

/** Stretches between blank lines; their children are their rows. */
export function paragraphs(lines: Lines, rows: Rows): Block[] {
  const blocks: Block[] = []
  for (let row = rows.start; row < rows.end; row++) {
    if (lines.isBlank(row)) continue
    const startRow = row
    while (row + 1 < rows.end && !lines.isBlank(row + 1)) row++
    blocks.push(toBlock(startRow, row, () => eachRow(startRow, row)))
  }
  return blocks
}

function indented(lines: Lines, rows: Rows): Block[] {
  const depths = new Map<number, number>()
  for (let row = rows.start; row < rows.end; row++) if (!lines.isBlank(row)) depths.set(row, depthOf(lines.slice(row, row + 1)))
  const least = Math.min(...depths.values())
  const starts = [...depths].filter(([row, depth]) => depth === least && !closing.test(lines.slice(row, row + 1))).map(([row]) => row)
  return starts.map((startRow, index) => {
    const endRow = (starts[index + 1] ?? rows.end) - 1
    return toBlock(startRow, endRow, () => indented(lines, { start: startRow + 1, end: endRow + 1 }))
  })
}

function depthOf(line: string): number {
  return /^[ \t]*/.exec(line)![0].replaceAll('\t', '    ').length
}

function eachRow(startRow: number, endRow: number): Block[] {
  return Array.from({ length: endRow - startRow + 1 }, (_, index) => toBlock(startRow + index, startRow + index, () => []))
}

export function toBlock(startRow: number, endRow: number, children: () => Block[]): Block {
  return { startRow, endRow, starts: true, leads: false, children }
}
