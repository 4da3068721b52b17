import { ConfluencePagesLoader } from '@langchain/community/document_loaders/web/confluence'
import type { ConfluenceAPIResponse, ConfluencePage } from '@langchain/community/document_loaders/web/confluence'
import { z } from 'zod'
import { NuraError } from '#db/nura-error.ts'
import type { SourceCredentials } from '#db/tenant/source-credentials.ts'
import { storageToMarkdown } from './confluence-storage.ts'
import { createListedSource, readEach } from './listed-source.ts'
import type { ReadListed } from './listed-source.ts'
import { toSegment } from './listing.ts'
import type { Listed } from './listing.ts'
import type { Site } from './site.ts'
import type { Source } from './source.ts'

const Names = z.object({ results: z.array(z.unknown()) })
/** Absent where Confluence does not say: then nobody can tell, and the page is taken to be restricted. */
const Restrictions = z.object({ read: z.object({ restrictions: z.object({ user: Names, group: Names }) }) })
const Page = z.object({
  id: z.coerce.string(),
  title: z.string(),
  version: z.object({ number: z.number(), when: z.string().optional() }),
  ancestors: z.array(z.object({ id: z.coerce.string(), title: z.string().optional() })).optional(),
  restrictions: z.unknown().optional(),
})
type Page = z.infer<typeof Page>
const Pages = z.object({ results: z.array(Page), size: z.number(), _links: z.object({ next: z.string().optional() }).optional() })
const Body = Page.extend({ body: z.object({ storage: z.object({ value: z.string() }) }) })
const Space = z.object({ key: z.string(), name: z.string() })
const Readers = z.object({ restrictions: z.object({ user: Names, group: Names }) })

const restrictions = 'restrictions.read.restrictions.user,restrictions.read.restrictions.group'
const pageSize = 100

/**
 * The pages of a space of Confluence, Cloud or Data Center. A page with read restrictions, its own or those of a page above it, is
 * left out, and so is one of which that cannot be told.
 *
 * Also throws `source-forbidden` that names the space when the account may not see it.
 */
export function createConfluenceSource(site: Site, { place, contentType }: { place: string | null; contentType: Listed['contentType'] }): Source {
  const space = place ?? ''
  const key = encodeURIComponent(space)
  const get = (path: string, signal?: AbortSignal) => site.call({ path, headers: toAuthorization, signal })
  const toUrl = (id: string) => `${site.base}/spaces/${key}/pages/${encodeURIComponent(id)}`

  async function check(signal?: AbortSignal) {
    const found = await get(`/rest/api/space/${key}`, signal).catch((error: unknown) => Promise.reject(toSpaceError(error, space)))
    const { name } = parse(Space, found)
    return { name, url: `${site.base}/spaces/${key}` }
  }

  async function listPages(signal?: AbortSignal): Promise<Page[]> {
    const pages = new Map<string, Page>()
    for (let start = 0; ; ) {
      const path = `/rest/api/content?spaceKey=${key}&type=page&status=current&limit=${pageSize}&start=${start}&expand=version,ancestors,${restrictions}`
      const { results, size, _links } = parse(Pages, await get(path, signal))
      for (const page of results) pages.set(page.id, page)
      start += size
      if (size === 0 || _links?.next === undefined) return [...pages.values()]
    }
  }

  /** What lies above a page without being one, such as a folder, tells its readers only when asked. */
  async function isOpen(id: string, signal?: AbortSignal): Promise<boolean> {
    try {
      const readers = parse(Readers, await get(`/rest/api/content/${encodeURIComponent(id)}/restriction/byOperation/read?expand=restrictions.user,restrictions.group`, signal))
      return readers.restrictions.user.results.length + readers.restrictions.group.results.length === 0
    } catch (error) {
      if (error instanceof NuraError && !error.retryable) return false
      throw error
    }
  }

  async function list(signal?: AbortSignal): Promise<Listed[]> {
    const pages = await listPages(signal)
    const open = new Map(pages.map((page) => [page.id, isUnrestricted(page)]))
    const above = new Set(pages.flatMap(({ ancestors }) => ancestors?.map(({ id }) => id) ?? []))
    for (const id of above) if (!open.has(id)) open.set(id, await isOpen(id, signal))
    return pages.map((page): Listed => {
      const isReadable = page.ancestors !== undefined && [page, ...page.ancestors].every(({ id }) => open.get(id))
      const when = page.version.when ? new Date(page.version.when) : null
      return {
        id: page.id,
        path: [...(page.ancestors ?? []), page].map(({ title }) => toSegment(title ?? '')).join('/'),
        version: String(page.version.number),
        title: page.title,
        url: toUrl(page.id),
        changedAt: when && !Number.isNaN(when.getTime()) ? when : null,
        contentType,
        ...(isReadable ? {} : { kept: 'restricted' }),
      }
    })
  }

  async function readOne({ id }: Listed, signal?: AbortSignal): Promise<ReadListed> {
    const page = parse(Body, await get(`/rest/api/content/${encodeURIComponent(id)}?expand=body.storage,version,${restrictions}`, signal))
    if (!isUnrestricted(page)) return { kept: 'restricted' }
    const markdown = storageToMarkdown(page.body.storage.value)
    const text = await new PageReader(site.base, space, { ...page, type: 'page', status: 'current', body: { storage: { value: toLoaderHtml(markdown) } } } as ConfluencePage).readPage()
    return text === null ? { kept: 'unreadable' } : { text }
  }

  return createListedSource({ kind: 'confluence', check, list, read: (documents, signal) => readEach(documents, (document) => readOne(document, signal)) })
}

