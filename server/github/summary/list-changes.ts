import type { Octokit } from 'octokit'
import { NuraError } from '#db/nura-error.ts'
import type { Source, TreeEntry } from '../../sources/source.ts'
import { limits } from './limits.ts'
import type { Pull, PullPlace } from './pull.ts'

/** A file that a pull request changes, by its whole difference from the merge base. */
export type Change = {
  /** At the head; of a removed file, at the merge base. */
  path: string
  /** At the merge base; another one after a rename, null for a new file. */
  oldPath: string | null
  status: 'added' | 'removed' | 'modified' | 'renamed'
  /** As GitHub counts them; null where it does not. */
  additions: number | null
  deletions: number | null
  /** Unified diff without file headers, null where GitHub gives none. */
  patch: string | null
  /** Of the side that is there, where a tree told them. */
  mode: string | null
  size: number | null
}

export type ChangeList = {
  changes: Change[]
  /** Commit that both sides have; what is removed has its lines there. Null when GitHub finds none. */
  mergeBase: string | null
  /** First lines of the commits' messages, oldest first. */
  subjects: string[]
}

/** Of a listing that fails again and again at the last attempt, too, it is told that GitHub cannot make it. */
type Attempt = { signal: AbortSignal; lastAttempt: boolean }

/**
 * Lists what a pull request changes, from its merge base to its head, never between two pushes. The listing is GitHub's own
 * where it is whole; beyond its 3,000 files, or where it fails or disagrees with the count, both trees are compared.
 */
export async function listChanges(github: Octokit, source: Pick<Source, 'tree'>, at: PullPlace, pull: Pull, { signal, lastAttempt }: Attempt): Promise<ChangeList> {
  const { mergeBase, subjects } = await compare(github, at, pull, signal)
  const listed = await listFiles(github, at, pull, { signal, lastAttempt })
  if (listed.length === pull.changedFiles || mergeBase === null) return { changes: listed, mergeBase, subjects }
  const [before, after] = [await source.tree(mergeBase, signal), await source.tree(pull.headSha, signal)]
  return { changes: withPatches(toChanges(before, after), listed), mergeBase, subjects }
}

async function compare(github: Octokit, { owner, repo }: PullPlace, pull: Pull, signal: AbortSignal): Promise<{ mergeBase: string | null; subjects: string[] }> {
  try {
    const { data } = await github.request('GET /repos/{owner}/{repo}/compare/{basehead}', {
      owner, repo, basehead: `${pull.baseSha}...${pull.headSha}`, per_page: limits.commits, request: { signal },
    })
    return { mergeBase: data.merge_base_commit.sha, subjects: data.commits.map(({ commit }) => commit.message.split('\n', 1)[0]!) }
  } catch (error) {
    // Histories without a common commit.
    if (error instanceof NuraError && error.code === 'github-not-found') return { mergeBase: null, subjects: [] }
    throw error
  }
}

/** @returns what GitHub lists; nothing where it says that the difference is too large for it. */
async function listFiles(github: Octokit, { owner, repo, number }: PullPlace, pull: Pull, { signal, lastAttempt }: Attempt): Promise<Change[]> {
  const files: Change[] = []
  const total = Math.min(pull.changedFiles, limits.listedFiles)
  try {
    for (let page = 1; files.length < total; page++) {
      const { data } = await github.request('GET /repos/{owner}/{repo}/pulls/{pull_number}/files', { owner, repo, pull_number: number, per_page: 100, page, request: { signal } })
      files.push(...data.map(toChange))
      if (data.length < 100) break
    }
  } catch (error) {
    const isTooLarge = error instanceof NuraError && (error.code === 'github-refused' || (error.code === 'github-unavailable' && lastAttempt))
    if (signal.aborted || !isTooLarge) throw error
  }
  return files
}

type ListedFile = { filename: string; previous_filename?: string; status: string; additions: number; deletions: number; patch?: string }

function toChange({ filename, previous_filename, status, additions, deletions, patch }: ListedFile): Change {
  const known = status === 'added' || status === 'copied' ? 'added' : status === 'removed' ? 'removed' : status === 'renamed' ? 'renamed' : 'modified'
  return {
    path: filename,
    oldPath: known === 'added' ? null : (previous_filename ?? filename),
    status: known,
    additions,
    deletions,
    patch: patch ?? null,
    mode: null,
    size: null,
  }
}

/** What differs between two trees; a file that only moved is one change. */
function toChanges(before: TreeEntry[], after: TreeEntry[]): Change[] {
  const old = new Map(before.map((entry) => [entry.path, entry]))
  const now = new Map(after.map((entry) => [entry.path, entry]))
  const removed = before.filter(({ path }) => !now.has(path))
  const moved = new Map(removed.map((entry) => [entry.blobSha, entry]))
  const gone = new Set(removed.map(({ path }) => path))
  const changes: Change[] = []
  for (const entry of after) {
    const same = old.get(entry.path)
    if (same?.blobSha === entry.blobSha && same.mode === entry.mode) continue
    const from = same ?? moved.get(entry.blobSha)
    if (!same && from) {
      moved.delete(entry.blobSha)
      gone.delete(from.path)
    }
    changes.push(fromEntry(entry, from?.path ?? null, same ? 'modified' : from ? 'renamed' : 'added', from?.blobSha === entry.blobSha))
  }
  for (const entry of removed) if (gone.has(entry.path)) changes.push(fromEntry(entry, entry.path, 'removed', false))
  return changes.toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

function fromEntry({ path, mode, size }: TreeEntry, oldPath: string | null, status: Change['status'], same: boolean): Change {
  return { path, oldPath, status, additions: same ? 0 : null, deletions: same ? 0 : null, patch: null, mode, size }
}

/** The trees know every file, the listing knows the text of some. */
function withPatches(changes: Change[], listed: Change[]): Change[] {
  const known = new Map(listed.map((change) => [`${change.status} ${change.path}`, change]))
  return changes.map((change) => {
    const other = known.get(`${change.status} ${change.path}`)
    return other ? { ...change, oldPath: other.oldPath, additions: other.additions, deletions: other.deletions, patch: other.patch } : change
  })
}
