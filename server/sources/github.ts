import { tmpdir } from 'node:os'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { NuraError } from '#db/nura-error.ts'
import { githubStatusOf } from '../github/api-error.ts'
import type { GithubApp } from '../github/app.ts'
import { toOwnerAndRepo } from '../github/owner-and-repo.ts'
import { toBlobSha } from './blob-sha.ts'
import { isAttributesPath, toMarks } from './git-attributes.ts'
import { compareGithubTrees, listGithubTree } from './github-tree.ts'
import type { GithubPlace, ListedEntry } from './github-tree.ts'
import type { Committer, Head, KnownTexts, Source, TreeDifference, TreeEntry } from './source.ts'
import { spoolArchive } from './spool-archive.ts'
import type { SpoolOptions } from './spool-archive.ts'

/** `location` is `owner/name`; `externalId` GitHub's id of the repository, which its name is checked against. */
export type GithubRepository = { location: string; externalId?: number | null; installationId?: number | null }

export type GithubSourceOptions = {
  /** Most bytes that an archive of the repository may unpack to. */
  maxArchiveBytes?: number
  /** Where what was taken out of one lies meanwhile. */
  tempDir?: string
}

/** More contents than these are taken from one archive instead of being asked for one by one. */
const mostSingly = 50
/** Contents asked for ahead of the one that is read. */
const ahead = 4
/** A larger `.gitattributes` is not one. */
const largestAttributes = 512 * 1024
const mostPaths = 5

/**
 * A repository on GitHub, read through the API of the installation that may see it.
 *
 * Also throws `repository-gone` when GitHub has it no more, `repository-moved` when its name is another repository's now,
 * and everything that `GithubApp.as` does.
 */
export function createGithubSource(app: GithubApp, repository: GithubRepository, options: GithubSourceOptions = {}): Source {
  const { maxArchiveBytes = 4 * 1024 ** 3, tempDir = tmpdir() } = options
  let location = repository.location
  /** The commit that an archive is asked for. */
  let latest = 'HEAD'

  function at(signal: AbortSignal | undefined): GithubPlace {
    if (repository.installationId == null) throw new NuraError('github-not-installed', 'The repository belongs to no installation of the GitHub App. Connect it again.')
    signal?.throwIfAborted()
    const { owner, repo } = toOwnerAndRepo(location)
    return { octokit: app.as(repository.installationId), owner, repo, request: { signal } }
  }

  async function readBlob(place: GithubPlace, blobSha: string): Promise<Buffer> {
    const { octokit, owner, repo, request } = place
    try {
      // Not parsed: octokit would take raw bytes for text.
      const raw = { mediaType: { format: 'raw' }, request: { ...request, parseSuccessResponseBody: false } }
      const { data } = await octokit.rest.git.getBlob({ owner, repo, file_sha: blobSha, ...raw })
      const bytes = Buffer.from(await new Response(data as unknown as ReadableStream).arrayBuffer())
      if (toBlobSha(bytes) === blobSha) return bytes
      throw new NuraError('github-unavailable', `GitHub sent other bytes than those of the object ${blobSha}.`, { retryable: true })
    } catch (error) {
      if (githubStatusOf(error) !== 404) throw error
      throw new NuraError('missing-object', `The repository lacks the object ${blobSha}.`, { cause: error })
    }
  }

  /** The same content may be asked for more than once, at places far apart; it is held until the last of them. */
  async function* readSingly(place: GithubPlace, blobShas: string[]): AsyncGenerator<Buffer> {
    const reading = new Map<string, Promise<Buffer>>()
    const lastPlace = new Map(blobShas.map((blobSha, index) => [blobSha, index]))
    for (const [index, blobSha] of blobShas.entries()) {
      for (const soon of blobShas.slice(index, index + ahead)) {
        if (reading.has(soon)) continue
        const bytes = readBlob(place, soon)
        // Awaited in its turn; a failure before that must not end the process.
        bytes.catch(() => undefined)
        reading.set(soon, bytes)
      }
      yield await reading.get(blobSha)!
      if (lastPlace.get(blobSha) === index) reading.delete(blobSha)
    }
  }

  async function* readFromArchive(place: GithubPlace, blobShas: string[]): AsyncGenerator<Buffer> {
    const spool = await openSpool(place, latest, new Set(blobShas), { maxBytes: maxArchiveBytes, tempDir, signal: place.request.signal })
    try {
      for (const blobSha of blobShas) yield (await spool.read(blobSha)) ?? (await readBlob(place, blobSha))
    } finally {
      await spool.close()
    }
  }

  async function* read(blobShas: string[], signal?: AbortSignal): AsyncGenerator<{ blobSha: string; bytes: Buffer }> {
    const isMany = new Set(blobShas).size > mostSingly
    let next = 0
    for await (const bytes of (isMany ? readFromArchive : readSingly)(at(signal), blobShas)) yield { blobSha: blobShas[next++]!, bytes }
  }

  /** Entries as the `.gitattributes` among `listed` mark them. */
  async function mark(entries: ListedEntry[], listed: ListedEntry[], texts: KnownTexts, signal?: AbortSignal): Promise<TreeEntry[]> {
    const files = listed.filter(isAttributes)
    const unknown = [...new Set(files.map(({ blobSha }) => blobSha))].filter((blobSha) => !texts.has(blobSha))
    for await (const { blobSha, bytes } of read(unknown, signal)) texts.set(blobSha, bytes.toString('utf8'))
    const marksOf = toMarks(files.map(({ path, blobSha }) => ({ path, content: texts.get(blobSha)! })))
    return entries.map((entry) => ({ ...entry, ...marksOf(entry.path) }))
  }

  return {
    kind: 'github',

    async head(signal): Promise<Head> {
      const found = await findRepository(at(signal), repository)
      location = found.full_name
      const { octokit, owner, repo, request } = at(signal)
      const { data: commit } = await octokit.rest.repos
        // One of the commit's files: the answer lists them all otherwise, with their differences.
        .getCommit({ owner, repo, ref: `heads/${found.default_branch}`, per_page: 1, request })
        .catch((error: unknown) => Promise.reject(toEmptyError(error, location)))
      latest = commit.sha
      return {
        sha: commit.sha,
        branch: found.default_branch,
        committedAt: new Date(commit.commit.committer?.date ?? commit.commit.author?.date ?? 0),
        name: found.full_name,
        url: found.html_url,
        isPublic: !found.private,
        externalId: found.id,
      }
    },

    async tree(sha, signal, texts: KnownTexts = new Map()): Promise<TreeEntry[]> {
      const place = at(signal)
      const entries = await listGithubTree(place, sha)
      latest = sha
      return mark(entries, entries, texts, signal)
    },

    comparedFrom: 20_000,

    async difference(since, sha, signal, texts: KnownTexts = new Map()): Promise<TreeDifference | null> {
      const compared = await compareGithubTrees(at(signal), since, sha)
      if (compared === null || [...compared.entries.map(({ path }) => path), ...compared.gone].some(isAttributesPath)) return null
      latest = sha
      return { entries: await mark(compared.entries, compared.attributes, texts, signal), gone: compared.gone }
    },

    read,

    async committers(paths, sha, signal): Promise<Committer[]> {
      const { octokit, owner, repo, request } = at(signal)
      const people = new Map<string, Committer>()
      for (const path of paths.slice(0, mostPaths)) {
        const { data } = await octokit.rest.repos.listCommits({ owner, repo, path, sha, per_page: 20, request })
        for (const { author, commit } of data) {
          const login = author && 'login' in author ? author.login : null
          const name = commit.author?.name ?? login
          if (!name || (author && 'type' in author && author.type === 'Bot') || /\[bot\]$/.test(login ?? name)) continue
          const person = { name, login, at: new Date(commit.author?.date ?? commit.committer?.date ?? 0) }
          const known = people.get(login ?? name)
          if (!known || known.at < person.at) people.set(login ?? name, person)
        }
      }
      return [...people.values()].sort((one, other) => other.at.getTime() - one.at.getTime())
    },
  }
}

