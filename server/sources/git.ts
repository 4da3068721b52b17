import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { NuraError } from '#db/nura-error.ts'
import { fromGitRemote } from './git-remote.ts'
import { GitFailure, runGit, streamGit } from './git-process.ts'
import { compareTrees, listTree } from './git-tree.ts'
import type { Committer, Head, Source } from './source.ts'

/** Commits that are looked through for who knows a file. */
const mostCommits = 100
const botName = /\[bot\]$|^(dependabot|renovate|greenkeeper|github-actions)\b/i

/** A local checkout, read through its committed tree: what is not committed does not exist. */
export function createGitSource(dir: string): Source {
  const at = resolve(dir)

  return {
    kind: 'git',

    async head(signal): Promise<Head> {
      await assertFolder(at)
      const git = (...args: string[]) => readLines(at, args, signal)
      const [gitDir = '', sha = '', ref = ''] = await git('rev-parse', '--absolute-git-dir', 'HEAD^{commit}', '--symbolic-full-name', 'HEAD').catch(
        // Which of the two is missing?
        async (failure) => Promise.reject(await git('rev-parse', '--absolute-git-dir').then(() => toEmptyError(failure, at), (first) => toRepositoryError(first, at))),
      )
      const [[remote], [time = '']] = await Promise.all([optional(git('config', '--get', 'remote.origin.url')), git('rev-list', '--max-count=1', '--timestamp', sha)])
      const named = remote === undefined ? null : fromGitRemote(remote)
      return {
        sha,
        branch: ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : null,
        committedAt: new Date(Number.parseInt(time) * 1000),
        name: named?.name ?? folderName(gitDir),
        url: named?.url ?? null,
      }
    },

    tree: (sha, signal) => listTree(at, sha, signal),

    difference: (since, sha, signal) => compareTrees(at, since, sha, signal),

    async *read(blobShas, signal) {
      const input = asLines(blobShas)
      const output = streamGit({ dir: at, args: ['cat-file', '--batch'], input, signal })
      yield* readBatch(output, blobShas)
    },

    async committers(paths, sha, signal) {
      const args = ['rev-list', `--max-count=${mostCommits}`, '--no-merges', '--format=%an%x00%at', '--end-of-options', sha, '--', ...paths.map((path) => `:(top,literal)${path}`)]
      return toCommitters((await runGit({ dir: at, args, signal })).toString('utf8'))
    },
  }
}

/** `<name> NUL <seconds>` a commit, newest first, between lines that name it. Addresses are not asked for. */
function toCommitters(log: string): Committer[] {
  const people = new Map<string, Committer & { commits: number }>()
  for (const line of log.split('\n')) {
    const [name = '', seconds] = line.split('\0')
    if (seconds === undefined || name.trim() === '' || botName.test(name)) continue
    const at = new Date(Number(seconds) * 1000)
    const known = people.get(name) ?? { name, login: null, at, commits: 0 }
    people.set(name, { ...known, at: at > known.at ? at : known.at, commits: known.commits + 1 })
  }
  return [...people.values()].sort((one, other) => other.at.getTime() - one.at.getTime())
}

/** Takes `cat-file --batch` apart: `<sha> blob <size> LF <bytes> LF` for each sha asked. */
async function* readBatch(output: AsyncIterable<Buffer>, blobShas: string[]) {
  let pending: Buffer[] = []
  let length = 0
  const chunks = output[Symbol.asyncIterator]()

  async function fill(until: () => boolean): Promise<void> {
    while (!until()) {
      const next = await chunks.next()
      if (next.done) throw new Error('git cat-file ended before the last object')
      pending.push(next.value)
      length += next.value.length
    }
    if (pending.length > 1) pending = [Buffer.concat(pending)]
  }
  function take(count: number): Buffer {
    const [all = Buffer.alloc(0)] = pending
    pending = [all.subarray(count)]
    length -= count
    return all.subarray(0, count)
  }

  try {
    for (const blobSha of blobShas) {
      await fill(() => pending.some((bytes) => bytes.includes(0x0a)))
      const header = take(pending[0]!.indexOf(0x0a) + 1).toString('latin1').trimEnd()
      const size = / blob (\d+)$/.exec(header)?.[1]
      if (size === undefined) throw new NuraError('missing-object', `The repository lacks the object ${blobSha} (${header}). Run git fsck on it.`)
      await fill(() => length >= Number(size) + 1)
      yield { blobSha, bytes: Buffer.from(take(Number(size))) }
      take(1)
    }
    await chunks.next()
  } finally {
    await chunks.return?.()
  }
}

function* asLines(values: string[]): Generator<string> {
  for (const value of values) yield `${value}\n`
}

async function readLines(dir: string, args: string[], signal?: AbortSignal): Promise<string[]> {
  return (await runGit({ dir, args, signal })).toString('utf8').trimEnd().split('\n')
}

/** git ends with a status for what is not set; that is no failure. */
async function optional(lines: Promise<string[]>): Promise<string[]> {
  return await lines.catch((failure) => (failure instanceof GitFailure ? [] : Promise.reject(failure)))
}

async function assertFolder(dir: string): Promise<void> {
  const found = await stat(dir).catch(() => null)
  if (!found?.isDirectory()) throw new NuraError('not-a-repository', `${dir} is not a folder. Name the folder of a git checkout.`)
}

function toEmptyError(failure: unknown, dir: string): unknown {
  if (!(failure instanceof GitFailure)) return failure
  return new NuraError('empty-repository', `${dir} has no commit yet. Commit something, then index it again.`, { cause: failure })
}

function toRepositoryError(failure: unknown, dir: string): unknown {
  if (!(failure instanceof GitFailure)) return failure
  if (/dubious ownership|unsafe repository/.test(failure.complaint)) {
    const fix = `git config --global --add safe.directory ${dir}`
    return new NuraError('not-a-repository', `git refuses ${dir} because another user owns it. If you trust it, run: ${fix}`, { cause: failure })
  }
  return new NuraError('not-a-repository', `${dir} is not a git checkout. Run git init and commit there, or name another folder.`, { cause: failure })
}

/** `/srv/shop/.git` → `shop`; a bare `/srv/shop.git` → `shop`; a worktree is named after its main checkout, a submodule after itself. */
function folderName(gitDir: string): string {
  const parts = gitDir.split(/[\\/]/)
  const dotGit = parts.lastIndexOf('.git')
  const inFolder = dotGit > 0 && parts[dotGit + 1] !== 'modules'
  return (inFolder ? parts[dotGit - 1] : parts.at(-1)?.replace(/\.git$/, '')) || 'repository'
}
