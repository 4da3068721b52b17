import type { Lines } from '../lines.ts'
import type { Fence } from './markdown.ts'

export type Heading = {
  name: string
  level: number
  row: number
  /** First row after the heading and its underline. */
  bodyRow: number
}

type Found = { headings: Heading[]; fences: Fence[] }

/** Headings outside of code, and the code. */
export function readHeadings(language: string, lines: Lines): Found {
  return language === 'restructuredtext' ? readRst(lines) : readMarks(lines, language === 'asciidoc' ? /^(={1,6})\s+(.+)$/ : /^ {0,3}(#{1,6})(?:\s+(.*?))?(?:\s+#+)?$/)
}

function readMarks(lines: Lines, mark: RegExp): Found {
  const found: Found = { headings: [], fences: [] }
  let row = 0
  const line = (at: number) => (at < lines.count ? lines.slice(at, at + 1).trimEnd() : '')
  // Front matter.
  if (line(0) === '---') {
    const end = rowOf(lines, 1, (text) => text.trimEnd() === '---')
    if (end !== -1) {
      found.fences.push({ startRow: 0, endRow: end })
      row = end + 1
    }
  }
  for (; row < lines.count; row++) {
    const text = line(row)
    const fence = /^\s{0,12}(`{3,}|~{3,}|-{4,}$|\.{4,}$)/.exec(text)?.[1]
    const isFence = fence !== undefined && (mark.source.includes('#') ? /^[`~]/.test(fence) : /^[-.`]/.test(fence))
    if (isFence) {
      const end = rowOf(lines, row + 1, (each) => each.trim().startsWith(fence) && /^([`~.-])\1*$/.test(each.trim()))
      found.fences.push({ startRow: row, endRow: end === -1 ? lines.count - 1 : end })
      row = end === -1 ? lines.count : end
      continue
    }
    const [, marks, name = ''] = mark.exec(text) ?? []
    const under = /^ {0,3}(=+|-+)\s*$/.exec(line(row + 1))?.[1]
    if (marks) found.headings.push({ name: toName(name), level: marks.length, row, bodyRow: row + 1 })
    else if (under && mark.source.includes('#') && /^ {0,3}[^\s>|*+-]/.test(text) && (under.length > 2 || under[0] === '=')) {
      found.headings.push({ name: toName(text), level: under[0] === '=' ? 1 : 2, row, bodyRow: row + 2 })
      row++
    }
  }
  return { ...found, headings: found.headings.filter(({ name }) => name !== '') }
}

/** reStructuredText: a line underlined at its full length; levels come in the order in which their marks first appear. */
function readRst(lines: Lines): Found {
  const found: Found = { headings: [], fences: [] }
  const levels: string[] = []
  const line = (at: number) => (at >= 0 && at < lines.count ? lines.slice(at, at + 1).trimEnd() : '')
  for (let row = 0; row < lines.count; row++) {
    const text = line(row)
    const under = line(row + 1)
    const isRule = /^([=\-~^"'`*+#:.<>_])\1{2,}$/.test(under)
    if (text !== '' && !/^\s/.test(text) && isRule && under.length >= Math.min(text.length, 4) && !/^([=\-~^"'`*+#:.<>_])\1{2,}$/.test(text)) {
      const over = line(row - 1) === under
      const style = `${under[0]}${over}`
      if (!levels.includes(style)) levels.push(style)
      found.headings.push({ name: toName(text), level: levels.indexOf(style) + 1, row: over ? row - 1 : row, bodyRow: row + 2 })
      row++
    } else if (/(::)$|^\s*\.\. (code-block|sourcecode|literalinclude)::/.test(text)) {
      const end = indentedUntil(lines, row)
      if (end > row + 1) found.fences.push({ startRow: row + 1, endRow: end })
    }
  }
  return found
}

/** Last row of the indented block below `row`. */
function indentedUntil(lines: Lines, row: number): number {
  const indent = /^\s*/.exec(lines.slice(row, row + 1))![0].length
  let last = row
  for (let at = row + 1; at < lines.count; at++) {
    if (lines.isBlank(at)) continue
    if (/^\s*/.exec(lines.slice(at, at + 1))![0].length <= indent) break
    last = at
  }
  return last
}

function rowOf(lines: Lines, from: number, matches: (line: string) => boolean): number {
  for (let row = from; row < lines.count; row++) if (matches(lines.slice(row, row + 1))) return row
  return -1
}

/** Heading text without links, images, emphasis and anchors. */
function toName(text: string): string {
  return text
    .replace(/!\[[^\]]*\]\([^)]*\)/g, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/:\w+:`~?([^`<]+?)(?:\s*<[^`]*)?`/g, '$1')
    .replace(/<[^>]+>|[*`]|\{#[\w-]+\}/g, '')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 200)
}