function isAttributes({ path, mode, size }: ListedEntry): boolean {
  return mode.startsWith('100') && isAttributesPath(path) && size !== null && size <= largestAttributes
}

/** By its name; by its id where the name is unknown or another's now. */
async function findRepository({ octokit, owner, repo, request }: GithubPlace, { location, externalId }: GithubRepository) {
  const named = await octokit.rest.repos.get({ owner, repo, request }).then(({ data }) => data).catch(orNull)
  if (named && (externalId == null || named.id === externalId)) return named
  const lasting = externalId == null ? null : await octokit.request('GET /repositories/{id}', { id: externalId, request }).then(({ data }) => data as typeof named).catch(orNull)
  if (lasting && lasting.id === externalId) return lasting
  if (named) throw new NuraError('repository-moved', `${location} is another repository on GitHub now. Connect the one that is meant.`)
  throw new NuraError('repository-gone', `GitHub has no repository ${location}, or the App may not see it any more. Let the installation have it, or remove it here.`)
}

function orNull(error: unknown): null {
  if (githubStatusOf(error) === 404) return null
  throw error
}

function toEmptyError(error: unknown, location: string): unknown {
  // 409: no commit at all; 422: none on the default branch.
  if (![409, 422].includes(githubStatusOf(error) ?? 0)) return error
  return new NuraError('empty-repository', `${location} has no commit on its default branch yet. Push something there, then index it again.`, { cause: error })
}

async function openSpool({ octokit, owner, repo, request }: GithubPlace, ref: string, wanted: ReadonlySet<string>, options: SpoolOptions) {
  const { data } = await octokit.rest.repos.downloadTarballArchive({ owner, repo, ref, request: { ...request, parseSuccessResponseBody: false } })
  const { signal } = request
  try {
    return await spoolArchive(Readable.fromWeb(data as ReadableStream), wanted, options)
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    if (error instanceof NuraError) throw error
    throw new NuraError('github-unavailable', 'The archive of the repository broke off. Try again in a moment.', { retryable: true, cause: error })
  }
}
