import type { Node } from 'web-tree-sitter'
import { loadGrammar } from '../grammar.ts'
import type { Language } from '../languages/language.ts'
import type { Lines } from '../lines.ts'
import type { Block } from '../split-lines.ts'
import { readNames } from '../symbols.ts'
import type { Outline } from './outline.ts'

const leads = /comment|decorator|attribute|annotation$/

/** Children of a root that is one error beyond which a query over it takes time that grows with their square. */
const mostOfNothing = 5000

/** Parses a file once, for its cuts and its names. Null when its grammar makes nothing of it. */
export async function outlineCode(language: Language & { grammar: string }, lines: Lines, path: string): Promise<Outline | null> {
  const grammar = await loadGrammar(language.grammar)
  const tree = grammar.parse(lines.text)
  if (tree === null) return null
  if (tree.rootNode.isError && tree.rootNode.childCount > mostOfNothing) {
    tree.delete()
    return null
  }
  try {
    const matches = language.query ? grammar.query(language.query).matches(tree.rootNode) : []
    const { definitions, edges } = readNames(matches, language, lines, path)
    return { chunker: 'code', blocks: toBlocks(tree.rootNode), definitions, edges, fill: 1, close: () => tree.delete() }
  } catch (error) {
    tree.delete()
    throw error
  }
}

function toBlocks(node: Node): Block[] {
  return node.children.map((child) => {
    const { row: startRow } = child.startPosition
    const { row, column } = child.endPosition
    return {
      startRow,
      endRow: column === 0 && row > startRow ? row - 1 : row,
      starts: child.isNamed,
      leads: leads.test(child.type),
      children: () => toBlocks(child),
    }
  })
}
