type Node = { type?: unknown; text?: unknown; content?: unknown; attrs?: unknown }

/** Deeper than any text that people write. */
const deepest = 100

/** Text in Atlassian's document format as Markdown. A text that is none of it is taken as it is. */
export function adfToMarkdown(value: unknown): string {
  if (typeof value === 'string') return value.trim()
  return blocks(childrenOf(value), 0).trim()
}

function childrenOf(value: unknown): Node[] {
  const content = typeof value === 'object' && value !== null ? (value as Node).content : undefined
  return Array.isArray(content) ? (content as unknown[]).filter((node): node is Node => typeof node === 'object' && node !== null) : []
}

function attribute(node: Node, name: string): string {
  const value = typeof node.attrs === 'object' && node.attrs !== null ? (node.attrs as Record<string, unknown>)[name] : undefined
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

function blocks(nodes: Node[], depth: number): string {
  return depth > deepest ? '' : nodes.map((node) => block(node, depth)).filter((text) => text !== '').join('\n\n')
}

function block(node: Node, depth: number): string {
  const children = childrenOf(node)
  switch (node.type) {
    case 'heading':
      // The issue's own title is above its headings.
      return `${'#'.repeat(Math.min(6, (Number(attribute(node, 'level')) || 1) + 1))} ${inline(children, depth)}`
    case 'paragraph':
      return inline(children, depth)
    case 'codeBlock':
      return `\`\`\`${attribute(node, 'language')}\n${inline(children, depth)}\n\`\`\``
    case 'bulletList':
    case 'taskList':
      return children.map((item) => listItem(item, '- ', depth)).join('\n')
    case 'orderedList':
      return children.map((item, at) => listItem(item, `${at + 1}. `, depth)).join('\n')
    case 'table':
      return children.map((row) => childrenOf(row).map((cell) => blocks(childrenOf(cell), depth + 1).replace(/\s+/g, ' ')).join(' | ')).join('\n')
    case 'rule':
      return '---'
    default:
      return node.text === undefined && children.some(({ type }) => type !== 'text' && !isInline(type)) ? blocks(children, depth + 1) : inline([node], depth)
  }
}

function listItem(item: Node, mark: string, depth: number): string {
  const children = childrenOf(item)
  const text = children.every(({ type }) => isInline(type)) ? inline(children, depth) : blocks(children, depth + 1)
  return `${mark}${text.replace(/\n(?=[^\n])/g, `\n${' '.repeat(mark.length)}`)}`
}

function isInline(type: unknown): boolean {
  return ['text', 'hardBreak', 'mention', 'emoji', 'inlineCard', 'date', 'status'].includes(String(type))
}

function inline(nodes: Node[], depth: number): string {
  if (depth > deepest) return ''
  return nodes
    .map((node) => {
      if (typeof node.text === 'string') return node.text
      if (node.type === 'hardBreak') return '\n'
      if (node.type === 'mention' || node.type === 'status' || node.type === 'emoji') return attribute(node, 'text') || attribute(node, 'shortName')
      return inline(childrenOf(node), depth + 1)
    })
    .join('')
}
