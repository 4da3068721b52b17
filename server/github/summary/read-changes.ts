import type { Octokit } from 'octokit'
import { languageOf } from '../../indexing/languages/index.ts'
import { redact } from '../../indexing/redact.ts'
import { fileRole } from '../../retrieval/file-role.ts'
import type { FileRole } from '../../retrieval/file-role.ts'
import { skipByEntry } from '../../sources/skip.ts'
import type { SkipReason } from '../../sources/skip.ts'
import { countLines, diffTexts, parseHunks, redactHunks, toOldText, wholeText } from './hunks.ts'
import type { Hunk } from './hunks.ts'
import { limits } from './limits.ts'
import type { Change, ChangeList } from './list-changes.ts'
import type { Pull, PullPlace } from './pull.ts'
import { readContent } from './read-content.ts'

/** Why the text of a changed file was not read: the index's reasons, and those that only a pull request has. */
export type LeftReason = SkipReason | 'left-out' | 'no-diff' | 'rewritten' | 'beyond-limit'

/** A changed file as far as it was read; nothing in it holds a secret that we know. */
export type ReadChange = Change & {
  role: FileRole
  /** Null: its whole difference was read. */
  left: LeftReason | null
  /** Empty for a file that only moved, and for one that was left. */
  hunks: Hunk[]
  secrets: { kind: string; line: number }[]
  /** Contents of both sides where they are at hand. */
  before: string | null
  after: string | null
}

type Texts = { before: string | null; after: string | null }
type Reading = { change: Change; left: LeftReason | null; hunks: Hunk[] | null; texts: Texts }

/** Roles in the order in which a bounded run reads them. */
const order: FileRole[] = ['source', 'config', 'data', 'test', 'docs', 'example', 'history', 'generated']

/** What is read first where not everything can be: by role, then what changes most. */
export function byImportance(a: Change, b: Change): number {
  const rank = (change: Change) => order.indexOf(fileRole(change.path))
  const size = (change: Change) => (change.additions ?? 0) + (change.deletions ?? 0)
  return rank(a) - rank(b) || size(b) - size(a) || (a.path < b.path ? -1 : 1)
}

/** What the default branch says of paths; the pull request's own settings and attributes count for nothing. */
export type PathRules = { isWanted(path: string): boolean; marksOf(path: string): { generated: boolean; vendored: boolean } }

export async function readChanges(github: Octokit, at: PullPlace, pull: Pull, list: ChangeList, rules: PathRules, signal: AbortSignal): Promise<ReadChange[]> {
  const readings = list.changes.toSorted(byImportance).map((change) => startReading(change, rules))
  boundPatches(readings)
  await compareWhereMissing(github, at, pull, list.mergeBase, readings, signal)
  await readContents(github, at, pull, readings, signal)
  return Promise.all(readings.map(finishReading))
}

function startReading(change: Change, { isWanted, marksOf }: PathRules): Reading {
  const { path, mode, size, patch } = change
  const skip = skipByEntry({ path, mode: mode ?? '100644', size: mode === null ? 0 : size, blobSha: '', ...marksOf(path) })
  const left = skip ?? (isWanted(path) ? null : 'left-out')
  return { change, left, hunks: left === null ? toHunks(change, patch) : null, texts: { before: null, after: null } }
}

/** Null where the diff is missing or is not the whole of what GitHub counted. */
function toHunks(change: Change, patch: string | null): Hunk[] | null {
  const { additions, deletions, status } = change
  if (patch === null) return additions === 0 && deletions === 0 && status === 'renamed' ? [] : null
  if (patch.length > limits.patch) return null
  const hunks = parseHunks(patch)
  const counted = countLines(hunks)
  return counted.additions === (additions ?? counted.additions) && counted.deletions === (deletions ?? counted.deletions) ? hunks : null
}

function boundPatches(readings: Reading[]): void {
  let total = 0
  for (const reading of readings) {
    if (reading.hunks === null) continue
    total += reading.change.patch?.length ?? 0
    if (total > limits.patches) Object.assign(reading, { hunks: null, left: 'beyond-limit' })
  }
}

