import { isUtf8 } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAttributesPath } from './git-attributes.ts'
import { GitFailure, runGit } from './git-process.ts'
import type { TreeDifference, TreeEntry } from './source.ts'

const attributes = ['linguist-generated', 'linguist-vendored'] as const
/** Bytes of paths that one call of git is given: some systems take no more than 128 KB of arguments. */
const mostArguments = 100_000

/** Every entry of the tree at `sha`, in path order. */
export async function listTree(dir: string, sha: string, signal?: AbortSignal): Promise<TreeEntry[]> {
  const listing = await runGit({ dir, args: ['ls-tree', '-r', '-l', '-z', '--full-tree', '--end-of-options', sha], signal })
  return toEntries(dir, splitAtNul(listing).map(toRow), signal)
}

/**
 * What the tree at `sha` has otherwise than the one at `since`. Folders of one hash are not opened, so that a small change of
 * a large tree costs its own size. Null when `since` is not there, when it is as much as a whole tree, or when what a
 * `.gitattributes` says has changed, which changes what other files are.
 */
export async function compareTrees(dir: string, since: string, sha: string, signal?: AbortSignal): Promise<TreeDifference | null> {
  const args = ['diff-tree', '-r', '-z', '--no-renames', '--name-status', '--end-of-options', since, sha]
  const compared = await runGit({ dir, args, signal }).catch((failure) => (failure instanceof GitFailure ? null : Promise.reject(failure)))
  if (compared === null) return null
  const { there, gone } = toPaths(splitAtNul(compared))
  const present = there.map(toPath)
  if ([...present, ...gone].some(isAttributesPath)) return null
  if (present.length === 0) return { entries: [], gone }
  const asked = [...present, ...attributesAbove(present)]
  // What is no UTF-8 cannot be an argument of a process.
  if (asked.join(' ').length > mostArguments || !there.every(isUtf8)) return null
  const listing = await runGit({ dir, args: ['ls-tree', '-l', '-z', '--full-tree', '--end-of-options', sha, ...asked], env: { GIT_LITERAL_PATHSPECS: '1' }, signal })
  const entries = await toEntries(dir, splitAtNul(listing).map(toRow).filter(({ mode }) => mode !== folderMode), signal)
  const changed = new Set(present)
  return { entries: entries.filter(({ path }) => changed.has(path)), gone }
}

/** `<status> NUL <path> NUL` for each path; those that are there now as the bytes that they are. */
function toPaths(fields: Buffer[]): { there: Buffer[]; gone: string[] } {
  const [there, gone]: [Buffer[], string[]] = [[], []]
  for (let at = 0; at + 1 < fields.length; at += 2) {
    if (fields[at]!.toString('latin1') === 'D') gone.push(toPath(fields[at + 1]!))
    else there.push(fields[at + 1]!)
  }
  return { there, gone }
}

/** Where a `.gitattributes` would stand that says something of one of these files. */
function attributesAbove(paths: string[]): string[] {
  const folders = new Set<string>([''])
  for (const path of paths) for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) folders.add(path.slice(0, end + 1))
  return [...folders].map((folder) => `${folder}.gitattributes`)
}

async function toEntries(dir: string, rows: Row[], signal?: AbortSignal): Promise<TreeEntry[]> {
  const marks = await readAttributes(dir, rows, signal)
  return rows.map(({ rawPath, ...entry }, index) => ({ ...entry, path: toPath(rawPath), ...marks(index) }))
}

const folderMode = '040000'
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
  const files = rows.filter(({ rawPath, mode }) => mode.startsWith('100') && isAttributesPath(rawPath.toString('latin1')))
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

function splitAtNul(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = []
  for (let start = 0, end; (end = bytes.indexOf(0, start)) !== -1; start = end + 1) parts.push(bytes.subarray(start, end))
  return parts
}
