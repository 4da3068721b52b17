import type { GitStore } from './git-store.ts'

/** One file of a comparison. `patch` is absent where GitHub shows none. */
export type FileChanges = {
  sha: string
  filename: string
  status: 'added' | 'removed' | 'modified' | 'renamed' | 'changed'
  additions: number
  deletions: number
  changes: number
  previous_filename?: string
  patch?: string
}

const statuses: Record<string, FileChanges['status']> = { A: 'added', D: 'removed', M: 'modified', R: 'renamed', T: 'changed' }
/** GitHub shows no patch of a larger file, nor of what comes after this much in one comparison. */
const most = { lines: 20_000, fileBytes: 500_000, bytes: 1_000_000 }
const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904'

/** What changed from `base` (null: from nothing) to `head`. */
export async function readChanges(
  store: GitStore,
  base: string | null,
  head: string,
  collapsed: ReadonlySet<string> = new Set(),
): Promise<FileChanges[]> {
  const changes = await store.remember(`changes ${base} ${head}`, () => compare(store, [base ?? emptyTree, head]))
  return changes.map(({ patch, ...file }) =>
    collapsed.has(file.filename)
      ? { ...file, additions: 0, deletions: 0, changes: 0 }
      : { ...file, ...(patch === undefined ? {} : { patch }) },
  )
}

async function compare(store: GitStore, range: string[]): Promise<FileChanges[]> {
  const raw = (await store.bytes('diff', '-M', '--raw', '-z', '--no-abbrev', ...range)).toString('utf8')
  if (raw === '') return []
  const counts = readCounts((await store.bytes('diff', '-M', '--numstat', '-z', ...range)).toString('utf8'))
  const patches = await readPatches(store, range)
  const parts = raw.split('\0')
  const changes: FileChanges[] = []
  let bytes = 0
  let next = 0
  for (let at = 0; at < parts.length - 1;) {
    const [, , before, after, letter = 'M'] = parts[at]!.split(' ')
    const isRename = letter.startsWith('R')
    const filename = parts[at + (isRename ? 2 : 1)]!
    const patch = patches[next]
    // git shows a change of type as a removal and an addition.
    next += letter === 'T' ? 2 : 1
    const shown = patch !== undefined && isShown(patch) && (bytes += patch.length) <= most.bytes
    const { additions, deletions } = counts.get(filename) ?? { additions: 0, deletions: 0 }
    changes.push({
      sha: letter === 'D' ? before! : after!,
      filename,
      status: statuses[letter[0]!] ?? 'modified',
      additions,
      deletions,
      changes: additions + deletions,
      ...(isRename ? { previous_filename: parts[at + 1]! } : {}),
      ...(shown ? { patch } : {}),
    })
    at += isRename ? 3 : 2
  }
  return changes
}

function isShown(patch: string): boolean {
  return patch.length <= most.fileBytes && patch.split('\n').length <= most.lines
}

function readCounts(text: string): Map<string, { additions: number; deletions: number }> {
  const counts = new Map<string, { additions: number; deletions: number }>()
  const parts = text.split('\0')
  for (let at = 0; at < parts.length - 1;) {
    const [additions, deletions, path] = parts[at]!.split('\t')
    // A rename names no path here but both in the next two parts.
    const filename = path === '' ? parts[at + 2]! : path!
    counts.set(filename, { additions: Number(additions) || 0, deletions: Number(deletions) || 0 })
    at += path === '' ? 3 : 1
  }
  return counts
}

/** The hunks of each file, in the order of the raw list; undefined where there are none (binary, mode or name only). */
async function readPatches(store: GitStore, range: string[]): Promise<(string | undefined)[]> {
  const text = (await store.bytes('diff', '-M', '--patch', '--no-color', ...range)).toString('utf8')
  // Not the flag m: a file's own carriage returns are no line ends here.
  return text.split(/(?<=^|\n)(?=diff --git )/).map((part) => {
    const at = part.indexOf('\n@@ ')
    return at < 0 ? undefined : part.slice(at + 1).replace(/\n$/, '')
  })
}
