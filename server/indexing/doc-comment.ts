import type { Language } from './languages/language.ts'
import type { Lines } from './lines.ts'

/** A declaration's own words, and the first row that belongs to it: of its comment, decorators or attributes. */
export type DocComment = { doc: string | null; startRow: number }

/** Characters kept of a doc comment: more is a chapter, and the chunk has it whole. */
const longest = 800
/** Lines that a comment is looked for in. */
const mostLines = 500

/** Lines between a comment and its declaration: `@decorator(…)`, `#[attribute]`, `[Attribute]`, `template <…>`. */
const decorator = /^\s*(@[\w.]+(\(.*\))?|#!?\[.*\]|\[[\w.]+(\(.*\))?\]|template\s*<.*>)\s*$/
/** Comments that speak to tools: linters, compilers, editors. */
const toTools =
  /^\W*(eslint|prettier|biome|oxlint|tslint|jshint|istanbul|c8|v8 ignore|@ts-|ts-ignore|noqa|type:\s|pylint|pragma|mypy|ruff|fmt:|go:|nolint|\+build|rubocop|frozen_string_literal|-\*-|clang-format|nosec|region|endregion|#!)/i

/** The comment that ends right above `row`. */
export function readDocAbove(lines: Lines, row: number, docs: Language['docs']): DocComment {
  let first = row
  const line = (at: number) => lines.slice(at, at + 1).trim()
  while (first > 0 && row - first < mostLines && decorator.test(line(first - 1))) first--
  if (!docs || first === 0) return { doc: null, startRow: first }

  const end = first
  if (docs.block && line(first - 1).endsWith('*/')) {
    let start = first - 1
    while (start > 0 && end - start < mostLines && !line(start).includes('/*')) start--
    // Code before the mark: the comment belongs to that line.
    if (!line(start).startsWith('/*')) return { doc: null, startRow: first }
    return { doc: cleanBlock(lines.slice(start, end)), startRow: start }
  }
  if (!docs.line) return { doc: null, startRow: first }
  const found: string[] = []
  while (first > 0 && end - first < mostLines && docs.line.test(line(first - 1))) {
    first--
    found.push(line(first).replace(docs.line, ''))
  }
  const kept = found.reverse().filter((text) => !toTools.test(text.trim()) && !/^\W*$/.test(text))
  return { doc: kept.length > 0 ? toPlain(kept) : null, startRow: first }
}

/** `"""Says what.\n\n  More."""` → `Says what. More.` */
export function cleanDocstring(literal: string): string | null {
  const inside = literal.replace(/^[rRbBuUfF]*("""|'''|"|')/, '').replace(/("""|'''|"|')$/, '')
  return toPlain(inside.split('\n'))
}

function cleanBlock(comment: string): string | null {
  const inside = comment.trim().replace(/^\/\*+!?/, '').replace(/\*+\/$/, '')
  const rows = inside.split('\n').map((row) => row.replace(/^\s*\*(?!\*) ?/, ''))
  return toTools.test(inside.trim()) ? null : toPlain(rows)
}

/**
 * One paragraph a paragraph, as a reader would say it: no tags after the description, no markup of links.
 * A first `@tag` or `:param:` ends the description.
 */
function toPlain(rows: string[]): string | null {
  const tag = rows.findIndex((row) => /^\s*([@\\](?!link|code|inheritdoc)\w+|:(param|type|returns?|rtype|raises?)\b|(Args|Arguments|Returns|Raises|Yields|Parameters|Example|Examples):\s*$)/i.test(row))
  const words = (tag === -1 ? rows : rows.slice(0, tag))
    .join('\n')
    .replace(/\{@\w+\s+([^}|\s]+)(?:[\s|]+([^}]+))?\}/g, (_, target: string, label?: string) => label ?? target)
    .replace(/:\w+(?::\w+)?:`~?([^`<]+)(?:<[^`]*)?`/g, '`$1`')
    .replace(/<\/?(summary|remarks|para|p|b|i|em|strong|code|c|pre|ul|li|br)\s*\/?>|<see(?:also)? cref="([^"]+)"\s*\/>/gi, (_, _tag, cref?: string) => cref ?? ' ')
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.replace(/\s+/g, ' ').trim())
    .filter((paragraph) => /[\p{L}\p{N}]/u.test(paragraph))
    .join('\n')
  if (words === '' && tag !== -1) return fromTag(rows.slice(tag))
  return words === '' ? null : cut(words)
}

/** A comment of tags only still says something in `@returns` or `@deprecated`. */
function fromTag(rows: string[]): string | null {
  const told = /@(returns?|deprecated|summary|description|brief|fileoverview)\s+(?:\{[^}]*\}\s*)?([^@]+)/i.exec(rows.join(' '))?.[2]
  return told ? cut(told.replace(/\s+/g, ' ').trim()) : null
}

function cut(text: string): string {
  if (text.length <= longest) return text
  const sentence = text.lastIndexOf('. ', longest)
  return sentence > longest / 3 ? text.slice(0, sentence + 1) : `${text.slice(0, text.lastIndexOf(' ', longest))} …`
}
