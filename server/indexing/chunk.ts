import { createHash } from 'node:crypto'
import type { EdgeWrite, SymbolWrite } from '#db/tenant/write-files.ts'
import { outlineCode } from './chunkers/code.ts'
import { outlineMarkdown } from './chunkers/markdown.ts'
import type { Outline } from './chunkers/outline.ts'
import { outlineText } from './chunkers/text.ts'
import { languageOf } from './languages/index.ts'
import { isSpace, toLines } from './lines.ts'
import type { Lines } from './lines.ts'
import { splitLines } from './split-lines.ts'
import type { Rows } from './split-lines.ts'
import type { Definition } from './symbols.ts'
import { testSubjects } from './test-subject.ts'

/** Raise it with every change that reads or cuts a file otherwise, or tells other symbols or edges of it: what is stored is then done again. */
export const chunkerVersion = 3

/** Most non-blank characters of a chunk. */
export const chunkCap = 1600

export type Chunk = {
  content: string
  ordinal: number
  /** 1-based, inclusive. */
  startLine: number
  endLine: number
  /** Names of what encloses the whole chunk, outermost first. */
  scope: string[]
  metadata: { chunker: Outline['chunker']; fallback?: 'no-tree' }
}

export type ChunkedFile = { language: string | null; contentType: 'code' | 'documentation'; chunks: Chunk[]; symbols: SymbolWrite[]; edges: EdgeWrite[] }

/**
 * Cuts a text into chunks that together are exactly the text, and tells what it defines and names. The same text at the
 * same path always gives the same; only the kind of file and the targets of relative imports depend on the path.
 */
export async function chunkFile(path: string, text: string): Promise<ChunkedFile> {
  const language = languageOf(path)
  const lines = toLines(text)
  const { outline, fallback } = await readOutline(path, lines)
  try {
    const rows = splitLines(lines, outline.blocks, { cap: chunkCap, target: chunkCap * outline.fill })
    const metadata = { chunker: outline.chunker, ...(fallback ? { fallback } : {}) }
    const chunks = rows.flatMap((each) => toPieces(lines, each).map((piece) => ({ ...piece, scope: scopeOf(each, outline.definitions, lines) })))
    return {
      language: language?.id ?? null,
      contentType: language?.documentation ? 'documentation' : 'code',
      chunks: chunks.map((chunk, ordinal) => ({ ...chunk, ordinal, metadata })),
      symbols: outline.definitions.filter(({ hidden }) => !hidden).map(({ startRow: _, endRow: __, hidden: ___, ...symbol }) => symbol),
      edges: [...testSubjects(path).map((target) => ({ kind: 'test' as const, fromSymbol: null, target, line: 1 })), ...outline.edges],
    }
  } finally {
    outline.close?.()
  }
}

/**
 * What is embedded and searched: the chunk under its scope. Neither the path nor blank lines around it are in it, so that a
 * rename and lines that only shift change nothing.
 */
export function toEmbeddedText({ scope, content }: Pick<Chunk, 'scope' | 'content'>): string {
  const text = content.replace(/^(?:[ \t]*\r?\n)+/, '').trimEnd()
  return scope.length > 0 ? `${scope.join(' > ')}\n${text}` : text
}

/** The same text in the same space, cut by the same chunker, is embedded once. */
export function toChunkKey(space: string, embeddedText: string): string {
  return createHash('sha256').update(`${space}\0${chunkerVersion}\0${embeddedText}`).digest('hex')
}

async function readOutline(path: string, lines: Lines): Promise<{ outline: Outline; fallback?: 'no-tree' }> {
  const language = languageOf(path)
  if (language?.grammar) {
    const outline = await outlineCode({ ...language, grammar: language.grammar }, lines, path)
    return outline ? { outline } : { outline: outlineText(lines, false), fallback: 'no-tree' }
  }
  if (language && ['markdown', 'restructuredtext', 'asciidoc'].includes(language.id)) return { outline: outlineMarkdown(language.id, lines, path) }
  return { outline: outlineText(lines, language?.documentation ?? false) }
}

const deepest = 5
const closing = /^[\s)}\]>;,]*$|^\s*end\s*$/

function scopeOf(rows: Rows, definitions: Definition[], lines: Lines): string[] {
  let [first, last] = [rows.start, rows.end - 1]
  while (first < last && lines.isBlank(first)) first++
  // The last method of a class is followed by the end of the class.
  while (last > first && closing.test(lines.slice(last, last + 1))) last--
  const around = definitions.filter(({ startRow, endRow }) => startRow <= first && endRow >= last)
  // A method's receiver or scope may be written elsewhere in the file than the method: its container still names it.
  const [outermost] = around
  const names = around.map(({ name }) => name)
  const scope = outermost?.container && outermost.container !== outermost.name ? [outermost.container, ...names] : names
  return scope.filter((name, index) => name !== scope[index - 1]).slice(-deepest)
}

type Piece = Pick<Chunk, 'content' | 'startLine' | 'endLine'>

/** A chunk is whole lines, unless one line alone is too heavy. */
function toPieces(lines: Lines, { start, end }: Rows): Piece[] {
  const content = lines.slice(start, end)
  if (lines.weight(start, end) <= chunkCap) return [{ content, startLine: start + 1, endLine: end }]
  return cutLine(content).map((piece) => ({ content: piece, startLine: start + 1, endLine: end }))
}

/** Cuts one line after its last space or mark before the cap, never inside a character. */
function cutLine(line: string): string[] {
  const pieces: string[] = []
  let [start, weight, softEnd, softWeight] = [0, 0, 0, 0]
  let at = 0
  for (const char of line) {
    const code = char.charCodeAt(0)
    const width = isSpace(code) ? 0 : char.length
    if (weight + width > chunkCap) {
      const soft = softWeight > chunkCap / 2
      const end = soft ? softEnd : at
      pieces.push(line.slice(start, end))
      weight = soft ? weight - softWeight : 0
      ;[start, softWeight] = [end, 0]
    }
    weight += width
    at += char.length
    if (width === 0 || char === ',' || char === ';' || char === '>') [softEnd, softWeight] = [at, weight]
  }
  if (start < line.length) pieces.push(line.slice(start))
  return pieces
}
