import { toAreas } from './areas.ts'
import type { Area } from './areas.ts'
import { describeFile } from './describe-file.ts'
import { describeWhole } from './describe-whole.ts'
import type { FileFacts, Permalink } from './facts.ts'
import { findRisks } from './find-risks.ts'
import { describeLeft, leftOut } from './left-out.ts'
import { limits } from './limits.ts'
import { lineCounts } from './line-counts.ts'
import { code, count, grouped, link } from './markdown.ts'

/** What a language model says of it: Markdown that is safe to show, its links built by us. */
export type Told = { what: string; lookAt: string[] }

export type Summary = {
  headSha: string
  /** In the order of their importance. */
  files: FileFacts[]
  permalink: Permalink
  /** The author's own words of why; shown where no model tells it. */
  reason: string | null
  told: Told | null
  /** What the reader must know of how it was made, one sentence each. */
  notes: string[]
}

export type Composed = { markdown: string; covered: number; total: number }

/** How much is told; a comment that is too long is told in the next. */
type Detail = { areas: number; files: number; symbols: number; risks: number; names: number }
const details: readonly Detail[] = [
  { areas: 8, files: 14, symbols: 4, risks: 6, names: 12 },
  { areas: 6, files: 6, symbols: 2, risks: 4, names: 5 },
  { areas: 4, files: 0, symbols: 0, risks: 2, names: 0 },
]

/** The comment: what and why, what changed where, what to look at, and what was not read. */
export function compose(summary: Summary): Composed {
  const total = summary.files.length
  const covered = summary.files.filter(({ left }) => left === null).length
  const texts = details.map((detail) => () => toMarkdown(summary, detail, covered))
  for (const text of texts) {
    const markdown = text()
    if (markdown.length <= limits.comment) return { markdown, covered, total }
  }
  return { markdown: toCoverage(summary, covered), covered, total }
}

function toMarkdown(summary: Summary, detail: Detail, covered: number): string {
  const { files, told, reason, notes } = summary
  const parts = [
    told?.what ?? describeWhole(files),
    ...(told === null && reason !== null ? [`In the author’s words: “${reason}”`] : []),
    ...toChanges(summary, detail),
    ...toLookAt(summary, detail),
    ...describeLeft(files, detail.names),
    ...notes,
    toCoverage(summary, covered),
  ]
  return parts.join('\n\n')
}

function toChanges({ files, permalink }: Summary, detail: Detail): string[] {
  const areas = toAreas(files)
  const shown = areas.slice(0, detail.areas)
  if (shown.length === 0) return []
  const each = Math.max(Math.min(detail.files, 1), Math.floor(detail.files / shown.length))
  const lines = shown.flatMap((area) => [toAreaLine(area), ...toFileLines(area, each, permalink, detail.symbols)])
  const rest = areas.slice(detail.areas).reduce((sum, area) => sum + area.files.length, 0)
  return [`**Changes**\n${[...lines, ...(rest > 0 ? [`- ${count(rest, 'file')} in ${count(areas.length - shown.length, 'other folder')}`] : [])].join('\n')}`]
}

function toAreaLine({ folder, files }: Area<FileFacts>): string {
  return `- **${folder === '' ? 'Root folder' : code(folder, 80)}**: ${[count(files.length, 'file'), lineCounts(files)].filter(Boolean).join(', ')}`
}

function toFileLines({ folder, files }: Area<FileFacts>, most: number, permalink: Permalink, symbols: number): string[] {
  const moved = files.filter(({ status, hunks, left }) => status === 'renamed' && left === null && hunks.length === 0)
  const told = files.filter((file) => file.left === null && !moved.includes(file))
  const lines = told.slice(0, most).map((file) => describeFile(file, folder, permalink, symbols))
  const rest = told.length - lines.length
  const [first] = moved
  if (first && most > 0) {
    const what = moved.length === 1 ? code(first.path) : count(moved.length, 'file')
    lines.push(`${what} moved from ${code(first.oldPath ?? '', 80)}${moved.length > 1 ? ' and others' : ''}`)
  }
  if (rest > 0 && most > 0) lines.push(`${count(rest, 'more file')}`)
  return lines.map((line) => `  - ${line}`)
}

function toLookAt({ files, permalink, told }: Summary, detail: Detail): string[] {
  const risks = findRisks(files)
  const lines = risks.slice(0, detail.risks).map(({ file, side, line, why }) => {
    const name = code(`${file.path.slice(file.path.lastIndexOf('/') + 1)}${line > 1 ? `:${line}` : ''}`)
    return `- ${link(name, permalink(file, side, line))}: ${why}`
  })
  const rest = risks.length - lines.length
  const all = [...lines, ...(told?.lookAt ?? []).slice(0, 3).map((line) => `- ${line}`), ...(rest > 0 ? [`- and ${count(rest, 'other place')}`] : [])]
  return all.length === 0 ? [] : [`**Look at**\n${all.join('\n')}`]
}

function toCoverage({ headSha, files }: Summary, covered: number): string {
  const left = leftOut(files)
  return `Covered ${grouped(covered)} of ${count(files.length, 'file')} at \`${headSha.slice(0, 7)}\`${left === '' ? '' : `; left out: ${left}`}.`
}
