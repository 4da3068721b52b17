import { randomUUID } from 'node:crypto'
import { rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { NuraError } from '#db/nura-error.ts'
import { fromGitRemote } from './git-remote.ts'
import { GitFailure, runGit, streamGit } from './git-process.ts'
import type { Committer, Head, Source, TreeEntry } from './source.ts'

const attributes = ['linguist-generated', 'linguist-vendored'] as const
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

    async tree(sha, signal): Promise<TreeEntry[]> {
      const listing = await runGit({ dir: at, args: ['ls-tree', '-r', '-l', '-z', '--full-tree', '--end-of-options', sha], signal })
      const rows = splitAtNul(listing).map(toRow)
      const marks = await readAttributes(at, rows, signal)
      return rows.map(({ rawPath, ...entry }, index) => ({ ...entry, path: toPath(rawPath), ...marks(index) }))
    },

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

type Row = { rawPath: Buffer; mode: string; blobSha: string; size: number | null }

/** `<mode> SP <type> SP <sha> SP <padded size> TAB <path>` */
function toRow(record: Buffer): Row {
  const tab = record.indexOf(0x09)
  const [mode = '', , blobSha = '', size = '-'] = record.toString('latin1', 0, tab).split(/ +/)
  return { rawPath: record.subarray(tab + 1), mode, blobSha, size: size === '-' ? null : Number(size) }
}

/** A path is bytes to git and text to us: bytes that are no UTF-8 are written `\xNN`. */
function toPath(raw: Buffer): string {
  const path = raw.toString('utf8')
  if (Buffer.from(path, 'utf8').equals(raw)) return path
  return raw.toString('latin1').replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`)
}

/**
 * What the committed `.gitattributes` files say, through a throw-away index that holds only them: `check-attr --source`
 * needs git 2.40, and the working tree may differ from the commit.
 */
async function readAttributes(dir: string, rows: Row[], signal?: AbortSignal) {
  const marks = (index: number) => ({ generated: generated.has(index), vendored: vendored.has(index) })
  const [generated, vendored] = [new Set<number>(), new Set<number>()]
  const files = rows.filter(({ rawPath, mode }) => mode.startsWith('100') && basename(rawPath.toString('latin1')) === '.gitattributes')
  if (files.length === 0) return marks

  const index = join(tmpdir(), `nura-attributes-${randomUUID()}`)
  try {
    const env = { GIT_INDEX_FILE: index }
    const info = files.map(({ mode, blobSha, rawPath }) => Buffer.concat([Buffer.from(`${mode} ${blobSha}\t`), rawPath, Buffer.of(0)]))
    await runGit({ dir, args: ['update-index', '-z', '--index-info'], input: info, env, signal })
    const paths = rows.map(({ rawPath }) => Buffer.concat([rawPath, Buffer.of(0)]))
    const answer = await runGit({ dir, args: ['check-attr', '--cached', '-z', '--stdin', ...attributes], input: paths, env, signal })
    // Three fields an attribute: path, attribute, value; in the order asked.
    splitAtNul(answer).forEach((value, field) => {
      if (field % 3 !== 2 || !['set', 'true'].includes(value.toString('latin1'))) return
      const asked = Math.floor(field / 3)
      ;(asked % 2 === 0 ? generated : vendored).add(Math.floor(asked / 2))
    })
  } finally {
    await rm(index, { force: true })
  }
  return marks
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

function splitAtNul(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = []
  for (let start = 0, end; (end = bytes.indexOf(0, start)) !== -1; start = end + 1) parts.push(bytes.subarray(start, end))
  return parts
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
