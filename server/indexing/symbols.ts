import type { Node, QueryMatch } from 'web-tree-sitter'
import type { EdgeWrite, SymbolWrite } from '#db/tenant/write-files.ts'
import { cleanDocstring, readDocAbove } from './doc-comment.ts'
import type { Language } from './languages/language.ts'
import type { Lines } from './lines.ts'
import { isEverydayName } from './everyday-names.ts'

/** A symbol and the rows it takes, its comment and decorators included. A `hidden` one only names a scope. */
export type Definition = SymbolWrite & { startRow: number; endRow: number; hidden?: boolean }

export type Names = { definitions: Definition[]; edges: EdgeWrite[] }

const kinds = new Set(['function', 'method', 'class', 'interface', 'type', 'constant', 'enum', 'module', 'scope'])
const holders = new Set(['class', 'interface', 'scope', 'enum'])
const longestSignature = 240
/** Kept of one file; what has more is a table or an attack. */
const mostDefinitions = 3000
const mostEdges = 10_000

/** What a parsed file defines and what it names. `matches` are those of its language's query. */
export function readNames(matches: QueryMatch[], language: Language, lines: Lines, path: string): Names {
  const found: Found[] = []
  const mentions: Mention[] = []
  for (const match of matches) {
    const name = match.captures.find((capture) => capture.name === 'name')
    if (name) {
      const definition = match.captures.find((capture) => kinds.has(capture.name))
      const container = match.captures.find((capture) => capture.name === 'container')
      if (definition) found.push(toFound(definition.name, definition.node, name.node, container?.node ?? null, lines))
    } else {
      for (const { name: kind, node } of match.captures) {
        if (kind === 'call' || kind === 'reference' || kind === 'import') mentions.push({ kind, node, at: node.startIndex })
      }
    }
  }
  const nested = nest(unique(found)).slice(0, mostDefinitions)
  return { definitions: nested.map((each) => toDefinition(each, language, lines)), edges: toEdges(mentions, nested, language, lines, path).slice(0, mostEdges) }
}

type Found = { kind: string; node: Node; name: string; nameAt: number; row: number; container: string | null; start: number; end: number; parent: Found | null }
type Mention = { kind: 'call' | 'reference' | 'import'; node: Node; at: number }

function toFound(kind: string, node: Node, name: Node, container: Node | null, lines: Lines): Found {
  const text = (of: Node) => lines.text.slice(of.startIndex, of.endIndex)
  return {
    kind,
    node,
    name: bareName(text(name)),
    nameAt: name.startIndex,
    row: name.startPosition.row,
    container: container ? bareName(text(container)) : null,
    start: node.startIndex,
    end: node.endIndex,
    parent: null,
  }
}

