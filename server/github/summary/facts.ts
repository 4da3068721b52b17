import { permalink } from '../../retrieval/cite.ts'
import type { ChangedSymbol } from './changed-symbols.ts'
import { changedSymbols } from './changed-symbols.ts'
import { limits } from './limits.ts'
import type { ReadChange } from './read-changes.ts'

/** A changed file with what changes in it. */
export type FileFacts = ReadChange & { symbols: ChangedSymbol[] }

export type Side = 'head' | 'base'

/** The address of lines of a changed file; null where that side has no such file. */
export type Permalink = (file: Pick<ReadChange, 'path' | 'oldPath' | 'status'>, side: Side, startLine: number, endLine?: number) => string | null

export async function toFacts(changes: ReadChange[], signal: AbortSignal): Promise<FileFacts[]> {
  const facts: FileFacts[] = []
  let outlined = 0
  for (const change of changes) {
    signal.throwIfAborted()
    const symbols = change.left === null && change.after !== null && outlined++ < limits.outlinedFiles ? await changedSymbols(change) : []
    facts.push({ ...change, symbols })
  }
  return facts
}

/** @param webUrl of the repository that the pull request goes into: it has the commits of forks, too */
export function createPermalink(webUrl: string, headSha: string, mergeBase: string | null): Permalink {
  return ({ path, oldPath, status }, side, startLine, endLine = startLine) => {
    if (side === 'head') return status === 'removed' ? null : permalink(webUrl, headSha, path, startLine, endLine)
    return mergeBase === null || oldPath === null ? null : permalink(webUrl, mergeBase, oldPath, startLine, endLine)
  }
}

/** The first place of a file that changed, on the side that still has it. */
export function firstPlace({ status, hunks }: Pick<ReadChange, 'status' | 'hunks'>): { side: Side; line: number } {
  if (status === 'removed') return { side: 'base', line: 1 }
  const lines = hunks.flatMap((hunk) => hunk.lines)
  const added = lines.find(({ kind }) => kind === '+')?.newLine
  return { side: 'head', line: added ?? Math.max(1, hunks[0]?.newStart ?? 1) }
}
