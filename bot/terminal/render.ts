import type { AnswerPart, Citation, Freshness } from '#server/answer-part.ts'
import { toAge } from '#server/age.ts'

/** Where a terminal answer goes. `isTTY` decides about colours and about the phase that is shown while waiting. */
export type Out = { write(text: string): unknown; isTTY?: boolean }

/** 0 answered, 3 «not found in the sources», 1 error. */
export type ExitCode = 0 | 1 | 3

/**
 * Renders an answer into a terminal as it arrives: the text, then `path:Lx-Ly @sha7` for each source it cites, then how
 * fresh the sources are. With `json` the answer is one JSON object, in the shape of `POST /v1/ask`.
 *
 * @param errors where phases and errors go, so that the output of `ask > file` is the answer alone.
 */
export async function renderTerminal(parts: AsyncIterable<AnswerPart>, out: Out, options: { json?: boolean; errors?: Out; now?: number } = {}): Promise<ExitCode> {
  const errors = options.errors ?? out
  const colour = (code: number, text: string) => (out.isTTY ? `\u001b[${code}m${text}\u001b[0m` : text)
  const citations = new Map<number, Citation>()
  let markdown = ''
  let phase = false
  const clearPhase = () => {
    if (phase) errors.write('\r\u001b[K')
    phase = false
  }
  for await (const part of parts) {
    if (part.kind === 'report' || part.kind === 'step') continue
    if (part.kind === 'citation') citations.set(part.citation.n, part.citation)
    else if (part.kind === 'status') {
      if (!errors.isTTY || options.json || markdown !== '') continue
      clearPhase()
      errors.write(`\u001b[2m${printable(part.text)}…\u001b[0m`)
      phase = true
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
      if (options.json) out.write(`${JSON.stringify({ answer: markdown, ...done, citations: [...citations.values()] })}\n`)
      else out.write(`${markdown.endsWith('\n') ? '' : '\n'}${toSources(markdown, citations, colour)}${toFooter(part.freshness, options.now ?? Date.now(), colour)}${part.notice ? `${colour(2, printable(part.notice))}\n` : ''}`)
      return part.abstained ? 3 : 0
    }
  }
  errors.write(`${colour(31, 'error:')} the answer stopped half-way; ask again\n`)
  return 1
}

function toSources(markdown: string, citations: ReadonlyMap<number, Citation>, colour: (code: number, text: string) => string): string {
  const cited = [...citations.values()].filter(({ n }) => markdown.includes(`[${n}]`)).sort((a, b) => a.n - b.n)
  const lines = cited.map(({ n, path, startLine, endLine, sha }) => `${colour(36, `[${n}]`)} ${printable(path)}:L${startLine}-L${endLine} ${colour(2, `@${sha.slice(0, 7)}`)}\n`)
  return lines.length > 0 ? `\n${lines.join('')}` : ''
}

function toFooter(freshness: Freshness[], now: number, colour: (code: number, text: string) => string): string {
  const states = freshness.map(({ repository, sha, branch, indexedAt }) => `${printable(repository)}@${sha.slice(0, 7)}${branch ? ` (${printable(branch)})` : ''} · indexed ${toAge(now - Date.parse(indexedAt))}`)
  return states.length > 0 ? `\n${states.map((state) => `${colour(2, state)}\n`).join('')}` : ''
}

/** Source text may hold escape sequences; a terminal must not obey them. */
function printable(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
}
