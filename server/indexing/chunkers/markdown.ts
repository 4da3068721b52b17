import type { EdgeWrite } from '#db/tenant/write-files.ts'
import { folderOf, joinPath, stemOf } from '../languages/language.ts'
import type { Lines } from '../lines.ts'
import type { Block } from '../split-lines.ts'
import type { Definition } from '../symbols.ts'
import { readHeadings } from './headings.ts'
import type { Heading } from './headings.ts'
import type { Outline } from './outline.ts'
import { paragraphs, toBlock } from './text.ts'

/** Sections are kept apart sooner than code is: a section is about one thing. */
const fill = 0.6
/** Kept of one document as symbols. */
const mostSections = 3000

/** Markdown, reStructuredText and AsciiDoc by their headings. A fence stays whole where it fits. */
export function outlineMarkdown(language: string, lines: Lines, path: string): Outline {
  const { headings, fences } = readHeadings(language, lines)
  const sections = toSections(headings, lines)
  return {
    chunker: 'markdown',
    blocks: toBlocks(sections.filter(({ parent }) => parent === null), 0, lines.count, sections, fences, lines),
    definitions: sections.slice(0, mostSections).map((section) => toDefinition(section, fences, lines)),
    edges: readMentions(sections, fences, lines, path),
    fill,
  }
}

/** A heading and everything below it up to the next one of its level or above. */
type Section = Heading & { endRow: number; parent: Section | null }
/** Rows of a code block, marks included. */
export type Fence = { startRow: number; endRow: number }

function toSections(headings: Heading[], lines: Lines): Section[] {
  const sections: Section[] = []
  const open: Section[] = []
  for (const heading of headings) {
    while (open.length > 0 && open.at(-1)!.level >= heading.level) open.pop()!.endRow = heading.row - 1
    const section = { ...heading, endRow: lines.count - 1, parent: open.at(-1) ?? null }
    sections.push(section)
    open.push(section)
  }
  return sections
}

function toBlocks(own: Section[], start: number, end: number, all: Section[], fences: Fence[], lines: Lines): Block[] {
  const intro = proseBlocks(start, own[0]?.row ?? end, fences, lines)
  const blocks = own.map((section) =>
    toBlock(section.row, section.endRow, () =>
      toBlocks(all.filter(({ parent }) => parent === section), section.row, section.endRow + 1, all, fences, lines),
    ),
  )
  return [...intro, ...blocks]
}

/** Paragraphs and whole fences. */
function proseBlocks(start: number, end: number, fences: Fence[], lines: Lines): Block[] {
  const blocks: Block[] = []
  let from = start
  for (const { startRow, endRow } of fences.filter((fence) => fence.startRow >= start && fence.endRow < end)) {
    blocks.push(...paragraphs(lines, { start: from, end: startRow }))
    blocks.push(toBlock(startRow, endRow, () => paragraphs(lines, { start: startRow, end: endRow + 1 })))
    from = endRow + 1
  }
  return [...blocks, ...paragraphs(lines, { start: from, end })]
}

function toDefinition(section: Section, fences: Fence[], lines: Lines): Definition {
  return {
    name: section.name,
    container: section.parent?.name ?? null,
    kind: 'heading',
    signature: section.name,
    doc: firstSentence(section, fences, lines),
    startLine: section.row + 1,
    endLine: section.endRow + 1,
    startRow: section.row,
    endRow: section.endRow,
  }
}

/** What the section says first, without marks. */
function firstSentence(section: Section, fences: Fence[], lines: Lines): string | null {
  const inFence = (row: number) => fences.some((fence) => row >= fence.startRow && row <= fence.endRow)
  let text = ''
  for (let row = section.bodyRow; row <= Math.min(section.endRow, section.bodyRow + 30); row++) {
    const line = lines.slice(row, row + 1).trim()
    const mark = /^(#{1,6} |[=~^"'`*+.-]{3,}$|\||<|!?\[!?\[|\.\. |:\w+:|!\[)/.test(line)
    if (mark || line === '' || inFence(row)) {
      if (text !== '') break
      continue
    }
    text += `${toPlain(line)} `
  }
  const [sentence = ''] = text.trim().split(/(?<=[.!?])\s+(?=[\p{Lu}\p{N}`"])/u)
  return /\p{L}/u.test(sentence) ? sentence.slice(0, 400).trim() : null
}

function toPlain(line: string): string {
  return line
    .replace(/^([-*+]|\d+[.)]|>)\s+/, '')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/:\w+(?::\w+)?:`~?\.?([^`<]+)(?:<[^`]*)?`/g, '`$1`')
    .replace(/\*\*|__|``/g, (mark) => (mark === '``' ? '`' : ''))
    .replace(/<[^>]+>/g, '')
    .trim()
}

const codeSpan = /`{1,2}~?\.?([\w$./#:-]+?)(?:\(\))?`{1,2}/g
const link = /\]\((?!\w+:|#)([^)\s#]+)/g

/** Code spans and links to files: what a document is about. */
function readMentions(sections: Section[], fences: Fence[], lines: Lines, path: string): EdgeWrite[] {
  const edges = new Map<string, EdgeWrite>()
  let fence = 0
  let section = -1
  for (let row = 0; row < lines.count; row++) {
    while (sections[section + 1] && sections[section + 1]!.row <= row) section++
    while (fences[fence] && fences[fence]!.endRow < row) fence++
    if (fences[fence] && fences[fence]!.startRow <= row) continue
    const text = lines.slice(row, row + 1)
    const spans = [...text.matchAll(codeSpan)].map(([, span = '']) => toTarget(span))
    const links = [...text.matchAll(link)].map(([, href = '']) => stemOf(href.startsWith('/') ? href.slice(1) : joinPath(folderOf(path), href)))
    for (const target of [...spans, ...links]) {
      if (target.length < 3 || target.length > 200) continue
      const fromSymbol = sections[section]?.name ?? null
      const key = `${fromSymbol}\0${target}`
      if (!edges.has(key)) edges.set(key, { kind: 'reference', fromSymbol, target, line: row + 1 })
    }
  }
  return [...edges.values()]
}

/** `src/app.py` → `src/app`; `app.route` → `route`; `Flask` → `Flask`. */
function toTarget(span: string): string {
  if (span.includes('/')) return stemOf(span.replace(/^\.\//, ''))
  if (/^[\w$-]+\.(?:[cm]?[jt]sx?|py|go|rs|rb|java|cs|php|c|h|cpp|hpp|md|rst|sh|ya?ml|json|toml)$/.test(span)) return stemOf(span)
  const last = span.split(/[.#:]+/).at(-1) ?? ''
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(last) ? last : ''
}
