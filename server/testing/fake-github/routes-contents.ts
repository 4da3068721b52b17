import { defineRepositoryRoute, defineRoute, Refusal } from './route.ts'
import type { Reply, RepositoryRequest, Request } from './route.ts'
import { readCommit, toLines } from './routes-git.ts'
import { toFullName } from './world.ts'

const needs = ['contents:read']

export const contentRoutes = [
  defineRepositoryRoute('GET', '/tarball', redirectToTarball, { needs }),
  defineRepositoryRoute('GET', '/tarball/*ref', redirectToTarball, { needs }),
  defineRepositoryRoute('GET', '/contents', getContents, { needs }),
  defineRepositoryRoute('GET', '/contents/*path', getContents, { needs }),
  defineRoute('GET', '/codeload/:repository/:sha', sendTarball, { who: ['nobody', 'installation', 'user', 'app'] }),
]

async function redirectToTarball(request: RepositoryRequest): Promise<Reply> {
  const sha = await readCommit(request, request.params.ref, new Refusal(404, 'Not Found'))
  const folder = encodeURIComponent(`${toFullName(request.repository).replace('/', '-')}-${sha.slice(0, 7)}`)
  return { status: 302, headers: { location: `${request.world.api}/codeload/${request.repository.id}/${sha}?folder=${folder}` } }
}

async function sendTarball({ world, params, query }: Request): Promise<Reply> {
  const repository = world.repositories.get(Number(params.repository))
  if (!repository || repository.deleted) throw new Refusal(404, 'Not Found')
  const folder = query.get('folder')
  const body = await repository.store.bytes('archive', '--format=tar.gz', `--prefix=${folder}/`, params.sha!)
  return {
    body,
    headers: { 'content-type': 'application/x-gzip', 'content-disposition': `attachment; filename=${folder}.tar.gz` },
  }
}

async function getContents(request: RepositoryRequest): Promise<Reply> {
  const { world, repository, params, query, headers } = request
  const { store } = repository
  const ref = query.get('ref')
  const commit = await readCommit(request, ref ?? undefined, new Refusal(404, `No commit found for the ref ${ref}`))
  const path = (params.path ?? '').replace(/\/+$/, '')
  const url = `${world.api}/repos/${toFullName(repository)}`
  const toEntry = (line: string, folder: string) => {
    const at = line.indexOf('\t')
    const [mode, type, sha, size] = line.slice(0, at).split(/ +/)
    const full = folder + line.slice(at + 1)
    const kind = mode === '120000' ? 'symlink' : type === 'tree' ? 'dir' : type === 'commit' ? 'submodule' : 'file'
    const self = `${url}/contents/${full}?ref=${ref ?? repository.defaultBranch}`
    const [git, html] = [`${url}/git/${type}s/${sha}`, `${world.web}/${toFullName(repository)}/blob/${commit}/${full}`]
    return {
      name: full.split('/').at(-1),
      path: full,
      sha,
      size: Number(size) || 0,
      url: self,
      html_url: html,
      git_url: git,
      download_url: null,
      type: kind,
      _links: { self, git, html },
    }
  }
  const read = async (target: string) =>
    (await store.bytes('ls-tree', '-z', '-l', commit, target)).toString('utf8').split('\0').filter(Boolean)
  const [line] = path === '' ? [] : await read(path)
  if (path !== '' && !line) throw new Refusal(404, 'Not Found')
  if (!line || line.split(' ')[1] === 'tree') {
    const lines = (await store.bytes('ls-tree', '-z', '-l', path === '' ? commit : `${commit}:${path}`))
      .toString('utf8')
      .split('\0')
      .filter(Boolean)
    const entries = lines.map((entry) => toEntry(entry, path === '' ? '' : `${path}/`))
    return { body: headers.accept?.includes('object') ? { type: 'dir', path, entries } : entries }
  }
  const entry = toEntry(line, path.includes('/') ? path.slice(0, path.lastIndexOf('/') + 1) : '')
  const bytes = entry.type === 'submodule' ? Buffer.alloc(0) : await store.bytes('cat-file', 'blob', entry.sha!)
  if (bytes.length > 100_000_000)
    throw new Refusal(403, 'This API returns blobs up to 100 MB in size. The requested blob is too large to fetch via the API.')
  if (headers.accept?.includes('raw'))
    return { body: bytes, headers: { 'content-type': 'application/vnd.github.raw; charset=utf-8' } }
  const shown = bytes.length <= 1_000_000
  return { body: { ...entry, content: shown ? toLines(bytes) : '', encoding: shown ? 'base64' : 'none' } }
}
