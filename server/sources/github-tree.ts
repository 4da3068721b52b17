import type { ReadableStream } from 'node:stream/web'
import type { Octokit } from 'octokit'
import { NuraError } from '#db/nura-error.ts'
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
  for (const { path, mode, type, sha: entrySha, size } of listed.tree) {
    if (type !== 'tree') yield { path: folder + path, mode, blobSha: entrySha, size: type === 'commit' ? null : (size ?? 0) }
    else if (all.truncated) yield* walk(place, entrySha, `${folder}${path}/`)
  }
}

type Listing = Awaited<ReturnType<Octokit['rest']['git']['getTree']>>['data']

async function ask({ octokit, owner, repo, request }: GithubPlace, sha: string, whole: boolean): Promise<Listing> {
  // Not parsed: octokit's own parser, which looks for large numbers, holds the process for most of a second over 7 MB.
  const raw = { request: { ...request, parseSuccessResponseBody: false } }
  const { data } = await octokit.rest.git.getTree({ owner, repo, tree_sha: sha, ...(whole ? { recursive: '1' } : {}), ...raw })
  return (await new Response(data as unknown as ReadableStream).json()) as Listing
}
