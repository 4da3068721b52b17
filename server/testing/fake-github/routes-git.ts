import { toCommit, toCommits } from './commits.ts'
import { readChanges } from './changes.ts'
import { defineRepositoryRoute, Refusal, toPage } from './route.ts'
import type { Reply, RepositoryRequest } from './route.ts'
import { toRepository } from './views.ts'
import { toFullName } from './world.ts'

const needs = ['contents:read']
const mostEntries = 100_000

export const gitRoutes = [
  defineRepositoryRoute('GET', '', ({ world, repository, actor }) => ({
    body: toRepository(world, repository, actor.kind === 'user' ? actor.user : undefined),
  })),
  defineRepositoryRoute('GET', '/commits', listCommits, { needs }),
  defineRepositoryRoute('GET', '/commits/*ref', getCommit, { needs }),
  defineRepositoryRoute('GET', '/git/ref/*ref', getRef, { needs }),
  defineRepositoryRoute('GET', '/git/commits/:sha', getGitCommit, { needs }),
  defineRepositoryRoute('GET', '/git/trees/*ref', getTree, { needs }),
  defineRepositoryRoute('GET', '/git/blobs/:sha', getBlob, { needs }),
  defineRepositoryRoute('GET', '/compare/*range', compare, { needs }),
]

/** The commit that a branch, tag, `HEAD` or id stands for. */
export async function readCommit(
  { repository: { store, defaultBranch } }: RepositoryRequest,
  ref: string | undefined,
  otherwise?: Refusal,
): Promise<string> {
  const name = !ref || ref === 'HEAD' ? `refs/heads/${defaultBranch}` : ref
  const names = [
    ...(/^[0-9a-f]{4,40}$/.test(name) || name.startsWith('refs/') ? [name] : []),
    `refs/heads/${name}`,
    `refs/tags/${name}`,
    `refs/${name}`,
  ]
  for (const candidate of names) {
    const sha = await store.resolve(candidate)
    if (sha) return sha
  }
  if ((await store.git('for-each-ref', '--count=1')) === '') throw new Refusal(409, 'Git Repository is empty.')
  throw otherwise ?? new Refusal(422, `No commit found for SHA: ${ref ?? 'HEAD'}`)
}

async function listCommits(request: RepositoryRequest): Promise<Reply> {
  const { query, repository } = request
  const start = await readCommit(request, query.get('sha') ?? undefined, new Refusal(404, 'Not Found'))
  const path = query.get('path')
  const filters = (['since', 'until'] as const).flatMap((name) => (query.get(name) ? [`--${name}=${query.get(name)}`] : []))
  const shas = (await repository.store.git('rev-list', ...filters, start, '--', ...(path ? [`:(literal)${path}`] : [])))
    .split('\n')
    .filter(Boolean)
  const page = toPage(request, shas)
  return { ...page, body: await toCommits(request.world, repository, page.body as string[]) }
}

async function getCommit(request: RepositoryRequest): Promise<Reply> {
  const { world, repository, headers, params } = request
  const sha = await readCommit(request, params.ref)
  if (headers.accept?.includes('.sha'))
    return { body: Buffer.from(sha), headers: { 'content-type': 'application/vnd.github.sha; charset=utf-8' } }
  const [commit] = await toCommits(world, repository, [sha])
  const files = await readChanges(repository.store, await repository.store.resolve(`${sha}^`), sha)
  const sum = (key: 'additions' | 'deletions') => files.reduce((total, file) => total + file[key], 0)
  return {
    body: {
      ...commit,
      stats: { additions: sum('additions'), deletions: sum('deletions'), total: sum('additions') + sum('deletions') },
      files: files.slice(0, 300),
    },
  }
}

async function getRef({ world, repository, params }: RepositoryRequest): Promise<Reply> {
  const ref = `refs/${params.ref}`
  const line = await repository.store.git('for-each-ref', '--format=%(refname) %(objectname) %(objecttype)', ref)
  const [name, sha, type] = line.split('\n')[0]!.split(' ')
  if (line === '' && (await repository.store.git('for-each-ref', '--count=1')) === '')
    throw new Refusal(409, 'Git Repository is empty.')
  if (name !== ref) throw new Refusal(404, 'Not Found')
  const url = `${world.api}/repos/${toFullName(repository)}/git`
  return { body: { ref, node_id: `REF_${sha}`, url: `${url}/${ref}`, object: { sha, type, url: `${url}/${type}s/${sha}` } } }
}

