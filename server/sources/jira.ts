import { JiraProjectLoader } from '@langchain/community/document_loaders/web/jira'
import type { JiraIssue } from '@langchain/community/document_loaders/web/jira'
import { z } from 'zod'
import { NuraError } from '#db/nura-error.ts'
import type { SourceCredentials } from '#db/tenant/source-credentials.ts'
import { adfToMarkdown } from './adf.ts'
import { createListedSource } from './listed-source.ts'
import type { ReadListed } from './listed-source.ts'
import { toSegment } from './listing.ts'
import type { Listed } from './listing.ts'
import type { Site } from './site.ts'
import type { Source } from './source.ts'

const Issue = z.object({ id: z.coerce.string(), key: z.string(), fields: z.looseObject({ summary: z.string().nullish(), updated: z.string().nullish(), security: z.unknown().optional() }) })
type Issue = z.infer<typeof Issue>
const Issues = z.object({ issues: z.array(Issue).default([]), isLast: z.boolean().optional(), nextPageToken: z.string().nullish() })
const Project = z.object({ key: z.string(), name: z.string() })
const Levels = z.object({ levels: z.array(z.unknown()) })
const Comment = z.object({
  author: z.object({ displayName: z.string().nullish() }).nullish(),
  created: z.string().nullish(),
  body: z.unknown().optional(),
  visibility: z.unknown().optional(),
  jsdPublic: z.boolean().optional(),
})
const Comments = z.object({ comments: z.array(Comment), total: z.number().optional() })

const pageSize = 100
const batch = 50

/**
 * The issues of a project of Jira Cloud, with their comments. An issue with a security level is left out, and so is one of which
 * that cannot be told; a comment that only some may read too.
 *
 * Also throws `source-forbidden` that names the project when the account may not see it.
 */
export function createJiraSource(site: Site, { place, contentType }: { place: string | null; contentType: Listed['contentType'] }): Source {
  const project = place ?? ''
  const call = (path: string, signal?: AbortSignal, body?: unknown) => site.call({ path, headers: toAuthorization, signal, ...(body === undefined ? {} : { method: 'POST', body }) })

  async function check(signal?: AbortSignal) {
    const found = await call(`/rest/api/3/project/${encodeURIComponent(project)}`, signal).catch((error: unknown) => Promise.reject(toProjectError(error, project)))
    return { name: parse(Project, found).name, url: `${site.base}/browse/${encodeURIComponent(project)}` }
  }

  async function search(jql: string, fields: string[], signal?: AbortSignal): Promise<Issue[]> {
    const issues = new Map<string, Issue>()
    for (let nextPageToken: string | undefined; ; ) {
      const page = parse(Issues, await call('/rest/api/3/search/jql', signal, { jql, fields, maxResults: pageSize, ...(nextPageToken === undefined ? {} : { nextPageToken }) }))
      for (const issue of page.issues) issues.set(issue.id, issue)
      if (page.isLast === true || page.nextPageToken == null) return [...issues.values()]
      nextPageToken = page.nextPageToken
    }
  }

  /** Whether an issue of the project may have a security level at all; true where Jira does not say. */
  async function hasLevels(signal?: AbortSignal): Promise<boolean> {
    try {
      return parse(Levels, await call(`/rest/api/3/project/${encodeURIComponent(project)}/securitylevel`, signal)).levels.length > 0
    } catch (error) {
      if (error instanceof NuraError && !error.retryable) return true
      throw error
    }
  }

  let mayBeSecured = true
  const isOpen = ({ fields }: Issue) => ('security' in fields ? fields.security === null : !mayBeSecured)

  async function list(signal?: AbortSignal): Promise<Listed[]> {
    mayBeSecured = await hasLevels(signal)
    const issues = await search(`project = "${project}" ORDER BY created ASC, key ASC`, ['summary', 'updated', 'security'], signal)
    return issues.map((issue): Listed => {
      const { id, key, fields } = issue
      const summary = fields.summary ?? ''
      const updated = fields.updated ? new Date(fields.updated) : null
      return {
        id,
        path: toSegment(`${key} ${summary}`),
        version: fields.updated ?? '',
        title: `${key}: ${summary}`.trim(),
        url: `${site.base}/browse/${encodeURIComponent(key)}`,
        changedAt: updated && !Number.isNaN(updated.getTime()) ? updated : null,
        contentType,
        ...(isOpen(issue) ? {} : { kept: 'restricted' }),
      }
    })
  }

  /** Jira refuses a search for several when one of them is gone; each is then asked for by itself. */
  async function find(ids: string[], signal?: AbortSignal): Promise<Issue[]> {
    try {
      return await search(`id in (${ids.map((id) => Number(id)).join(', ')})`, ['*all'], signal)
    } catch (error) {
      if (!(error instanceof NuraError) || error.code !== 'source-refused') throw error
      if (ids.length === 1) return []
      const found: Issue[] = []
      for (const id of ids) found.push(...(await find([id], signal)))
      return found
    }
  }

  async function readComments({ id, fields }: Issue, signal?: AbortSignal): Promise<z.infer<typeof Comment>[]> {
    const held = Comments.safeParse(fields.comment)
    if (held.success && (held.data.total ?? 0) <= held.data.comments.length) return held.data.comments
    const comments: z.infer<typeof Comment>[] = []
    for (;;) {
      const page = parse(Comments, await call(`/rest/api/3/issue/${encodeURIComponent(id)}/comment?startAt=${comments.length}&maxResults=${pageSize}&orderBy=created`, signal))
      comments.push(...page.comments)
      if (page.comments.length === 0 || comments.length >= (page.total ?? 0)) return comments
    }
  }

  async function readOne(issue: Issue | undefined, signal?: AbortSignal): Promise<ReadListed> {
    if (!issue) return { kept: 'gone' }
    if (!isOpen(issue)) return { kept: 'restricted' }
    const [document] = await new IssueReader(site.base, project, toComplete(issue)).load()
    const comments = (await readComments(issue, signal)).filter(({ visibility, jsdPublic }) => visibility == null && jsdPublic !== false)
    const told = comments.map(({ author, created, body }) => `### ${author?.displayName ?? 'Somebody'}${created ? `, ${created.slice(0, 10)}` : ''}\n\n${adfToMarkdown(body)}`)
    return { text: [document?.pageContent.trim() ?? '', ...(told.length > 0 ? ['## Comments', ...told] : [])].join('\n\n') }
  }

  async function* read(documents: Listed[], signal?: AbortSignal): AsyncGenerator<ReadListed> {
    for (let start = 0; start < documents.length; start += batch) {
      const some = documents.slice(start, start + batch)
      const found = new Map((await find([...new Set(some.map(({ id }) => id))], signal)).map((issue) => [issue.id, issue]))
      for (const { id } of some) yield await readOne(found.get(id), signal)
    }
  }

  return createListedSource({ kind: 'jira', check, list, read })
}

