import { Parser } from 'htmlparser2'
import type { Html, Nodes } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { isHidden, unseen } from './documents/visible-html.ts'
import { toVisibleText } from './visible-text.ts'

/** From its first to behind its last character. */
type Range = { start: number; end: number }

/** What something unseen in Markdown begins with; a text without any of them is seen whole, and need not be parsed. */
const mayHide = new RegExp(
  [/<[!?]/, /<[a-z][\w:-]*[\s/]/, new RegExp(`<(?:${[...unseen].join('|')})>`), /\]:/, /\]\([^\s)]{0,500}\s+["'(]/, /(?:`{3}|~{3})[^\n`]*\S[ \t]+\S/].map(({ source }) => source).join('|'),
  'i',
)
const comment = /<!--[^]*?(?:-->|$)/g
const definition = /^[ \t>]*\[[^\]\n]{1,1000}\]:[^\n]*$/gm
const title = /\s+(?:"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'|\((?:[^()\\]|\\[^])*\))\s*\)$/
/** More than people write, and what a parser takes long for. */
const most = { characters: 400_000, marks: 3_000, rounds: 6 }
const deepNesting = /^(?:[ \t]*(?:>|[-*+]|\d{1,9}[.)])){40}/m

/**
 * Markdown as whoever reads the page it makes sees it: without comments, declarations and attributes of HTML, elements that are
 * hidden, definitions and titles of links, what stands behind the language of a fence, and invisible characters. Code stays.
 * Lines stay where they are; doing it again changes nothing.
 *
 * What is shown to nobody was not written for people who ask, and is where orders to a model are hidden.
 */
export function toVisibleMarkdown(markdown: string): string {
  let text = toVisibleText(markdown)
  // What is taken out may have kept apart what now is hidden too.
  for (let round = 0; round < most.rounds; round++) {
    if (!mayHide.test(text)) return text
    const next = without(text, isTangled(text) ? findByMarks(text) : findByTree(text))
    if (next === text) return text
    text = next
  }
  return without(text, findByMarks(text)).replace(/<(?=[!?])/g, '< ')
}

function isTangled(text: string): boolean {
  return text.length > most.characters || deepNesting.test(text) || (text.match(/[[<]/g)?.length ?? 0) > most.marks
}

function findByMarks(text: string): Range[] {
  return [...text.matchAll(comment), ...text.matchAll(definition)].map(({ index, 0: { length } }) => ({ start: index, end: index + length }))
}

function findByTree(text: string): Range[] {
  const ranges: Range[] = []
  const html: Html[] = []
  const visit = (node: Nodes): void => {
    const { start, end } = rangeOf(node)
    if (node.type === 'html') html.push(node)
    if (node.type === 'definition') ranges.push({ start, end })
    if (node.type === 'code' && node.meta) {
      const at = text.indexOf(node.meta, start)
      if (at >= 0 && at < end) ranges.push({ start: at, end: at + node.meta.length })
    }
    if ((node.type === 'link' || node.type === 'image') && node.title != null) {
      const found = title.exec(text.slice(start, end))
      if (found) ranges.push({ start: start + found.index, end: end - 1 })
    }
    if ('children' in node) node.children.forEach(visit)
  }
  // Emphasis hides nothing, and many open marks of it take the parser long.
  visit(fromMarkdown(text, { extensions: [{ disable: { null: ['attention'] } }] }))
  return [...ranges, ...findInHtml(text, html.map(rangeOf))]
}

/** The pieces of HTML of a text are one page: an element may begin in one and end in another, with Markdown between. */
function findInHtml(text: string, pieces: Range[]): Range[] {
  const ranges: Range[] = []
  let from: number | null = null
  let depth = 0
  let piece: Range = { start: 0, end: 0 }
  let read = 0
  const place = (index: number) => Math.max(piece.start, Math.min(piece.end, piece.start + index - read))
  const add = (start: number, end: number) => void (end > start && ranges.push({ start, end }))
  const dropWhole = () => add(place(parser.startIndex), place(parser.endIndex + 1))
  const parser: Parser = new Parser({
    onopentag(name, attributes) {
      if (from === null && isHidden(name, attributes, none)) from = place(parser.startIndex)
      if (from !== null) return void depth++
      add(place(parser.startIndex + 1 + name.length), place(parser.endIndex))
    },
    onclosetag() {
      if (from === null || --depth > 0) return
      add(from, place(parser.endIndex + 1))
      from = null
    },
    oncomment: dropWhole,
    onprocessinginstruction: dropWhole,
  })
  for (piece of pieces) {
    const written = text.slice(piece.start, piece.end)
    parser.write(written)
    // One that is left open hides what is left of its piece.
    const open = written.lastIndexOf('<!--')
    if (open >= 0 && !written.includes('-->', open)) add(piece.start + open, piece.end)
    read += written.length
  }
  if (from !== null) add(from, text.length)
  return ranges
}

const none: ReadonlySet<string> = new Set()

function rangeOf({ position }: Nodes): Range {
  return { start: position?.start.offset ?? 0, end: position?.end.offset ?? 0 }
}

/** A blank stands for what was taken out, so that it joins nothing, and its line breaks stay. */
function without(text: string, ranges: Range[]): string {
  let out = ''
  let at = 0
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    if (end <= at) continue
    const from = Math.max(at, start)
    const taken = text.slice(from, end)
    const isAtStart = from === 0 || text[from - 1] === '\n'
    out += text.slice(at, from) + (isAtStart ? '' : ' ') + taken.replace(/[^\r\n]+/g, '')
    at = end
  }
  return out + text.slice(at)
}
