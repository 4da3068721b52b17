import type { Passage } from '../../retrieval/passage.ts'
import { isRst } from './paragraphs.ts'
import { span, visible } from './prose.ts'
import type { Reading } from './reading.ts'

/** Most lines of one snippet. */
export const longest = 10
const widest = 140

/** A run of lines, both ends included. */
export type Run = { from: number; to: number }

/** Lines of a passage as a fenced block under a line that says where they stand and cites them; `…` stands between runs. */
export function toSnippet(shown: Passage | Passage[], ...runs: Run[]): string {
  const passages = [shown].flat()
  const passage = joined(passages)
  const all = visible(passage.content).split('\n')
  const text = (line: number) => all[line - passage.startLine] ?? ''
  const trimmed = runs.map((run) => trim(run, text)).filter(({ from, to }) => from <= to)
  if (trimmed.length === 0) return ''
  const lines = dedent(trimmed.flatMap(({ from, to }, at) => [...(at > 0 ? [`${/^\s*/.exec(text(from))![0]}…`] : []), ...range(from, to).map(text)]))
  const body = lines.map((line) => (line.length > widest ? `${line.slice(0, widest - 1)}…` : line))
  const ticks = body.join('\n').match(/`{3,}/g)?.reduce((most, run) => Math.max(most, run.length), 0) ?? 0
  const fence = '`'.repeat(Math.max(3, ticks + 1))
  const places = trimmed.map(({ from, to }) => (from === to ? `${from}` : `${from}–${to}`))
  const place = places.length === 1 && !places[0]!.includes('–') ? `line ${places[0]}` : `lines ${places.join(', ')}`
  return `${span(passage.path)}, ${place} ${cited(passages, trimmed)}:\n${fence}${fenceName(passage.language)}\n${body.join('\n')}\n${fence}`
}

/** Passages that follow one another in a file as one. */
export function joined(passages: Passage[]): Passage {
  return { ...passages[0]!, endLine: passages.at(-1)!.endLine, content: passages.map(({ content }) => content).join('\n') }
}

function cited(passages: Passage[], runs: Run[]): string {
  const shown = passages.filter(({ startLine, endLine }) => runs.some(({ from, to }) => from <= endLine && startLine <= to))
  return shown.map(({ n }) => `[${n}]`).join('')
}

/** A run without the blank lines at its ends. */
function trim({ from, to }: Run, text: (line: number) => string): Run {
  while (from <= to && !text(from).trim()) from++
  while (to >= from && !text(to).trim()) to--
  return { from, to }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at)
}

/**
 * The lines that show a definition, ten at most: all when they fit; its beginning when that tells as much of the question as
 * any other part; else its declaration and the part that tells most.
 */
export function showDefinition(reading: Reading, passage: Passage, startLine: number, endLine: number): Run[] {
  const start = Math.max(startLine, passage.startLine)
  const to = Math.min(endLine, passage.endLine)
  const text = (line: number) => lineOf(passage, line)
  const from = to - start < longest ? start : skipDoc(text, start, to)
  if (to - from < longest) return [{ from, to }]
  const worth = (run: Run) => reading.coverage(range(run.from, run.to).map(text).join('\n'))
  const head = { from, to: declarationEnd(text, from, to) }
  const code = docstringEnd(text, head.to + 1, to)
  const room = longest - (head.to - head.from + 1)
  if (code - head.to > 4 && code <= to && room >= 2) return [head, { from: code, to: endAt(text, code, Math.min(to, code + room - 1), to) }]
  const beginning = { from, to: endAt(text, from, Math.min(to, from + longest - 1), to) }
  if (room < 4) return [beginning]
  const body = indentOf(range(head.to + 1, to).map(text).find((line) => line.trim()) ?? '')
  const parts = range(head.to + 2, to)
    .filter((line) => text(line).trim() && indentOf(text(line)) <= body + 2 && !/^\s*[)}\]]|^\s*(?:else|catch|finally|elif|except)\b/.test(text(line)))
    .map((line) => ({ from: line, to: endAt(text, line, Math.min(to, line + room - 1), to) }))
    .map((run) => ({ run, worth: worth(run) }))
  const best = parts.reduce((a, b) => (b.worth > a.worth + 1e-9 ? b : a), { run: beginning, worth: worth(beginning) + 0.15 })
  return best.run === beginning || best.run.from <= beginning.from + 3 ? [beginning] : [head, best.run]
}

function lineOf(passage: Passage, line: number): string {
  return passage.content.split('\n')[line - passage.startLine] ?? ''
}

