import type { ReadableStream } from 'node:stream/web'
import type { Octokit } from 'octokit'
import { NuraError } from '#db/nura-error.ts'
import { githubStatusOf } from '../github/api-error.ts'
import type { TreeEntry } from './source.ts'

/** A repository as octokit's routes want it, and what every call carries. */
export type GithubPlace = { octokit: Octokit; owner: string; repo: string; request: { signal: AbortSignal | undefined } }

/** An entry as GitHub lists it, before its `.gitattributes` are read. */
export type ListedEntry = Omit<TreeEntry, 'generated' | 'vendored'>

/**
 * Every file, link and submodule of a tree, in git's order. A tree that is too large for one answer (100,000 entries or
 * 7 MB) is walked: each folder is asked for as a whole, and where that is too much again, folder by folder.
 *
 * @throws NuraError `tree-too-large` when one folder alone does not fit into an answer
 */
export async function listGithubTree(place: GithubPlace, sha: string): Promise<ListedEntry[]> {
  const entries: ListedEntry[] = []
  const seen = new Set<string>()
  for await (const entry of walk(place, sha, '')) {
    // GitHub writes bytes that are no UTF-8 as one same character: two such paths may look alike, and one of them must do.
    if (entry.path.includes('\ufffd') && seen.size === seen.add(entry.path).size) continue
    entries.push(entry)
  }
  return entries
}

async function* walk(place: GithubPlace, sha: string, folder: string): AsyncGenerator<ListedEntry> {
  const all = await ask(place, sha, true)
  const listed = all.truncated ? await ask(place, sha, false) : all
  if (listed.truncated) {
    throw new NuraError('tree-too-large', `A folder of the repository holds more files than GitHub lists (${folder === '' ? 'the top one' : folder}). Split it, then index again.`)
  }
  for (const entry of listed.tree) {
    if (entry.type !== 'tree') yield toListed(entry, folder)
    else if (all.truncated) yield* walk(place, entry.sha, `${folder}${entry.path}/`)
  }
}

function toListed({ path, mode, type, sha, size }: Entry, folder: string): ListedEntry {
  return { path: folder + path, mode, blobSha: sha, size: type === 'commit' ? null : (size ?? 0) }
}

/** Folders that are asked for, of either tree, before the whole of one is the cheaper question. */
const mostFolders = 60

/** What one tree has otherwise than another, and every `.gitattributes` of the folders on the way, which say what the entries are. */
export type ListedDifference = { entries: ListedEntry[]; gone: string[]; attributes: ListedEntry[] }

/**
 * What the tree at `sha` has otherwise than the one at `since`. Both are asked for folder by folder, and those of one hash not at all.
 * Null when `since` is not there any more, when it is too much, or when a path cannot be told from another.
 */
export async function compareGithubTrees(place: GithubPlace, since: string, sha: string): Promise<ListedDifference | null> {
  const found: ListedDifference = { entries: [], gone: [], attributes: [] }
  let asked = 0

  async function list(treeSha: string | null): Promise<Map<string, Entry> | null> {
    if (treeSha === null) return new Map()
    if (++asked > mostFolders) return null
    const { tree, truncated } = await ask(place, treeSha, false)
    return truncated || tree.some(({ path }) => path.includes('\ufffd')) ? null : new Map(tree.map((entry) => [entry.path, entry]))
  }
  /** Of a folder that one side has not, all is new or gone. False where it cannot be told. */
  async function compare(before: string | null, after: string | null, folder: string): Promise<boolean> {
    const [old, now] = await Promise.all([list(before), list(after)])
    if (old === null || now === null) return false
    for (const entry of now.values()) if (entry.path === '.gitattributes' && entry.type === 'blob') found.attributes.push(toListed(entry, folder))
    for (const name of new Set([...old.keys(), ...now.keys()])) {
      const [was, is] = [old.get(name), now.get(name)]
      if (was?.sha === is?.sha && was?.mode === is?.mode) continue
      const [inside, nowInside] = [toTreeSha(was), toTreeSha(is)]
      if (is && nowInside === null) found.entries.push(toListed(is, folder))
      if (was && inside === null && (!is || nowInside !== null)) found.gone.push(folder + name)
      if ((inside ?? nowInside) !== null && !(await compare(inside, nowInside, `${folder}${name}/`))) return false
    }
    return true
  }
  try {
    return (await compare(since, sha, '')) ? found : null
  } catch (error) {
    if ([404, 422].includes(githubStatusOf(error) ?? 0)) return null
    throw error
  }
}

/** Null for what is no folder. */
function toTreeSha(entry: Entry | undefined): string | null {
  return entry?.type === 'tree' ? entry.sha : null
}

type Listing = Awaited<ReturnType<Octokit['rest']['git']['getTree']>>['data']
type Entry = Listing['tree'][number]

async function ask({ octokit, owner, repo, request }: GithubPlace, sha: string, whole: boolean): Promise<Listing> {
  // Not parsed: octokit's own parser, which looks for large numbers, holds the process for most of a second over 7 MB.
  const raw = { request: { ...request, parseSuccessResponseBody: false } }
  const { data } = await octokit.rest.git.getTree({ owner, repo, tree_sha: sha, ...(whole ? { recursive: '1' } : {}), ...raw })
  return (await new Response(data as unknown as ReadableStream).json()) as Listing
}