/** Makes the diffs that GitHub does not give, of the contents of both sides. */
async function compareWhereMissing(github: Octokit, at: PullPlace, pull: Pull, mergeBase: string | null, readings: Reading[], signal: AbortSignal): Promise<void> {
  const missing = readings.filter(({ hunks, left }) => hunks === null && left === null)
  for (const reading of missing.slice(limits.comparedFiles)) reading.left = (reading.change.patch?.length ?? 0) > limits.patch ? 'too-large' : 'no-diff'
  for (const reading of missing.slice(0, limits.comparedFiles)) {
    const { change } = reading
    const before = change.oldPath === null ? none : mergeBase === null ? unknown : await readContent(github, at, change.oldPath, mergeBase, signal)
    const after = change.status === 'removed' ? none : before.skip === null ? await readContent(github, at, change.path, pull.headSha, signal) : unknown
    if (before.text === null || after.text === null) {
      reading.left = before.skip ?? after.skip ?? 'no-diff'
      continue
    }
    const tooLong = Math.max(before.text.length, after.text.length) > limits.compared
    reading.hunks = tooLong ? null : change.oldPath === null ? wholeText(after.text, '+') : change.status === 'removed' ? wholeText(before.text, '-') : diffTexts(before.text, after.text)
    reading.texts = { before: before.text, after: after.text }
    if (reading.hunks === null) reading.left = tooLong ? 'too-large' : 'rewritten'
  }
}

const none = { text: '', skip: null }
const unknown = { text: null, skip: null }

/** Reads the heads of some changed source files: what their diffs touch is told by the symbols around it. */
async function readContents(github: Octokit, at: PullPlace, pull: Pull, readings: Reading[], signal: AbortSignal): Promise<void> {
  let left: number = limits.readFiles
  for (const { change, hunks, texts } of readings) {
    if (hunks === null || hunks.length === 0 || texts.after !== null || !hasSymbols(change.path)) continue
    const only = hunks.length === 1 ? hunks[0]! : null
    if (change.status === 'added' && only) Object.assign(texts, { before: '', after: sideOf(only, '+') })
    else if (change.status === 'removed' && only) Object.assign(texts, { before: sideOf(only, '-'), after: '' })
    else if (left-- > 0) {
      const { text } = await readContent(github, at, change.path, pull.headSha, signal)
      if (text === null || text.length > limits.outlined) continue
      Object.assign(texts, { before: toOldText(text, hunks), after: text })
    }
  }
}

function hasSymbols(path: string): boolean {
  const language = languageOf(path)
  return language?.query !== undefined || language?.id === 'markdown'
}

function sideOf({ lines }: Hunk, kind: '+' | '-'): string {
  return `${lines.filter((line) => line.kind === kind).map((line) => line.text).join('\n')}\n`
}

async function finishReading({ change, left, hunks, texts }: Reading): Promise<ReadChange> {
  const role = fileRole(change.path)
  if (hunks === null) return { ...change, patch: null, role, left: left ?? 'no-diff', hunks: [], secrets: [], before: null, after: null }
  const [clean, before, after] = await Promise.all([redactHunks(hunks), redactText(texts.before), redactText(texts.after)])
  const { additions, deletions } = countLines(hunks)
  return { ...change, additions, deletions, patch: null, role, left: null, hunks: withContents(clean.hunks, before, after), secrets: clean.secrets, before, after }
}

async function redactText(text: string | null): Promise<string | null> {
  return text === null ? null : (await redact(text)).text
}

/** A hunk may show the middle of a key alone; the whole content tells that it is one. Redaction keeps lines where they are. */
function withContents(hunks: Hunk[], before: string | null, after: string | null): Hunk[] {
  const old = before?.split('\n')
  const now = after?.split('\n')
  if (!old && !now) return hunks
  return hunks.map((hunk) => ({
    ...hunk,
    lines: hunk.lines.map((line) => {
      const known = line.newLine === null ? old?.[(line.oldLine ?? 0) - 1] : now?.[line.newLine - 1]
      // What was taken out of the hunk stays out.
      return known === undefined || line.text === '' || line.text.includes('[redacted:') ? line : { ...line, text: known }
    }),
  }))
}