async function getGitCommit({ world, repository, params }: RepositoryRequest): Promise<Reply> {
  const sha = await repository.store.resolve(params.sha!)
  if (!sha) throw new Refusal(404, 'Not Found')
  return { body: await toCommit(world, repository, sha) }
}

async function getTree(request: RepositoryRequest): Promise<Reply> {
  const { world, repository, params, query } = request
  const { store } = repository
  const isObject = /^[0-9a-f]{40}$/.test(params.ref!)
  const known = isObject ? await store.resolve(params.ref!, 'tree') : null
  const tree = known ?? (await store.resolve(await readCommit(request, params.ref, new Refusal(404, 'Not Found')), 'tree'))!
  const isDeep = query.has('recursive')
  const lines = (await store.bytes('ls-tree', '-z', '-l', ...(isDeep ? ['-r', '-t'] : []), tree))
    .toString('utf8')
    .split('\0')
    .filter(Boolean)
  const url = `${world.api}/repos/${toFullName(repository)}/git`
  const entries = lines.map((line) => {
    const at = line.indexOf('\t')
    const [mode, type, sha, size] = line.slice(0, at).split(/ +/)
    return {
      path: line.slice(at + 1),
      mode,
      type,
      sha,
      ...(type === 'blob' ? { size: Number(size) } : {}),
      ...(type === 'commit' ? {} : { url: `${url}/${type}s/${sha}` }),
    }
  })
  const most = isDeep ? (request.most ?? mostEntries) : mostEntries
  return {
    body: {
      sha: isObject ? params.ref : tree,
      url: `${url}/trees/${tree}`,
      tree: entries.slice(0, most),
      truncated: entries.length > most,
    },
  }
}

async function getBlob({ world, repository, params, headers }: RepositoryRequest): Promise<Reply> {
  const sha = await repository.store.resolve(params.sha!, 'blob')
  if (!sha) throw new Refusal(404, 'Not Found')
  const bytes = await repository.store.bytes('cat-file', 'blob', sha)
  if (headers.accept?.includes('raw'))
    return { body: bytes, headers: { 'content-type': 'application/vnd.github.raw; charset=utf-8' } }
  const url = `${world.api}/repos/${toFullName(repository)}/git/blobs/${sha}`
  return { body: { sha, node_id: `B_${sha}`, size: bytes.length, url, content: toLines(bytes), encoding: 'base64' } }
}

/** Base64 as GitHub sends it: broken into lines. */
export function toLines(bytes: Buffer): string {
  return bytes.toString('base64').replace(/.{60}/g, '$&\n').replace(/\n?$/, '\n')
}

async function compare(request: RepositoryRequest): Promise<Reply> {
  const { world, repository, params, query } = request
  const { store } = repository
  const [from, to] = params.range!.split('...')
  if (!from || !to) throw new Refusal(404, 'Not Found')
  // `owner:branch` names a branch of a fork; its commits are here as the heads of pull requests are.
  const find = (name: string) => readCommit(request, name.replace(/^[^:]+:/, ''), new Refusal(404, 'Not Found'))
  const [base, head] = [await find(from), await find(to)]
  const middle = await store.git('merge-base', base, head).catch(() => null)
  if (!middle) throw new Refusal(404, `No common ancestor between ${from} and ${to}.`)
  const [behind, ahead] = (await store.git('rev-list', '--left-right', '--count', `${base}...${head}`)).split('\t').map(Number)
  const shas = (await store.git('rev-list', '--reverse', `${base}..${head}`)).split('\n').filter(Boolean)
  const isPaged = query.has('page') || query.has('per_page')
  const page = isPaged ? toPage(request, shas) : { body: shas.slice(0, 250), headers: {} }
  const isFirst = (Number(query.get('page')) || 1) === 1
  const [baseCommit, mergeBase] = await toCommits(world, repository, [base, middle])
  return {
    ...page,
    body: {
      url: `${world.api}/repos/${toFullName(repository)}/compare/${params.range}`,
      html_url: `${world.web}/${toFullName(repository)}/compare/${params.range}`,
      base_commit: baseCommit,
      merge_base_commit: mergeBase,
      status: ahead === 0 ? (behind === 0 ? 'identical' : 'behind') : behind === 0 ? 'ahead' : 'diverged',
      ahead_by: ahead,
      behind_by: behind,
      total_commits: shas.length,
      commits: await toCommits(world, repository, page.body as string[]),
      files: isFirst ? (await readChanges(store, middle, head)).slice(0, 300) : [],
    },
  }
}
