import { startFakeSite } from './fake-site.ts'
import type { FakeSite, SiteReply, SiteRequest } from './fake-site.ts'

type FakeComment = { author: string; body: unknown; created: string; visibility?: object; jsdPublic?: boolean }
type FakeIssue = { id: string; key: string; summary: string; description: unknown; updated: string; security: { id: string } | null; comments: FakeComment[]; priority: object | null }

export type FakeJira = FakeSite & {
  readonly issues: Map<string, FakeIssue>
  /** The one project; null: the account may not browse it. */
  project: string | null
  /** Whether issues of the project may have security levels; null: it may not be asked. */
  levels: boolean | null
  /** False: issues come without the field. */
  tellsSecurity: boolean
  add(summary: string, description: unknown): string
  change(id: string, change: Partial<Pick<FakeIssue, 'summary' | 'description' | 'security'>>): void
  comment(id: string, comment: FakeComment): void
}

export const jiraCredentials = { user: 'bot@acme.example', token: 'jira-token' }

/** A text as Atlassian's document format. */
export function toAdf(text: string): unknown {
  return { type: 'doc', version: 1, content: text.split('\n\n').map((paragraph) => ({ type: 'paragraph', content: [{ type: 'text', text: paragraph }] })) }
}

/** Jira Cloud's REST API as far as a project is read by it, over loopback: JQL of a project or of ids, some issues at a time. */
export async function startFakeJira(): Promise<FakeJira> {
  let next = 1
  let tick = 0
  const now = () => new Date(Date.UTC(2026, 0, 1) + tick++ * 1_234).toISOString().replace('Z', '+0000')
  const authorization = `Basic ${Buffer.from(`${jiraCredentials.user}:${jiraCredentials.token}`).toString('base64')}`
  const site = await startFakeSite({ authorization, answer: (request) => answer(request) })
  const fake: FakeJira = Object.assign(site, {
    issues: new Map<string, FakeIssue>(),
    project: 'SHOP',
    levels: false,
    tellsSecurity: true,
    add(summary: string, description: unknown) {
      const number = next++
      const id = String(10_000 + number)
      fake.issues.set(id, { id, key: `SHOP-${number}`, summary, description, updated: now(), security: null, comments: [], priority: { name: 'Medium' } })
      return id
    },
    change(id: string, change: Partial<FakeIssue>) {
      Object.assign(fake.issues.get(id)!, change, { updated: now() })
    },
    comment(id: string, comment: FakeComment) {
      fake.issues.get(id)!.comments.push(comment)
      fake.change(id, {})
    },
  })

  function answer({ method, path, query, body }: SiteRequest): SiteReply | null {
    if (method === 'GET' && path === `/rest/api/3/project/${fake.project}`) return { json: { id: '1', key: fake.project, name: 'Shop' } }
    if (path === `/rest/api/3/project/${fake.project}/securitylevel`) {
      return fake.levels === null ? { status: 403, json: { errorMessages: ['no'] } } : { json: { levels: fake.levels ? [{ id: '1', name: 'Board only' }] : [] } }
    }
    if (method === 'POST' && path === '/rest/api/3/search/jql') return search(body as { jql: string; fields: string[]; maxResults: number; nextPageToken?: string })
    const [, id = ''] = /^\/rest\/api\/3\/issue\/(\d+)\/comment$/.exec(path) ?? []
    const comments = fake.issues.get(id)?.comments
    if (!comments) return null
    const start = Number(query.get('startAt') ?? 0)
    return { json: { startAt: start, maxResults: 100, total: comments.length, comments: comments.slice(start, start + Math.min(100, fake.pageSize)).map(toComment) } }
  }

  function search({ jql, fields, maxResults, nextPageToken }: { jql: string; fields: string[]; maxResults: number; nextPageToken?: string }): SiteReply {
    const all = [...fake.issues.values()]
    const [, ids] = /^id in \(([\d, ]+)\)$/.exec(jql) ?? []
    const wanted = ids?.split(', ')
    const isKnown = wanted ? wanted.every((id) => fake.issues.has(id)) : jql === `project = "${fake.project}" ORDER BY created ASC, key ASC`
    if (!isKnown) return { status: 400, json: { errorMessages: ['An issue or project of the query does not exist or may not be seen.'] } }
    const found = wanted ? all.filter(({ id }) => wanted.includes(id)).toReversed() : all
    const start = nextPageToken === undefined ? 0 : Number(nextPageToken.slice('page-'.length))
    const end = start + Math.min(maxResults, fake.pageSize)
    const isLast = end >= found.length
    return { json: { issues: found.slice(start, end).map((issue) => toView(issue, fields)), isLast, ...(isLast ? {} : { nextPageToken: `page-${end}` }) } }
  }

  function toView({ id, key, summary, description, updated, security, comments, priority }: FakeIssue, fields: string[]) {
    const held = comments.slice(0, 20)
    const all: Record<string, unknown> = {
      summary, description, updated, created: updated, priority, status: { name: 'To Do' }, issuetype: { name: 'Task' }, project: { id: '1', key: 'SHOP', name: 'Shop' }, creator: { displayName: 'Ada' }, labels: [], subtasks: [], issuelinks: [],
      comment: { comments: held.map(toComment), total: comments.length, maxResults: held.length, startAt: 0 },
      ...(fake.tellsSecurity ? { security } : {}),
    }
    return { id, key, self: `https://elsewhere.example/${id}`, fields: fields.includes('*all') ? all : Object.fromEntries(Object.entries(all).filter(([name]) => fields.includes(name))) }
  }

  return fake
}

function toComment({ author, ...comment }: FakeComment) {
  return { author: { displayName: author }, ...comment }
}
