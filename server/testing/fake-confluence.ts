import { startFakeSite } from './fake-site.ts'
import type { FakeSite, SiteReply, SiteRequest } from './fake-site.ts'

type FakePage = { id: string; title: string; storage: string; version: number; when: string; parent: string | null; readers: string[]; type: 'page' | 'folder' }

export type FakeConfluence = FakeSite & {
  /** What Nura is to be given: the base address ends in `/wiki`. */
  readonly base: string
  readonly pages: Map<string, FakePage>
  /** The one space; null: the account may not see it. */
  space: string | null
  /** False: it does not say who may read a page. */
  tellsRestrictions: boolean
  add(title: string, storage: string, under?: string, type?: FakePage['type']): string
  change(id: string, change: Partial<Pick<FakePage, 'title' | 'storage' | 'parent'>>): void
}

export const confluenceCredentials = { user: 'bot@acme.example', token: 'confluence-token' }

/** Confluence's REST API as far as a space is read by it, over loopback: pages in order of id, some at a time. */
export async function startFakeConfluence(): Promise<FakeConfluence> {
  let next = 1000
  let minute = 0
  const now = () => new Date(Date.UTC(2026, 0, 1) + minute++ * 60_000).toISOString()
  const authorization = `Basic ${Buffer.from(`${confluenceCredentials.user}:${confluenceCredentials.token}`).toString('base64')}`
  const site = await startFakeSite({ authorization, answer: (request) => answer(request) })
  const fake: FakeConfluence = Object.assign(site, {
    base: `${site.url}/wiki`,
    pages: new Map<string, FakePage>(),
    space: 'ENG',
    tellsRestrictions: true,
    add(title: string, storage: string, under?: string, type: FakePage['type'] = 'page') {
      const id = String(next++)
      fake.pages.set(id, { id, title, storage, version: 1, when: now(), parent: under ?? null, readers: [], type })
      return id
    },
    change(id: string, change: Partial<FakePage>) {
      const page = fake.pages.get(id)!
      // A page that is only put elsewhere keeps its version.
      const isEdit = change.title !== undefined || change.storage !== undefined
      Object.assign(page, change, isEdit ? { version: page.version + 1, when: now() } : {})
    },
  })

  function answer({ path, query, method }: SiteRequest): SiteReply | null {
    const [, under] = /^\/wiki\/rest\/api(\/.*)$/.exec(path) ?? []
    if (under === undefined || method !== 'GET') return null
    if (under.startsWith('/space/')) return under === `/space/${fake.space}` ? { json: { id: 1, key: fake.space, name: 'Engineering', type: 'global', status: 'current' } } : null
    const expand = (query.get('expand') ?? '').split(',')
    if (under === '/content') return list(query, expand)
    const [, id = '', rest] = /^\/content\/(\d+)(\/restriction\/byOperation\/read)?$/.exec(under) ?? []
    const page = fake.pages.get(id)
    if (!page || fake.space === null) return null
    if (rest) return { json: { operation: 'read', ...toRestrictions(page) } }
    return page.type === 'page' ? { json: toView(page, expand) } : null
  }

  function list(query: URLSearchParams, expand: string[]): SiteReply {
    if (query.get('spaceKey') !== fake.space) return { json: { results: [], start: 0, limit: 25, size: 0, _links: {} } }
    const all = [...fake.pages.values()].filter(({ type }) => type === 'page')
    const start = Number(query.get('start') ?? 0)
    const limit = Math.min(Number(query.get('limit') ?? 25), fake.pageSize)
    const results = all.slice(start, start + limit).map((page) => toView(page, expand))
    const more = start + limit < all.length
    return { json: { results, start, limit, size: results.length, _links: { base: fake.base, ...(more ? { next: `/rest/api/content?start=${start + limit}` } : {}) } } }
  }

  function toView(page: FakePage, expand: string[]) {
    const ancestors: FakePage[] = []
    for (let at = page.parent; at !== null; at = fake.pages.get(at)?.parent ?? null) if (fake.pages.has(at)) ancestors.unshift(fake.pages.get(at)!)
    return {
      id: page.id, type: 'page', status: 'current', title: page.title,
      ...(expand.includes('version') ? { version: { by: { displayName: 'Ada' }, when: page.when, number: page.version, minorEdit: false } } : {}),
      ...(expand.includes('ancestors') ? { ancestors: ancestors.map(({ id, title, type }) => ({ id, title, type })) } : {}),
      ...(expand.includes('body.storage') ? { body: { storage: { value: page.storage, representation: 'storage' } } } : {}),
      ...(fake.tellsRestrictions && expand.some((name) => name.startsWith('restrictions.read')) ? { restrictions: { read: { operation: 'read', ...toRestrictions(page) } } } : {}),
      _links: { webui: `https://elsewhere.example/steal?page=${page.id}` },
    }
  }

  return fake
}

function toRestrictions({ readers }: FakePage) {
  return { restrictions: { user: { results: readers.map((accountId) => ({ accountId })), size: readers.length }, group: { results: [], size: 0 } } }
}
