import type { Passage } from '../../retrieval/passage.ts'
import { plain, sentences } from './prose.ts'

/** A paragraph, list entry or comment of a passage as plain prose, with the lines it stands on. */
export type Paragraph = { text: string; startLine: number; endLine: number }

export function isDocument(passage: Passage): boolean {
  return passage.contentType !== 'code' || ['markdown', 'mdx', 'rst', 'text', 'asciidoc'].includes(passage.language ?? '')
}

/** reStructuredText underlines headings with what fences code in Markdown. */
export function isRst({ path }: Passage): boolean {
  return /\.(?:rst|rest)$/i.test(path)
}

const heading = /^\s{0,3}#{1,6}\s|^(?:={3,}|-{3,}|~{3,}|\^{3,}|"{3,}|\*{3,}|\+{3,}|`{3,})\s*$/
const skipped = /^\s*(?:<!--|\.\. |:[a-z-]+:(?=\s|$)|\[[^\]]+\]:\s|!\[|\[!|<\/?[a-z]|>\s*\[!|---|import |export )/i
/** An entry of a table of contents: a link to a section and nothing else. */
const contents = /^\s*(?:[-*+•]|\d+[.)])\s+\[[^\]]*\]\([^)]*\)\s*$/
const bullet = /^\s*(?:[-*+•]|\d+[.)])\s+/

/** Prose of a document's passage: without headings, code, tables, badges and directives. */
export function paragraphs(passage: Passage): Paragraph[] {
  const lines = passage.content.split('\n')
  const found: Paragraph[] = []
  let open: { lines: string[]; start: number } | undefined
  let fence: string | undefined
  let literal = false
  const close = (end: number) => {
    if (open) {
      const text = plain(open.lines.join('\n'))
      if (/\p{L}{2}.*\s\p{L}{2}/u.test(text)) found.push({ text, startLine: open.start, endLine: end })
    }
    open = undefined
  }
  const matter = passage.startLine === 1 && lines[0]?.trim() === '---' ? lines.indexOf('---', 1) : -1
  for (const [at, line] of lines.entries()) {
    if (at <= matter) continue
    const number = passage.startLine + at
    const mark = isRst(passage) ? undefined : /^\s*(```+|~~~+)/.exec(line)?.[1]
    if (mark) {
      close(number - 1)
      fence = fence === undefined ? mark : mark.startsWith(fence[0]!) ? undefined : fence
      continue
    }
    if (fence !== undefined) continue
    if (literal && (line.trim() === '' || /^\s{2,}/.test(line))) continue
    literal = false
    const row = tableRow(line)
    if (row !== undefined) {
      close(number - 1)
      const isHeader = /^\s*\|?[\s:|-]+\|[\s:|-]*$/.test(lines[at + 1] ?? '')
      if (row.length > 1 && !isHeader) {
        open = { lines: [`${row[0]}: ${row.slice(1).join('; ')}`], start: number }
        close(number)
      }
      continue
    }
    const underlined = heading.test(lines[at + 1] ?? '') && !/^\s{0,3}#/.test(lines[at + 1] ?? '') && line.trim() !== ''
    if (line.trim() === '' || heading.test(line) || underlined || skipped.test(line) || (/^(?: {4}|\t)/.test(line) && !open)) {
      close(number - 1)
      literal = /^\s*\.\. (?:code|sourcecode|literalinclude|highlight|toctree|note::$)/.test(line)
      continue
    }
    if (bullet.test(line)) close(number - 1)
    if (contents.test(line)) continue
    open ??= { lines: [], start: number }
    open.lines.push(line.replace(bullet, '').replace(/^\s*>\s?/, ''))
    if (/::\s*$/.test(line)) {
      open.lines.push(open.lines.pop()!.replace(/::\s*$/, ':'))
      close(number)
      literal = true
    }
  }
  close(passage.endLine)
  return found
}

/** The cells of a table's row that hold words; undefined for a line that is none. */
function tableRow(line: string): string[] | undefined {
  if (!/^\s*\|.*\|\s*$/.test(line)) return undefined
  return line.trim().slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim()).filter((cell) => /[\p{L}\p{N}]/u.test(cell))
}

const lineComment = /^\s*(?:\/\/+!?|#+(?!!|\[|include|define|if|endif|pragma)|--|;;)\s?(.*)$/
const noise = /^\s*(?:eslint|tslint|prettier|istanbul|@ts-|noqa|pylint|type:|nolint|go:|\+build|copyright|license|spdx|-+\s*$|=+\s*$|region|endregion)/i

/** Comments of code as prose: neighbouring comment lines are one paragraph, block comments and docstrings too. */
export function comments(passage: Passage): Paragraph[] {
  if (isDocument(passage)) return []
  const lines = passage.content.split('\n')
  const found: Paragraph[] = []
  let open: { lines: string[]; start: number } | undefined
  let block: RegExp | undefined
  let inString = false
  const close = (end: number) => {
    const text = open ? plain(open.lines.filter((line) => !/^\s*@\w/.test(line)).join('\n')) : ''
    if (open && !noise.test(text) && /\p{L}{2}.*\s\p{L}{2}/u.test(text) && !isCode(text)) found.push({ text, startLine: open.start, endLine: end })
    open = undefined
  }
  for (const [at, line] of lines.entries()) {
    const number = passage.startLine + at
    if (block) {
      const done = block.test(line)
      open!.lines.push(line.replace(block, '').replace(/^\s*\*\s?/, ''))
      if (done) {
        close(number)
        block = undefined
      }
      continue
    }
    const quotes = line.match(/"{3}|'{3}/g)?.length ?? 0
    if (inString) {
      if (quotes % 2 === 1) inString = false
      continue
    }
    const begins = /^\s*(\/\*+|[rub]*"""|[rub]*''')(.*)$/i.exec(line)
    if (begins) {
      close(number - 1)
      const ends = begins[1]!.startsWith('/') ? /\*+\/.*$/ : /"""|'''/
      open = { lines: [begins[2]!.replace(ends, '')], start: number }
      if (ends.test(begins[2]!)) close(number)
      else block = ends
      continue
    }
    if (quotes % 2 === 1) {
      close(number - 1)
      inString = true
      continue
    }
    const told = lineComment.exec(line)?.[1]
    if (told === undefined) close(number - 1)
    else if (told.trim() === '' && open) close(number - 1)
    else {
      open ??= { lines: [], start: number }
      open.lines.push(told)
    }
  }
  close(passage.endLine)
  return found
}

/** Commented-out code is not prose. */
function isCode(text: string): boolean {
  return /[;{}]\s*$|^\W*(?:const|let|var|if|for|return|import|from|def|func|class)\b.*[=({:]/.test(text)
}

/** The sentences of paragraphs, each with the lines of its paragraph. */
export function told(paragraph: Paragraph): { text: string; paragraph: Paragraph }[] {
  return sentences(paragraph.text).map((text) => ({ text, paragraph }))
}
