import { readChanges } from './changes.ts'
import { toCommits } from './commits.ts'
import { defineRepositoryRoute, Refusal, toPage } from './route.ts'
import type { Reply, RepositoryRequest } from './route.ts'
import { toIssue, toPull, toPullInList } from './thread-views.ts'
import type { Branches, Repository, Thread, World } from './world.ts'

const needs = ['pull_requests:read']
const most = { files: 3000, commits: 250, diffFiles: 300, diffLines: 20_000 }

export const pullRoutes = [
  defineRepositoryRoute('GET', '/pulls', listPulls, { needs }),
  defineRepositoryRoute('GET', '/pulls/:number', getPull, { needs }),
  defineRepositoryRoute(
    'GET',
    '/pulls/:number/files',
    async (request) => toPage(request, (await readPullChanges(request.repository, readPull(request).pull)).slice(0, most.files)),
    { needs },
  ),
  defineRepositoryRoute('GET', '/pulls/:number/commits', listPullCommits, { needs }),
  defineRepositoryRoute('GET', '/issues', listIssues, { needs: ['issues:read'] }),
  defineRepositoryRoute(
    'GET',
    '/issues/:number',
    ({ world, repository, params }) => ({ body: toIssue(world, repository, readThread(repository, params.number)) }),
    { needs: ['issues:read', 'pull_requests:read'] },
  ),
]

export function readThread(repository: Repository, number: string | undefined): Thread {
  const thread = repository.threads.get(Number(number))
  if (!thread) throw new Refusal(404, 'Not Found')
  return thread
}

export function readPull({ repository, params }: RepositoryRequest): Thread & { pull: Branches } {
  const thread = readThread(repository, params.number)
  if (!thread.pull) throw new Refusal(404, 'Not Found')
  return thread as Thread & { pull: Branches }
}

async function readMergeBase({ store }: Repository, { base, head }: Branches): Promise<string | null> {
  return await store.git('merge-base', base.sha, head.sha).catch(() => null)
}

async function readPullChanges(repository: Repository, pull: Branches) {
  return await readChanges(repository.store, await readMergeBase(repository, pull), pull.head.sha, pull.collapsed)
}

/** A pull request with its counts, as it is shown alone and in its own events. */
export async function readWholePull(world: World, repository: Repository, thread: Thread): Promise<Record<string, unknown>> {
  const files = await readPullChanges(repository, thread.pull!)
  const sum = (key: 'additions' | 'deletions') => files.reduce((total, file) => total + file[key], 0)
  const commits = Number(await repository.store.git('rev-list', '--count', `${thread.pull!.base.sha}..${thread.pull!.head.sha}`))
  return toPull(world, repository, thread, {
    commits,
    additions: sum('additions'),
    deletions: sum('deletions'),
    files: files.length,
  })
}

function listPulls(request: RepositoryRequest): Reply {
  const { world, repository, query } = request
  const state = query.get('state') ?? 'open'
  const isAscending = query.get('direction') === 'asc'
  const key = query.get('sort') === 'updated' ? 'updatedAt' : 'createdAt'
  const [head, base] = [query.get('head'), query.get('base')]
  const found = [...repository.threads.values()]
    .filter((thread) => thread.pull && (state === 'all' || thread.state === state))
    .filter(({ pull }) => (!base || pull!.base.ref === base) && (!head || `${pull!.head.owner.login}:${pull!.head.ref}` === head))
    .toSorted((a, b) => (a[key] === b[key] ? a.number - b.number : a[key] < b[key] ? -1 : 1))
  return toPage(request, isAscending ? found : found.toReversed(), (page) =>
    page.map((thread) => toPullInList(world, repository, thread)),
  )
}

function listIssues(request: RepositoryRequest): Reply {
  const { world, repository, query } = request
  const state = query.get('state') ?? 'open'
  const key = query.get('sort') === 'updated' ? 'updatedAt' : 'createdAt'
  const since = query.get('since')
  const found = [...repository.threads.values()]
    .filter((thread) => (state === 'all' || thread.state === state) && (!since || Date.parse(thread.updatedAt) >= Date.parse(since)))
    .toSorted((a, b) => (a[key] === b[key] ? a.number - b.number : a[key] < b[key] ? -1 : 1))
  return toPage(request, query.get('direction') === 'asc' ? found : found.toReversed(), (page) => page.map((thread) => toIssue(world, repository, thread)))
}

async function getPull(request: RepositoryRequest): Promise<Reply> {
  const { world, repository, headers } = request
  const thread = readPull(request)
  const kind = /application\/vnd\.github\.(?:v3\.)?(diff|patch)/.exec(headers.accept ?? '')?.[1]
  if (!kind) return { body: await readWholePull(world, repository, thread) }
  const from = await readMergeBase(repository, thread.pull)
  const text =
    kind === 'diff'
      ? await repository.store.bytes('diff', '-M', from!, thread.pull.head.sha)
      : await repository.store.bytes('format-patch', '--stdout', `${thread.pull.base.sha}..${thread.pull.head.sha}`)
  const files = Number(
    (await repository.store.git('diff', '-M', '--name-only', from!, thread.pull.head.sha)).split('\n').filter(Boolean).length,
  )
  if (files > most.diffFiles) throw toTooLarge(`number of files (${most.diffFiles})`)
  if (text.toString('utf8').split('\n').length > most.diffLines) throw toTooLarge(`number of lines (${most.diffLines})`)
  return { body: text, headers: { 'content-type': `application/vnd.github.${kind}; charset=utf-8` } }
}

function toTooLarge(what: string): Refusal {
  const message = `Sorry, the diff exceeded the maximum ${what}. Consider using 'List pull requests files' API or locally cloning the repository instead.`
  return new Refusal(406, message, { errors: [{ resource: 'PullRequest', field: 'diff', code: 'too_large' }] })
}

async function listPullCommits(request: RepositoryRequest): Promise<Reply> {
  const { world, repository } = request
  const { base, head } = readPull(request).pull
  const shas = (await repository.store.git('rev-list', '--reverse', `${base.sha}..${head.sha}`))
    .split('\n')
    .filter(Boolean)
    .slice(0, most.commits)
  const page = toPage(request, shas)
  return { ...page, body: await toCommits(world, repository, page.body as string[]) }
}
