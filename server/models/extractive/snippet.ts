import type { Passage } from '../../retrieval/passage.ts'
import { span, visible } from './prose.ts'
import type { Reading } from './reading.ts'

/** Most lines of one snippet. */
export const longest = 10
const widest = 140

/** Lines of a passage as a fenced block under a line that says where they stand and cites them. */
export function toSnippet(passage: Passage, from: number, to: number): string {
  const all = visible(passage.content).split('\n')
  let lines = all.slice(from - passage.startLine, to - passage.startLine + 1)
  while (lines.length > 0 && !lines[0]!.trim()) {
    lines = lines.slice(1)
    from++
  }
  while (lines.length > 0 && !lines.at(-1)!.trim()) {
    lines = lines.slice(0, -1)
    to--
  }
  if (lines.length === 0) return ''
  const body = dedent(lines).map((line) => (line.length > widest ? `${line.slice(0, widest - 1)}…` : line))
  const ticks = body.join('\n').match(/`{3,}/g)?.reduce((most, run) => Math.max(most, run.length), 0) ?? 0
  const fence = '`'.repeat(Math.max(3, ticks + 1))
  const place = from === to ? `line ${from}` : `lines ${from}–${to}`
  return `${span(passage.path)}, ${place} [${passage.n}]:\n${fence}${fenceName(passage.language)}\n${body.join('\n')}\n${fence}`
}

/** Lines of a passage that show a definition: all when they fit, else from its declaration to where a block closes. */
export function windowOf(passage: Passage, startLine: number, endLine: number): { from: number; to: number } {
  const from = Math.max(startLine, passage.startLine)
  const to = Math.min(endLine, passage.endLine)
  if (to - from < longest) return { from, to }
  const lines = passage.content.split('\n')
  const text = (line: number) => lines[line - passage.startLine] ?? ''
  const code = skipDoc(text, from, to)
  return { from: code, to: endAt(text, code, Math.min(to, code + longest - 1), to) }
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
  const base = indent(text(from))
  for (let line = limit; line > limit - 4 && line > from + 2; line--) {
    const next = text(line + 1)
    if (text(line).trim() && (!next.trim() || indent(next) <= base + 4) && !/[({[,=&|+]\s*$|=>\s*$|:\s*$/.test(text(line)) && indent(text(line)) <= base + 4) return line
  }
  return limit
}

/** The lines of a passage that hold most of the question's terms, at most `longest`, set on blank lines or block borders. */
export function bestWindow(reading: Reading, passage: Passage, most = longest): { from: number; to: number; worth: number } {
  const lines = passage.content.split('\n')
  if (lines.length <= most) return { from: passage.startLine, to: passage.endLine, worth: reading.coverage(passage.content) }
  let best = { from: passage.startLine, to: passage.startLine + most - 1, worth: -1 }
  for (let at = 0; at + 1 < lines.length; at++) {
    if (at > 0 && lines[at - 1]!.trim() && indent(lines[at]!) > 0) continue
    const end = Math.min(lines.length - 1, at + most - 1)
    const worth = reading.coverage(lines.slice(at, end + 1).join('\n')) - (lines[at]!.trim() ? 0 : 0.05)
    if (worth > best.worth + 1e-9) best = { from: passage.startLine + at, to: passage.startLine + end, worth }
  }
  return best
}

/** The first fenced or indented block of a document's passage that holds most of the question's terms: a command, a setting. */
export function blockOf(reading: Reading, passage: Passage): { lines: string[]; language: string; from: number; to: number } | undefined {
  const lines = visible(passage.content).split('\n')
  const blocks: { lines: string[]; language: string; from: number; to: number; worth: number }[] = []
  let open: { mark: string; language: string; start: number } | undefined
  for (const [at, line] of lines.entries()) {
    const mark = /^\s*(`{3,}|~{3,})\s*([\w+-]*)/.exec(line)
    if (!mark) continue
    if (!open) open = { mark: mark[1]!, language: mark[2] ?? '', start: at + 1 }
    else if (mark[1]!.startsWith(open.mark)) {
      const inside = lines.slice(open.start, at)
      const nearby = lines.slice(Math.max(0, open.start - 4), at).join('\n')
      if (inside.some((each) => each.trim())) blocks.push({ lines: inside, language: open.language, from: passage.startLine + open.start, to: passage.startLine + at - 1, worth: reading.coverage(nearby) })
      open = undefined
    }
  }
  return blocks.sort((a, b) => b.worth - a.worth || a.from - b.from)[0]
}

/** Lines without the indentation that all of them share; tabs become two spaces. */
function dedent(lines: string[]): string[] {
  const spaced = lines.map((line) => line.replace(/^\t+/, (tabs) => '  '.repeat(tabs.length)).trimEnd())
  const least = Math.min(...spaced.filter((line) => line).map((line) => indent(line)))
  return spaced.map((line) => line.slice(least))
}

function indent(line: string): number {
  return /^\s*/.exec(line)![0].replace(/\t/g, '  ').length
}

const fenceNames: Record<string, string> = { typescript: 'ts', javascript: 'js', python: 'python', markdown: 'md', shell: 'sh', bash: 'sh' }

function fenceName(language: string | null): string {
  return language ? (fenceNames[language] ?? language.replace(/[^\w+-]/g, '')) : ''
}
