import type { FileFacts } from './facts.ts'
import type { Hunk } from './hunks.ts'
import { limits, toTokens } from './limits.ts'
import type { HunkPassage } from './prompt.ts'

export type ChosenHunks = {
  /** Of one request each. */
  groups: HunkPassage[][]
  /** Paths of files whose whole difference is in them. */
  read: Set<string>
}

/** Most that a citation may number. */
const mostHunks = 2_000
/** Tokens of a request beside its hunks: our own words and the author's. */
const overhead = 2_500

/**
 * Chooses what a model reads of a pull request: the most important files that fit into the run's tokens, those of one folder
 * together.
 * @param callTokens most that one request of these models may hold
 */
export function chooseHunks(files: FileFacts[], at: { repository: string; repositoryId: string; headSha: string; mergeBase: string | null }, callTokens: number): ChosenHunks {
  const perCall = Math.max(1_000, Math.min(limits.tokensPerCall, callTokens) - overhead)
  const read = new Set<string>()
  const chosen: { file: FileFacts; hunks: { hunk: Hunk; text: string }[] }[] = []
  let tokens = 0
  let number = 0
  for (const file of files) {
    if (file.left !== null) continue
    const texts = file.hunks.map((hunk) => ({ hunk, text: toHunkText(hunk) }))
    const fitting = takeWhileFits(texts, Math.min(limits.patchForModel, perCall * limits.charactersPerToken))
    const cost = toTokens(fitting.reduce((sum, { text }) => sum + text.length + file.path.length + 12, 0))
    if (tokens + cost > limits.tokensPerRun - limits.tokensToReduce - overheadOf(tokens + cost, perCall) || number + fitting.length > mostHunks) continue
    tokens += cost
    number += fitting.length
    if (fitting.length === texts.length) read.add(file.path)
    if (fitting.length > 0) chosen.push({ file, hunks: fitting })
  }

  const groups: HunkPassage[][] = [[]]
  let [n, held] = [0, 0]
  for (const { file, hunks } of chosen.toSorted((a, b) => (a.file.path < b.file.path ? -1 : 1))) {
    for (const { hunk, text } of hunks) {
      const cost = toTokens(text.length + file.path.length + 12)
      if (held > 0 && held + cost > perCall) {
        groups.push([])
        held = 0
      }
      held += cost
      groups.at(-1)!.push(toPassage(++n, file, hunk, text, at))
    }
  }
  return { groups: groups.filter((group) => group.length > 0), read }
}

/** Every request carries its own overhead. */
function overheadOf(tokens: number, perCall: number): number {
  return Math.ceil(tokens / (perCall * 0.8)) * overhead
}

function takeWhileFits(texts: { hunk: Hunk; text: string }[], most: number): { hunk: Hunk; text: string }[] {
  const fitting: { hunk: Hunk; text: string }[] = []
  let length = 0
  for (const each of texts) {
    length += each.text.length
    if (length > most) break
    fitting.push(each)
  }
  return fitting
}

function toHunkText({ oldStart, oldCount, newStart, newCount, lines }: Hunk): string {
  return `@@ -${oldStart},${oldCount} +${newStart},${newCount} @@\n${lines.map(({ kind, text }) => `${kind}${text}`).join('\n')}`
}

function toPassage(n: number, file: FileFacts, hunk: Hunk, text: string, { repository, repositoryId, headSha, mergeBase }: Parameters<typeof chooseHunks>[1]): HunkPassage {
  const isRemoved = file.status === 'removed'
  const [start, count] = isRemoved ? [hunk.oldStart, hunk.oldCount] : [hunk.newStart, hunk.newCount]
  const startLine = Math.max(1, start)
  return {
    n, chunkId: `hunk-${n}`, repositoryId, repository, path: file.path, startLine, endLine: Math.max(startLine, start + count - 1), sha: isRemoved ? (mergeBase ?? headSha) : headSha,
    content: hunk.lines.map((line) => line.text).join('\n'), contentType: file.role === 'docs' ? 'documentation' : 'code', language: null, scope: [], score: 1 / n, legs: {}, text,
  }
}
