import { randomUUID } from 'node:crypto'
import { startFakeSite } from './fake-site.ts'
import type { FakeSite, SiteReply, SiteRequest } from './fake-site.ts'

export type FakeBlock = { type: string; text?: string; children?: FakeBlock[]; language?: string }
type FakePage = { id: string; title: string; blocks: FakeBlock[]; edited: string; parent: string | null; inTrash: boolean }

export type FakeNotion = FakeSite & {
  /** The pages that are shared with the integration. */
  readonly pages: Map<string, FakePage>
  /** False: it may see that pages are there, and no more. */
  mayRead: boolean
  add(title: string, blocks: FakeBlock[], under?: string): string
  change(id: string, change: Partial<Pick<FakePage, 'title' | 'blocks' | 'parent' | 'inTrash' | 'edited'>>): void
}

export const notionCredentials = { token: 'ntn_token_of_notion' }

/** Paragraphs as Notion's blocks. */
export function toBlocks(text: string): FakeBlock[] {
  return text.split('\n\n').map((paragraph) => ({ type: 'paragraph', text: paragraph }))
}

/** Notion's API as far as shared pages are read by it, over loopback: search, pages, and blocks with what is below them. */
export async function startFakeNotion(): Promise<FakeNotion> {
  let minute = 0
  const now = () => new Date(Date.UTC(2026, 0, 1) + minute++ * 60_000).toISOString()
  const blocks = new Map<string, FakeBlock[]>()
  const site = await startFakeSite({ authorization: `Bearer ${notionCredentials.token}`, answer: (request) => answer(request) })
  const fake: FakeNotion = Object.assign(site, {
    pages: new Map<string, FakePage>(),
    mayRead: true,
    add(title: string, content: FakeBlock[], under?: string) {
      const id = randomUUID()
      fake.pages.set(id, { id, title, blocks: content, edited: now(), parent: under ?? null, inTrash: false })
      return id
    },
    change(id: string, change: Partial<FakePage>) {
      Object.assign(fake.pages.get(id)!, { edited: now() }, change)
    },
  })

  function answer({ method, path, query, body }: SiteRequest): SiteReply | null {
    if (path === '/v1/users/me') return { json: { object: 'user', type: 'bot', name: 'Nura', bot: { workspace_name: 'Acme' } } }
    if (method === 'POST' && path === '/v1/search') {
      const { start_cursor: cursor, page_size: size } = body as { start_cursor?: string; page_size: number }
      const sorted = [...fake.pages.values()].toSorted((one, other) => (one.edited < other.edited ? -1 : 1))
      return { json: toList(sorted.map((page) => (fake.mayRead ? toPage(page) : { object: 'page', id: page.id })), cursor, Math.min(size, fake.pageSize)) }
    }
    const [, pageId] = /^\/v1\/pages\/([\w-]+)$/.exec(path) ?? []
    const page = fake.pages.get(pageId ?? '')
    if (page && method === 'GET') return { json: toPage(page) }
    const [, blockId] = /^\/v1\/blocks\/([\w-]+)\/children$/.exec(path) ?? []
    if (blockId === undefined) return missing()
    const owner = fake.pages.get(blockId)
    const below = owner ? [...fake.pages.values()].filter(({ parent }) => parent === blockId) : []
    const children = owner ? owner.blocks : blocks.get(blockId)
    if (!children) return missing()
    const views = [...below.map(({ id, title }) => ({ object: 'block', id, type: 'child_page', has_children: true, child_page: { title } })), ...children.map(toBlock)]
    return { json: toList(views, query.get('start_cursor') ?? undefined, Math.min(Number(query.get('page_size') ?? 100), fake.pageSize)) }
  }

  function toBlock({ type, text = '', children, language }: FakeBlock) {
    const id = randomUUID()
    if (children) blocks.set(id, children)
    const rich = [{ type: 'text', plain_text: text, text: { content: text, link: null }, href: null, annotations: { bold: false, italic: false, strikethrough: false, underline: false, code: false, color: 'default' } }]
    const content = type === 'image' ? { type: 'file', caption: [], file: { url: 'https://files.example/x.png?X-Amz-Signature=canary' } } : { rich_text: rich, ...(language ? { language } : {}) }
    return { object: 'block', id, type, has_children: children !== undefined, archived: false, in_trash: false, [type]: content }
  }

  return fake
}

function toPage({ id, title, edited, parent, inTrash }: FakePage) {
  return {
    object: 'page', id, created_time: '2026-01-01T00:00:00.000Z', last_edited_time: edited, archived: inTrash, in_trash: inTrash, url: `https://elsewhere.example/${id}`,
    parent: parent === null ? { type: 'workspace', workspace: true } : { type: 'page_id', page_id: parent },
    properties: { Name: { id: 'title', type: 'title', title: [{ type: 'text', plain_text: title, annotations: { bold: false, italic: false, strikethrough: false, underline: false, code: false, color: 'default' } }] } },
  }
}

function toList(all: object[], cursor: string | undefined, size: number) {
  const start = cursor === undefined ? 0 : Number(cursor.slice('cursor-'.length))
  const more = start + size < all.length
  return { object: 'list', results: all.slice(start, start + size), has_more: more, next_cursor: more ? `cursor-${start + size}` : null }
}

function missing(): SiteReply {
  return { status: 404, json: { object: 'error', status: 404, code: 'object_not_found', message: 'Could not find it.' } }
}
