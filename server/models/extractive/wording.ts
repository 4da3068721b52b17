import { docSentences, plain, quote, span } from './prose.ts'
import type { Definition, Reading } from './reading.ts'
import type { TestCase, Use } from './edges.ts'
import type { Passage } from '../../retrieval/passage.ts'

/** The parts of an answer before they are fitted into the budget. Every sentence, bullet and snippet carries its `[n]`. */
export type Draft = { lead: string[]; list: string[]; ordered?: boolean; /** The most of the list that is shown, where it is itself what was asked for. */ bullets?: number; snippets: string[] }

const kindWords: Record<string, string> = {
  function: 'function', method: 'method', class: 'class', interface: 'interface', type: 'type', constant: 'constant', variable: 'variable',
  enum: 'enum', module: 'module', struct: 'struct', trait: 'trait', property: 'property', field: 'field', constructor: 'constructor', macro: 'macro',
}

export function kindOf(definition: Definition): string {
  return kindWords[definition.kind] ?? 'definition'
}

export function withArticle(word: string): string {
  return `${/^[aeiou]/i.test(word) ? 'an' : 'a'} ${word}`
}

/** The definition's name with the one it belongs to. */
export function nameOf(definition: Definition): string {
  const { container, name } = definition
  return span(container && !name.includes('.') ? `${container}.${name}` : name)
}

export function cite(...passages: Passage[]): string {
  return [...new Set(passages.map((passage) => passage.n))].map((n) => `[${n}]`).join('')
}

/** What a definition's own comment says, its most telling sentences first in the order written; null without a comment. */
export function saysOf(reading: Reading, definition: Definition, most = 1): string | null {
  const all = docSentences(definition.doc)
  if (all.length === 0) return null
  const first = all[0]!
  const more = all
    .slice(1, 6)
    .filter((sentence) => most > 1 && (first.length < 60 || reading.coverage(sentence) > reading.coverage(first)))
    .slice(0, most - 1)
  return quote([first, ...more].join(' '), 130 + 130 * most)
}

/** «`name` in `path` (line n): "what its comment says" [k]», or its declaration where it has no comment. */
export function tellOf(reading: Reading, definition: Definition, most = 1): string {
  const place = `${nameOf(definition)} in ${span(definition.path)} (line ${definition.startLine})`
  const says = saysOf(reading, definition, most)
  if (says) return `${place}: ${says} ${cite(definition.passage)}`
  const line = tellingLine(reading, definition)
  if (line) return `${place}, whose line ${line.number} reads ${span(line.text)} ${cite(definition.passage)}`
  const declared = declarationOf(definition)
  return declared ? `${place}, declared as ${declared} ${cite(definition.passage)}` : `${place} ${cite(definition.passage)}`
}

/** The line inside a definition that holds most of the question, when it holds enough of it to be worth quoting. */
function tellingLine(reading: Reading, definition: Definition): { number: number; text: string } | undefined {
  const { passage, startLine, endLine } = definition
  const lines = passage.content.split('\n').map((text, at) => ({ number: passage.startLine + at, text: text.trim().replace(/[,;{]\s*$/, '') }))
  const inside = lines.filter(({ number, text }) => number > startLine && number <= endLine && text.length > 8 && /[('"`=]/.test(text) && !/^(?:\/\/|#|\*|\/\*)/.test(text) && !new RegExp(`(?<![\\w$])${RegExp.escape(definition.name)}(?![\\w$])`).test(text))
  const best = inside.map((line) => ({ line, worth: reading.coverage(line.text) })).reduce((a, b) => (b.worth > a.worth + 1e-9 ? b : a), { line: lines[0]!, worth: 0 })
  return best.worth >= 0.5 ? { number: best.line.number, text: best.line.text.length <= 120 ? best.line.text : `${best.line.text.slice(0, 118)} …` } : undefined
}

/** The signature as a code span, cut where it gets long; empty when it says no more than the name. */
export function declarationOf(definition: Definition, most = 110): string {
  const signature = definition.signature.replace(/\s+/g, ' ').replace(/\s*[{:]\s*$/, '').trim()
  if (signature.length <= definition.name.length + 8) return ''
  return span(signature.length <= most ? signature : `${signature.slice(0, most - 2).replace(/[\s,(]+$/, '')} …`)
}

/** «`fn` in `path` (line n) [k]» */
export function useAt(use: Use): string {
  const place = `${span(use.path)} (line ${use.line}) ${cite(use.passage)}`
  return use.symbol && use.role !== 'docs' && use.role !== 'history' ? `${span(use.symbol)} in ${place}` : place
}

/** «`path` (line n): "title" [k]» */
export function testAt(test: TestCase): string {
  const said = test.title === null ? '' : `: ${/^\w+$/.test(test.title) ? span(test.title) : quote(test.title, 100)}`
  return `${span(test.path)} (line ${test.line})${said} ${cite(test.passage)}`
}

/** «a, b and c» */
export function series(parts: string[]): string {
  return parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
}

/** «"Outer › Inner"» of a section, or nothing for a document without headings. */
export function headingOf(passage: Passage): string {
  const headings = passage.scope.map((heading) => plain(heading.replace(/`/g, ''))).filter(Boolean)
  return headings.length === 0 ? '' : quote(headings.slice(-2).join(' › '), 90)
}

/** «`docs/x.md`, "Heading"» */
export function sectionAt(passage: Passage): string {
  const heading = headingOf(passage)
  return heading ? `${span(passage.path)}, ${heading}` : span(passage.path)
}