/** LangChain's loader over an issue that is at hand; by itself it would read the project anew, through a fetch that goes anywhere. */
class IssueReader extends JiraProjectLoader {
  readonly #issue: JiraIssue

  constructor(host: string, projectKey: string, issue: JiraIssue) {
    super({ host, projectKey, username: '', accessToken: '', descriptionFormatter: (description) => `\n\n${adfToMarkdown(description)}\n` })
    this.#issue = issue
  }

  protected override async *fetchIssues(): AsyncIterable<JiraIssue[]> {
    yield [this.#issue]
  }
}

/** The loader takes for granted what some projects have not. */
function toComplete(issue: Issue): JiraIssue {
  const none = { name: 'none' }
  const { project, status, priority, issuetype, summary, ...fields } = issue.fields
  return { ...issue, fields: { ...fields, summary: summary ?? '', project: project ?? { name: '', key: '', id: '' }, status: status ?? none, priority: priority ?? none, issuetype: issuetype ?? none } } as unknown as JiraIssue
}

function toAuthorization({ user, token }: SourceCredentials): Record<string, string> {
  return { authorization: user === undefined ? `Bearer ${token}` : `Basic ${Buffer.from(`${user}:${token}`).toString('base64')}` }
}

function toProjectError(error: unknown, project: string): unknown {
  if (!(error instanceof NuraError) || !['source-missing', 'source-forbidden'].includes(error.code)) return error
  return new NuraError(
    'source-forbidden',
    `Jira shows no project ${project} to the token's account. Give that account the permission "Browse projects" in the project, or check the key of the project.`,
    { field: 'place', cause: error },
  )
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new NuraError('source-refused', 'Jira answered in a form that Nura does not know. Check that the address is that of a Jira Cloud site.', { field: 'url', cause: result.error })
}
