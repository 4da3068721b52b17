import type { Octokit } from 'octokit'
import type { FileWrite } from '#db/tenant/write-files.ts'
import type { Repository } from '#db/tenant/repository.ts'
import { readFile, toSkipped } from '../indexing/read-file.ts'
import { createSettingsSkip, toSettings } from '../indexing/settings.ts'
import { toOverlay } from '../retrieval/overlay.ts'
import type { Overlay } from '../retrieval/overlay.ts'
import { toBlobSha } from '../sources/blob-sha.ts'
import { skipByEntry } from '../sources/skip.ts'
import type { TreeEntry } from '../sources/source.ts'
import { tokens } from '../tokens.ts'
import { toOwnerAndRepo } from './owner-and-repo.ts'
import { readContent } from './summary/read-content.ts'

export type OverlayRequest = {
  /** `owner/name` of the base repository, which holds the heads of all its pull requests. */
  repository: string
  number: number
  headSha: string
  focus: Overlay['focus']
  /** What is asked: where not every file can be read, those are that share words with it. */
  question: string
}

/** What is read for one question, however large the pull request. `fetched` files cost a call each. */
const most = { files: 300, fetched: 60, bytes: 4 * 1024 * 1024 }
const page = 100

type Listed = { filename: string; previous_filename?: string; sha: string | null; status: string; additions: number; deletions: number; patch?: string; contents_url?: string }

/**
 * The files of a pull request at its head, cut and cleaned as for the index, by its skip rules and the settings of the
 * default branch. A changed file that is not read is not told from the index either: there it is another one.
 * @returns also how many changed files were looked at
 */
export async function readOverlay(github: Octokit, row: Pick<Repository, 'id' | 'name' | 'settings'>, request: OverlayRequest, signal: AbortSignal): Promise<{ overlay: Overlay; seen: number }> {
  const { headSha, focus } = request
  const listed = await listFiles(github, request, signal)
  const gone = listed.flatMap(({ filename, previous_filename: previous }) => [filename, ...(previous ? [previous] : [])])
  const ignored = createSettingsSkip(toSettings(row.settings))
  const wanted = rank(listed, request).filter(({ status }) => status !== 'removed')
  const files: FileWrite[] = []
  let [bytes, fetched, unseen] = [0, 0, 0]
  for (const each of wanted) {
    const entry: TreeEntry = { path: each.filename, mode: '100644', blobSha: each.sha ?? '', size: 0, generated: false, vendored: false }
    const known = toAdded(each, headSha)
    const skip = skipByEntry(entry) ?? ignored(entry.path)
    const isTooMuch = skip === null && (bytes >= most.bytes || (known === null && fetched >= most.fetched))
    if (isTooMuch) unseen++
    if (skip !== null || isTooMuch) {
      files.push(toSkipped(entry, skip ?? 'too-large'))
      continue
    }
    if (known === null) fetched++
    const text = known ?? (await readText(github, request, entry.path, signal))
    if (text === null) continue
    bytes += text.length
    files.push((await readFile(entry, Buffer.from(text), 'overlay')).file)
  }
  return { overlay: toOverlay({ repositoryId: row.id, repository: row.name, sha: headSha, focus }, files, gone), seen: listed.length - unseen }
}

async function listFiles(github: Octokit, { repository, number }: OverlayRequest, signal: AbortSignal): Promise<Listed[]> {
  const files: Listed[] = []
  for (let at = 1; files.length < most.files; at++) {
    const { data } = await github.request('GET /repos/{owner}/{repo}/pulls/{pull_number}/files', { ...toOwnerAndRepo(repository), pull_number: number, per_page: page, page: at, request: { signal } })
    files.push(...data)
    if (data.length < page) break
  }
  return files
}

/** The file that is asked about first, then those that share most words with the question. */
function rank(listed: Listed[], { question, focus }: OverlayRequest): Listed[] {
  const asked = new Set(tokens(question))
  const shared = ({ filename, patch }: Listed) => (filename === focus?.path ? Infinity : new Set(tokens(`${filename} ${patch ?? ''}`)).intersection(asked).size)
  const scored = listed.map((file) => ({ file, score: shared(file) }))
  return scored.sort((a, b) => b.score - a.score || b.file.additions - a.file.additions).map(({ file }) => file)
}

/** A new file is all of its diff, and need not be fetched; null where the diff is not whole, or is of a later head. */
function toAdded({ status, patch, sha, contents_url: url }: Listed, headSha: string): string | null {
  if (status !== 'added' || patch === undefined || url?.includes(headSha) === false) return null
  const lines = patch.split('\n').filter((line) => line.startsWith('+'))
  const text = lines.map((line) => line.slice(1)).join('\n')
  const whole = patch.endsWith('\n\\ No newline at end of file') ? text : `${text}\n`
  return toBlobSha(Buffer.from(whole)) === sha ? whole : null
}

async function readText(github: Octokit, { repository, number, headSha }: OverlayRequest, path: string, signal: AbortSignal): Promise<string | null> {
  return (await readContent(github, { ...toOwnerAndRepo(repository), number }, path, headSha, signal)).text
}
