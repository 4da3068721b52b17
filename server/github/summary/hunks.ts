import { structuredPatch } from 'diff'
import { redact } from '../../indexing/redact.ts'
import { limits } from './limits.ts'

/** One line of a diff. Line numbers are 1-based; null on the side that does not have it. */
export type HunkLine = { kind: ' ' | '+' | '-'; text: string; oldLine: number | null; newLine: number | null }

/** A stretch of a file that differs, with some lines around it. Starts are 1-based, as in `@@ -a,b +c,d @@`. */
export type Hunk = { oldStart: number; oldCount: number; newStart: number; newCount: number; lines: HunkLine[] }

const header = /^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@/

/** Reads the hunks of a unified diff without file headers, as GitHub gives it. What is no diff is left out. */
export function parseHunks(patch: string): Hunk[] {
  const hunks: Hunk[] = []
  let hunk: Hunk | null = null
  let [oldLine, newLine] = [0, 0]
  for (const raw of patch.split('\n')) {
    const found = header.exec(raw)
    if (found) {
      const [, oldStart, oldCount = '1', newStart, newCount = '1'] = found
      hunk = { oldStart: Number(oldStart), oldCount: Number(oldCount), newStart: Number(newStart), newCount: Number(newCount), lines: [] }
      hunks.push(hunk)
      ;[oldLine, newLine] = [hunk.oldStart, hunk.newStart]
      continue
    }
    const kind = raw[0]
    if (!hunk || (kind !== ' ' && kind !== '+' && kind !== '-')) continue
    hunk.lines.push({ kind, text: raw.slice(1), oldLine: kind === '+' ? null : oldLine++, newLine: kind === '-' ? null : newLine++ })
  }
  return hunks
}

/** The hunks between two contents; null when they differ in more than is worth comparing. */
export function diffTexts(before: string, after: string): Hunk[] | null {
  const patch = structuredPatch('', '', before, after, '', '', { context: 3, maxEditLength: limits.edits })
  if (!patch) return null
  // A side without lines is named by the line before it.
  const range = (start: number, count: number) => `${count === 0 ? start - 1 : start},${count}`
  return patch.hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => parseHunks(`@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@\n${lines.join('\n')}`))
}

/** A whole text as one hunk that adds or removes it. */
export function wholeText(text: string, kind: '+' | '-'): Hunk[] {
  const lines = toLines(text)
  if (lines.length === 0) return []
  const side = { added: kind === '+', count: lines.length }
  return [
    {
      oldStart: side.added ? 0 : 1, oldCount: side.added ? 0 : side.count, newStart: side.added ? 1 : 0, newCount: side.added ? side.count : 0,
      lines: lines.map((line, at) => ({ kind, text: line, oldLine: side.added ? null : at + 1, newLine: side.added ? at + 1 : null })),
    },
  ]
}

export function countLines(hunks: Hunk[]): { additions: number; deletions: number } {
  const count = (kind: string) => hunks.reduce((sum, { lines }) => sum + lines.filter((line) => line.kind === kind).length, 0)
  return { additions: count('+'), deletions: count('-') }
}

/** The content before the change, from the content after it, its last line ended; null when the hunks are not of that content. */
export function toOldText(after: string, hunks: Hunk[]): string | null {
  const lines = toLines(after)
  const before: string[] = []
  let at = 0
  for (const hunk of hunks.toSorted((a, b) => a.newStart - b.newStart)) {
    // A hunk that adds nothing stands after the line it names.
    const start = hunk.newCount === 0 ? hunk.newStart : hunk.newStart - 1
    if (start < at || start > lines.length) return null
    before.push(...lines.slice(at, start))
    at = start
    for (const line of hunk.lines) {
      if (line.kind !== '+') before.push(line.text)
      if (line.kind === '-') continue
      if (lines[at] !== line.text) return null
      at++
    }
  }
  const whole = [...before, ...lines.slice(at)]
  return whole.map((line) => `${line}\n`).join('')
}

/** The last line may end or not. */
function toLines(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

export type RedactedHunks = { hunks: Hunk[]; /** Secrets on added lines, by the line that begins them. */ secrets: { kind: string; line: number }[] }

/** Takes secrets out of hunks. Each side is looked at as the text it is, so that a key over many lines is one. */
export async function redactHunks(hunks: Hunk[]): Promise<RedactedHunks> {
  const secrets: RedactedHunks['secrets'] = []
  const redacted: Hunk[] = []
  for (const hunk of hunks) {
    const texts = new Map<HunkLine, string>()
    for (const kind of ['-', '+'] as const) await redactSide(hunk, kind, texts)
    const lines = hunk.lines.map((line) => ({ ...line, text: texts.get(line) ?? line.text }))
    redacted.push({ ...hunk, lines })
    for (const [at, { kind, text, newLine }] of lines.entries()) {
      if (kind !== '+' || newLine === null || text === hunk.lines[at]!.text) continue
      for (const [, found] of text.matchAll(/\[redacted:([^\]]+)\]/g)) secrets.push({ kind: found!, line: newLine })
    }
  }
  return { hunks: redacted, secrets }
}

/** Writes the lines of one side that hold a secret to `texts`, without it. */
async function redactSide({ lines }: Hunk, kind: '+' | '-', texts: Map<HunkLine, string>): Promise<void> {
  const own = lines.filter((line) => line.kind === kind || line.kind === ' ')
  const { text, found } = await redact(own.map((line) => line.text).join('\n'))
  if (found.length === 0) return
  for (const [at, clean] of text.split('\n').entries()) if (clean !== own[at]!.text) texts.set(own[at]!, clean)
}