/** `*Engine`, `Engine[T]`, `Box<T>`, `"quoted"` → the name alone. */
function bareName(text: string): string {
  return text.replace(/^[*&\s"'`]+|["'`]+$/g, '').replace(/[<[(].*$/s, '')
}

/** Two patterns may find one name (a constant that is a function); the more telling, which stands first in its query, stays. */
function unique(found: Found[]): Found[] {
  const byName = new Map<number, Found>()
  const order = [...kinds]
  for (const each of found) {
    const other = byName.get(each.nameAt)
    if (!other || order.indexOf(each.kind) < order.indexOf(other.kind)) byName.set(each.nameAt, each)
  }
  return [...byName.values()].filter(({ name }) => name !== '')
}

function nest(found: Found[]): Found[] {
  const sorted = found.toSorted((a, b) => a.start - b.start || b.end - a.end)
  const open: Found[] = []
  for (const each of sorted) {
    while (open.length > 0 && open.at(-1)!.end <= each.start) open.pop()
    each.parent = open.at(-1) ?? null
    open.push(each)
  }
  return sorted
}

function toDefinition({ kind, node, name, row, container, parent }: Found, language: Language, lines: Lines): Definition {
  const outer = node.parent?.type === 'decorated_definition' ? node.parent : node
  const top = outer.startPosition.row
  const { doc, startRow } = readDocAbove(lines, top, language.docs)
  const isMethod = kind === 'function' && (container !== null || (parent !== null && holders.has(parent.kind)))
  return {
    name,
    container: container ?? parent?.name ?? null,
    kind: isMethod ? 'method' : kind,
    signature: toSignature(node, row, lines, language),
    doc: language.docs?.docstring ? (readDocstring(node, lines) ?? doc) : doc,
    startLine: row + 1,
    endLine: lastRow(node) + 1,
    startRow,
    endRow: lastRow(node),
    hidden: kind === 'scope',
  }
}

/** The declaration up to its body, on one line. */
function toSignature(node: Node, row: number, lines: Lines, language: Language): string {
  const holder = node.namedChildren.findLast((child) => child.type === 'variable_declarator') ?? node
  const value = holder.childForFieldName('value') ?? holder.childForFieldName('right')
  const body = node.childForFieldName('body') ?? value?.childForFieldName('body')
  const start = signatureStart(node, row, lines)
  const declared = lines.text.slice(start, Math.max(start, Math.min(body?.startIndex ?? node.endIndex, start + 2000)))
  const head = body ? declared : firstStatement(declared)
  const flat = withoutComments(head, language)
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/\s*(=>|=|\{|:|;|,)$/, '')
    .trim()
    .replace(/\(\s+/g, '(')
    .replace(/,?\s+\)/g, ')')
  return flat.length > longestSignature ? `${flat.slice(0, longestSignature)} …` : flat
}

/**
 * Where the words of the declaration begin: with the line, for `export` and `const`; with the node where the line began
 * with something else or the type stands on a line of its own; with the name's line below decorators.
 */
function signatureStart(node: Node, row: number, lines: Lines): number {
  const nodeRow = node.startPosition.row
  const lineStart = lines.start(row)
  if (nodeRow !== row) return /[@#[]/.test(lines.slice(nodeRow, row)) ? lineStart : node.startIndex
  const before = node.startIndex - lineStart
  return before > longestSignature || /[{;]/.test(lines.text.slice(lineStart, node.startIndex)) ? node.startIndex : lineStart
}

function withoutComments(text: string, { docs }: Language): string {
  const marks = docs?.block ? /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm : /(?<=^|\s)#(?!\[).*$/gm
  return docs === undefined ? text : text.replace(marks, '')
}

/** Without a body: a short declaration whole, a long one (a table, a struct) by its first line. */
function firstStatement(declared: string): string {
  const [line = ''] = declared.split('\n', 1)
  return declared.length <= 160 && !/[{[(]\s*\n/.test(declared) ? declared : line.trimEnd().replace(/[{[(]$/, '')
}

function readDocstring(node: Node, lines: Lines): string | null {
  const first = node.childForFieldName('body')?.firstNamedChild
  const literal = first?.type === 'expression_statement' ? first.firstNamedChild : null
  return literal?.type === 'string' ? cleanDocstring(lines.text.slice(literal.startIndex, literal.endIndex)) : null
}

/** Some grammars end a node at the start of the next line. */
function lastRow(node: Node): number {
  const { row, column } = node.endPosition
  return column === 0 && row > node.startPosition.row ? row - 1 : row
}

function toEdges(mentions: Mention[], nested: Found[], language: Language, lines: Lines, path: string): EdgeWrite[] {
  const named = new Set(nested.map(({ nameAt }) => nameAt))
  const edges = new Map<string, EdgeWrite>()
  const add = (edge: EdgeWrite) => {
    const key = `${edge.kind}\0${edge.fromSymbol}\0${edge.target}`
    if (!edges.has(key)) edges.set(key, edge)
  }
  const open: Found[] = []
  let next = 0
  for (const { kind, node, at } of mentions.toSorted((a, b) => a.at - b.at)) {
    while (next < nested.length && nested[next]!.start <= at) open.push(nested[next++]!)
    while (open.length > 0 && open.at(-1)!.end <= at) open.pop()
    if (named.has(at)) continue
    const text = lines.text.slice(at, node.endIndex)
    const line = node.startPosition.row + 1
    if (kind === 'import') {
      for (const target of language.imports?.(text, path) ?? []) if (target !== '') add({ kind, fromSymbol: null, target, line })
      continue
    }
    const from = open.findLast((each) => each.kind !== 'scope' && each.end > at)
    if (isIdentifier(text) && from?.name !== text) add({ kind, fromSymbol: from?.name ?? null, target: text, line })
  }
  return [...edges.values()].filter(({ kind, fromSymbol, target }) => kind !== 'reference' || !edges.has(`call\0${fromSymbol}\0${target}`))
}

function isIdentifier(text: string): boolean {
  return text.length >= 3 && text.length <= 100 && /^[\p{L}_$][\p{L}\p{N}_$]*[?!]?$/u.test(text) && !isEverydayName(text)
}