/** The first line after a docstring that begins at `line`; `line` itself when none does. */
function docstringEnd(text: (line: number) => string, line: number, to: number): number {
  const mark = /^\s*[ru]*("{3}|'{3})/i.exec(text(line))?.[1]
  if (!mark) return line
  let end = line
  if (text(line).indexOf(mark) === text(line).lastIndexOf(mark)) {
    do end++
    while (end < to && !text(end).includes(mark))
  }
  do end++
  while (end < to && !text(end).trim())
  return end
}

/** The last line of a declaration that may be spread over several. */
function declarationEnd(text: (line: number) => string, from: number, to: number): number {
  for (let line = from; line < Math.min(to, from + 5); line++) if (/[{:]\s*(?:\/\/.*|#.*)?$|=>\s*$/.test(text(line))) return line
  return from
}

/** The first line after a docstring's or decorator's prose when the declaration stands below it. */
function skipDoc(text: (line: number) => string, from: number, to: number): number {
  let line = from
  while (line < to && /^\s*(?:\/\/|\/\*|\*|#(?!\w+!)|"""|''')/.test(text(line))) line++
  return to - line >= 2 ? line : from
}

/** Moves the end of a window up to where a block closes or a statement ends, losing at most four lines. */
function endAt(text: (line: number) => string, from: number, limit: number, to: number): number {
  if (limit >= to) return to
  const base = indentOf(text(from))
  for (let line = limit; line > limit - 6 && line > from + 2; line--) {
    const next = text(line + 1)
    if (text(line).trim() && (!next.trim() || indentOf(next) <= base + 4) && !/[({[,=&|+]\s*$|=>\s*$|:\s*$/.test(text(line)) && indentOf(text(line)) <= base + 4) return line
  }
  return limit
}

/** The lines of a passage that hold most of the question's terms, at most `longest`, set on blank lines or block borders. */
export function bestWindow(reading: Reading, passage: Passage, most = longest): { from: number; to: number; worth: number } {
  const lines = passage.content.split('\n')
  if (lines.length <= most) return { from: passage.startLine, to: passage.endLine, worth: reading.coverage(passage.content) }
  let best = { from: passage.startLine, to: passage.startLine + most - 1, worth: -1 }
  for (let at = 0; at + 1 < lines.length; at++) {
    if (at > 0 && lines[at - 1]!.trim() && indentOf(lines[at]!) > 0) continue
    const end = Math.min(lines.length - 1, at + most - 1)
    const worth = reading.coverage(lines.slice(at, end + 1).join('\n')) - (lines[at]!.trim() ? 0 : 0.05)
    if (worth > best.worth + 1e-9) best = { from: passage.startLine + at, to: passage.startLine + end, worth }
  }
  return best
}

/** A block of code that a document shows. */
export type Block = Run & { language: string }

/** The block of a document's passage that stands next to most of the question's terms: a command, a setting, an example. */
export function blockOf(reading: Reading, passage: Passage): Block | undefined {
  const lines = visible(passage.content).split('\n')
  const worth = ({ from, to }: Run) => reading.coverage(lines.slice(Math.max(0, from - passage.startLine - 4), to - passage.startLine + 1).join('\n'))
  return blocksOf(passage, lines).map((block) => ({ block, worth: worth(block) })).sort((a, b) => b.worth - a.worth || a.block.from - b.block.from)[0]?.block
}

/** Fenced blocks, and the indented ones that follow `::` or a code directive. */
function blocksOf(passage: Passage, lines: string[]): Block[] {
  const found: Block[] = []
  const add = (language: string, from: number, to: number) => {
    while (from <= to && !lines[from]!.trim()) from++
    while (to >= from && !lines[to]!.trim()) to--
    if (from <= to) found.push({ language, from: passage.startLine + from, to: passage.startLine + to })
  }
  for (let at = 0; at < lines.length; at++) {
    const fence = isRst(passage) ? null : /^\s*(`{3,}|~{3,})\s*([\w+-]*)/.exec(lines[at]!)
    if (fence) {
      const end = lines.findIndex((line, place) => place > at && line.trim().startsWith(fence[1]!))
      const close = end < 0 ? lines.length : end
      add(fence[2]!, at + 1, close - 1)
      at = close
      continue
    }
    const directive = isRst(passage) ? (/^(\s*)\.\. (?:code-block|sourcecode|code)::\s*(\S*)/.exec(lines[at]!) ?? /^(\s*)\S.*::()\s*$/.exec(lines[at]!)) : null
    if (!directive || /^\s*\.\. (?!code|sourcecode)/.test(lines[at]!)) continue
    const base = directive[1]!.length
    let end = at
    while (end + 1 < lines.length && (!lines[end + 1]!.trim() || indentOf(lines[end + 1]!) > base)) end++
    const first = lines.slice(at + 1, end + 1).find((line) => line.trim()) ?? ''
    add(directive[2] || (/^\s*\$ /.test(first) ? 'sh' : ''), at + 1, end)
    at = end
  }
  return found
}

/** Lines without the indentation that all of them share; tabs become two spaces. */
function dedent(lines: string[]): string[] {
  const spaced = lines.map((line) => line.replace(/^\t+/, (tabs) => '  '.repeat(tabs.length)).trimEnd())
  const least = Math.min(...spaced.filter((line) => line).map((line) => indentOf(line)))
  return spaced.map((line) => line.slice(least))
}

function indentOf(line: string): number {
  return /^\s*/.exec(line)![0].replace(/\t/g, '  ').length
}

const fenceNames: Record<string, string> = { typescript: 'ts', javascript: 'js', markdown: 'md', shell: 'sh', bash: 'sh', none: '', text: '' }

function fenceName(language: string | null): string {
  return language ? (fenceNames[language] ?? language.replace(/[^\w+-]/g, '')) : ''
}
