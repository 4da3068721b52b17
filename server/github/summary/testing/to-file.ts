import { fileRole } from '../../../retrieval/file-role.ts'
import { changedSymbols } from '../changed-symbols.ts'
import type { FileFacts } from '../facts.ts'
import { countLines, diffTexts } from '../hunks.ts'
import type { ReadChange } from '../read-changes.ts'

/** A file that was changed from one content to another; null where that side has none. */
export async function toFile(path: string, before: string | null, after: string | null, more: Partial<ReadChange> = {}): Promise<FileFacts> {
  const hunks = diffTexts(before ?? '', after ?? '')!
  const status = before === null ? 'added' : after === null ? 'removed' : 'modified'
  const change: ReadChange = {
    path, oldPath: before === null ? null : path, status, ...countLines(hunks), patch: null, mode: null, size: null, role: fileRole(path), left: null, hunks, secrets: [], before: before ?? '', after: after ?? '', ...more,
  }
  return { ...change, symbols: await changedSymbols(change) }
}
