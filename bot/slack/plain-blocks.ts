import { sectionBlocks } from './blocks.ts'
import type { Block } from './blocks.ts'
import { isTable, tableLines } from './table-block.ts'

/** Most lines that stand in for a table. */
const mostLines = 25

/**
 * The same blocks without the kinds that Slack may refuse however well they are formed: a picture that it has not looked
 * at yet, a table where it has none. The rows of a table become lines.
 */
export function plainBlocks(blocks: Block[]): Block[] {
  return blocks.flatMap((block) => {
    if (block.type === 'image') return []
    return isTable(block) ? lineBlocks(tableLines(block)) : [block]
  })
}

/** Rows of a table as lines; what does not fit is counted. */
export function lineBlocks(lines: string[]): Block[] {
  const left = lines.length - mostLines
  return sectionBlocks([...lines.slice(0, mostLines), ...(left > 0 ? [`_and ${left} more_`] : [])])
}
