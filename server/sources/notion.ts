import { z } from 'zod'
import { NuraError } from '#db/nura-error.ts'
import type { SourceCredentials } from '#db/tenant/source-credentials.ts'
import { createListedSource, readEach } from './listed-source.ts'
import type { ReadListed } from './listed-source.ts'
import { toSegment } from './listing.ts'
import type { Listed } from './listing.ts'
import type { Site } from './site.ts'
import { toSiteError } from './site-error.ts'
import type { Source } from './source.ts'

const Title = z.object({ type: z.literal('title'), title: z.array(z.object({ plain_text: z.string() })) })
const Page = z.object({
  object: z.literal('page'),
  id: z.string(),
  last_edited_time: z.string(),
  archived: z.boolean().optional(),
  in_trash: z.boolean().optional(),
  parent: z.looseObject({ type: z.string(), page_id: z.string().optional() }).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
})
type Page = z.infer<typeof Page>
const Pages = z.object({ results: z.array(z.unknown()), has_more: z.boolean(), next_cursor: z.string().nullable() })
const Me = z.object({ name: z.string().nullish(), bot: z.looseObject({ workspace_name: z.string().nullish() }).nullish() })

const notionVersion = '2025-09-03'
/** Notion tells times by the minute: what changed just now may change again without showing. */
const settledMs = 120_000
/** Deeper than pages are put into one another. */
const deepest = 50

/** Every page that a workspace of Notion has shared with an integration. What it may read is decided there, page by page. */
export function createNotionSource(site: Site, { contentType }: { contentType: Listed['contentType'] }, now: () => number = Date.now): Source {
  const call = (path: string, signal?: AbortSignal, body?: unknown) => site.call({ path, headers: toHeaders, signal, ...(body === undefined ? {} : { method: 'POST', body }) })

  async function check(signal?: AbortSignal) {
    const { name, bot } = parse(Me, await call('/v1/users/me', signal))
    return { name: bot?.workspace_name ?? name ?? 'Notion', url: null }
  }

  async function list(signal?: AbortSignal): Promise<Listed[]> {
    const pages = new Map<string, Page>()
    for (let cursor: string | null = null; ; ) {
      const body = { filter: { property: 'object', value: 'page' }, sort: { direction: 'ascending', timestamp: 'last_edited_time' }, page_size: 100, ...(cursor === null ? {} : { start_cursor: cursor }) }
      const found: z.infer<typeof Pages> = parse(Pages, await call('/v1/search', signal, body))
      for (const result of found.results) {
        const page = toFull(result)
        if (page.archived !== true && page.in_trash !== true) pages.set(page.id, page)
      }
      cursor = found.has_more ? found.next_cursor : null
      if (cursor === null) break
    }
    return [...pages.values()].map((page): Listed => {
      const changedAt = new Date(page.last_edited_time)
      const isSettled = !(now() - changedAt.getTime() < settledMs)
      return {
        id: page.id,
        path: toPath(page, pages),
        version: `${page.last_edited_time}${isSettled ? '' : ' unsettled'}`,
        title: toTitle(page),
        url: `https://www.notion.so/${page.id.replaceAll('-', '')}`,
        changedAt: Number.isNaN(changedAt.getTime()) ? null : changedAt,
        contentType,
      }
    })
  }

  async function readOne({ id }: Listed, signal?: AbortSignal): Promise<ReadListed> {
    const failures: unknown[] = []
    const { NotionAPILoader } = await import('@langchain/community/document_loaders/web/notionapi')
    const loader = new NotionAPILoader({
      id,
      clientOptions: { auth: 'given by the site', baseUrl: site.base, notionVersion, retry: false, fetch: toPageFetch(site, id, failures, signal) },
      callerOptions: { maxRetries: 0, maxConcurrency: 2 },
    } as ConstructorParameters<typeof NotionAPILoader>[0])
    const documents = await loader.load().catch((error: unknown) => {
      failures.push(error)
      return []
    })
    if (failures.length > 0) throw failures[0]
    return { text: documents.map(({ pageContent }) => withoutImages(pageContent)).join('\n\n') }
  }

  return createListedSource({ kind: 'notion', check, list, read: (documents, signal) => readEach(documents, (document) => readOne(document, signal)) })
}

/**
 * What LangChain's loader asks through: the site with all its guards, and of one page no more than that page. By itself it follows
 * every page and database below, which the listing has as documents of their own. It takes failures for pages without text, so
 * they are noted.
 */
function toPageFetch(site: Site, id: string, failures: unknown[], signal?: AbortSignal) {
  return async (url: string, init: { method?: string; body?: unknown } = {}): Promise<Response> => {
    try {
      if (!url.startsWith(`${site.base}/`)) throw new NuraError('source-refused', 'Notion told of an address on another host. It was not asked.')
      const path = url.slice(site.base.length)
      // It cannot know that it is given no database.
      if (path === `/v1/databases/${id}`) return Response.json({ object: 'error', status: 404, code: 'object_not_found', message: 'It is a page.' }, { status: 404 })
      const { status, headers, text } = await site.fetch({ path, method: init.method === 'POST' ? 'POST' : 'GET', headers: toHeaders, signal, ...(typeof init.body === 'string' ? { body: JSON.parse(init.body) as unknown } : {}) })
      if (status < 200 || status > 299) throw toSiteError({ name: site.name, status, headers, now: Date.now() })
      return Response.json(withoutPagesBelow(JSON.parse(text)))
    } catch (error) {
      failures.push(error)
      throw error
    }
  }
}

function withoutPagesBelow(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null || !('results' in answer) || !Array.isArray(answer.results)) return answer
  return { ...answer, results: (answer.results as { type?: string }[]).filter(({ type }) => type !== 'child_page' && type !== 'child_database') }
}

/** Addresses of pictures hold keys that open them for an hour. */
function withoutImages(markdown: string): string {
  return markdown.replace(/!\[([^\]]*)\]\([^)]*\)/g, '$1')
}

/** An integration that may not read content is told of ids alone. */
function toFull(result: unknown): Page {
  const page = Page.safeParse(result)
  if (page.success) return page.data
  throw new NuraError('source-forbidden', 'Notion tells the integration of pages but not what is on them. Give it the capability "Read content" in its settings.', { field: 'token', cause: page.error })
}

function toTitle({ properties = {} }: Page): string {
  const found = Object.values(properties).map((property) => Title.safeParse(property)).find(({ success }) => success)
  const title = found?.data?.title.map(({ plain_text: text }) => text).join('').trim() ?? ''
  return title === '' ? 'Untitled' : title
}

function toPath(page: Page, pages: ReadonlyMap<string, Page>): string {
  const segments: string[] = []
  for (let at: Page | undefined = page; at && segments.length < deepest; at = at.parent?.page_id === undefined ? undefined : pages.get(at.parent.page_id)) segments.unshift(toSegment(toTitle(at)))
  return segments.join('/')
}

function toHeaders({ token }: SourceCredentials): Record<string, string> {
  return { authorization: `Bearer ${token}`, 'notion-version': notionVersion }
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new NuraError('source-refused', 'Notion answered in a form that Nura does not know.', { cause: result.error })
}