/**
 * LangChain's loader over a page that is at hand. By itself it reads the space anew each time, through a fetch that goes anywhere,
 * and takes any failure for a space without pages.
 */
class PageReader extends ConfluencePagesLoader {
  readonly #pages: ConfluencePage[]

  constructor(baseUrl: string, spaceKey: string, page: ConfluencePage) {
    super({ baseUrl, spaceKey })
    this.#pages = [page]
  }

  protected override async fetchConfluenceData(): Promise<ConfluenceAPIResponse> {
    const results = this.#pages.splice(0)
    return { size: results.length, results }
  }

  async readPage(): Promise<string | null> {
    const [document] = await this.load()
    return document ? document.pageContent.replaceAll(blank, '') : null
  }
}

/** Stands on each empty line: the loader takes those out, and paragraphs would run together. */
const blank = '\u200b'

/** The loader reads HTML; this is Markdown as HTML that it leaves as it is. */
function toLoaderHtml(markdown: string): string {
  const lines = markdown.replaceAll(blank, '').replace(/^[ \t]*$/gm, blank)
  return `<pre>${lines.replace(/[&<>]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[character]!)}</pre>`
}

function isUnrestricted(page: Page): boolean {
  const told = Restrictions.safeParse(page.restrictions)
  if (!told.success) return false
  const { user, group } = told.data.read.restrictions
  return user.results.length + group.results.length === 0
}

/** An account of Cloud has its token's address beside it; a personal access token of Data Center stands alone. */
function toAuthorization({ user, token }: SourceCredentials): Record<string, string> {
  return { authorization: user === undefined ? `Bearer ${token}` : `Basic ${Buffer.from(`${user}:${token}`).toString('base64')}` }
}

function toSpaceError(error: unknown, space: string): unknown {
  if (!(error instanceof NuraError) || !['source-missing', 'source-forbidden'].includes(error.code)) return error
  return new NuraError(
    'source-forbidden',
    `Confluence shows no space ${space} to the token's account. Give that account the permission "View" in the settings of the space, or check the key of the space.`,
    { field: 'place', cause: error },
  )
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new NuraError('source-refused', 'Confluence answered in a form that Nura does not know. Check that the address is that of Confluence; of Cloud it ends in /wiki.', { field: 'url', cause: result.error })
}
