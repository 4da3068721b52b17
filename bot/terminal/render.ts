import type { AnswerPart, Citation, Freshness, Report, Step } from '#server/answer-part.ts'
import { toAge } from '#server/age.ts'
import { printable } from './printable.ts'
import { toReportLines } from './report-lines.ts'

/** Where a terminal answer goes. `isTTY` decides about colours and about the phase that is shown while waiting. */
export type Out = { write(text: string): unknown; isTTY?: boolean }

const usualWidth = 100

/** 0 answered, 3 «not found in the sources», 1 error. */
export type ExitCode = 0 | 1 | 3

/**
 * Renders an answer into a terminal as it arrives: the text, then its reports, then `path:Lx-Ly @sha7` or the title for each
 * source it cites, then how fresh the sources are. With `json` the answer is one JSON object, in the shape of `POST /v1/ask`.
 *
 * @param options.width letters a line; tables and charts fit into it
 * @param options.errors where phases and errors go, so that the output of `ask > file` is the answer alone.
 */
export async function renderTerminal(parts: AsyncIterable<AnswerPart>, out: Out, options: { json?: boolean; errors?: Out; now?: number; width?: number } = {}): Promise<ExitCode> {
  const errors = options.errors ?? out
  const colour = (code: number, text: string) => (out.isTTY ? `\u001b[${code}m${text}\u001b[0m` : text)
  const citations = new Map<number, Citation>()
  const reports: Report[] = []
  const now = options.now ?? Date.now()
  let markdown = ''
  let phase = false
  const clearPhase = () => {
    if (phase) errors.write('\r\u001b[K')
    phase = false
  }
  const showPhase = (text: string) => {
    clearPhase()
    errors.write(`\u001b[2m${printable(text.replace(/\s+/g, ' '))}…\u001b[0m`)
    phase = true
  }
  /** A step that runs is the phase; one that has ended stays as a line. */
  const showStep = ({ title, state }: Step) => {
    if (state === 'running') showPhase(title)
    if (state !== 'done' && state !== 'failed') return
    clearPhase()
    errors.write(`\u001b[2m${state === 'done' ? '✓' : '✗'} ${printable(title.replace(/\s+/g, ' '))}\u001b[0m\n`)
  }
  for await (const part of parts) {
    const showsProgress = errors.isTTY && !options.json && markdown === ''
    if (part.kind === 'citation') citations.set(part.citation.n, part.citation)
    else if (part.kind === 'report') reports.push(part.report)
    else if (part.kind === 'status') {
      if (showsProgress) showPhase(part.text)
    } else if (part.kind === 'step') {
      if (showsProgress) showStep(part.step)
    } else if (part.kind === 'text') {
      clearPhase()
      markdown += part.markdown
      if (!options.json) out.write(printable(part.markdown))
    } else if (part.kind === 'error') {
      clearPhase()
      const { kind: _, ...error } = part
      if (options.json) out.write(`${JSON.stringify({ error })}\n`)
      else errors.write(`${markdown === '' || markdown.endsWith('\n') ? '' : '\n'}${markdown === '' ? '' : '[Interrupted before completion]\n'}${colour(31, 'error:')} ${printable(part.message)} (ref ${part.ref})\n`)
      return 1
    } else {
      clearPhase()
      const { kind: _, ...done } = part
      if (options.json) out.write(`${JSON.stringify({ answer: markdown, ...done, citations: [...citations.values()], reports })}\n`)
      else out.write(`${markdown.endsWith('\n') ? '' : '\n'}${toReports(reports, options.width ?? usualWidth, colour)}${toSources(toCited(markdown, reports), citations, now, colour)}${toFooter(part.freshness, now, colour)}${part.notice ? `${colour(2, printable(part.notice))}\n` : ''}`)
      return part.abstained ? 3 : 0
    }
  }
  errors.write(`${colour(31, 'error:')} the answer stopped half-way; ask again\n`)
  return 1
}

type Colour = (code: number, text: string) => string

function toReports(reports: Report[], width: number, colour: Colour): string {
  return reports.map((report) => `\n${toReportLines(report, width).map((line, at) => `${at === 0 ? colour(1, line) : line}\n`).join('')}`).join('')
}

/** Numbers that the text or a figure cites. */
function toCited(markdown: string, reports: Report[]): ReadonlySet<number> {
  const inText = [...markdown.matchAll(/\[(\d+)\]/g)].map(([, digits]) => Number(digits))
  return new Set([...inText, ...reports.flatMap(({ figures }) => figures.flatMap(({ n }) => n ?? []))])
}

function toSources(cited: ReadonlySet<number>, citations: ReadonlyMap<number, Citation>, now: number, colour: Colour): string {
  const lines = [...citations.values()]
    .filter(({ n }) => cited.has(n))
    .sort((a, b) => a.n - b.n)
    .map((citation) => `${colour(36, `[${citation.n}]`)} ${toSource(citation, now, colour)}\n`)
  return lines.length > 0 ? `\n${lines.join('')}` : ''
}

function toSource({ title, path, startLine, endLine, sha, url, changedAt }: Citation, now: number, colour: Colour): string {
  if (!title) return `${printable(path)}:L${startLine}-L${endLine} ${colour(2, `@${sha.slice(0, 7)}`)}`
  const changed = changedAt ? ` · changed ${toAge(now - Date.parse(changedAt))}` : ''
  return `${printable(title.replace(/\s+/g, ' '))}${changed}${url ? ` ${colour(2, printable(url))}` : ''}`
}

/** A commit is told where there is a branch that it is of. */
function toFooter(freshness: Freshness[], now: number, colour: Colour): string {
  const states = freshness.map(({ repository, sha, branch, indexedAt }) => `${printable(repository)}${branch === null ? '' : `@${sha.slice(0, 7)} (${printable(branch)})`} · indexed ${toAge(now - Date.parse(indexedAt))}`)
  return states.length > 0 ? `\n${states.map((state) => `${colour(2, state)}\n`).join('')}` : ''
}
