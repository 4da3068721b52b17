import type { TenantDb } from '../tenant-db.ts'
import { toJson } from '../text.ts'

/** A pull request and the one comment that Nura keeps on it. This row is the record; the comment on GitHub is its picture. */
export type PullRequest = {
  repositoryId: string
  number: number
  /** The newest head that anyone told of; GitHub itself decides. */
  headSha: string
  state: 'open' | 'closed'
  draft: boolean
  /** Nobody wants a summary: a label says so, or a bot opened it. */
  skipped: boolean
  author: string
  /** Hidden in our comment, to find it again when the answer to its creation was lost. */
  marker: string
  commentId: number | null
  /** Head at which a person had deleted our comment. */
  commentGoneSha: string | null
  summarisedSha: string | null
  /** The last one that was made without a failure. */
  summary: { sha: string; /** Branch it goes into; another one makes another difference. */ baseRef?: string; markdown: string; covered: number; total: number } | null
  failedSha: string | null
  failure: string | null
  runStartedAt: Date | null
  updatedAt: Date
}

const columnOf = {
  headSha: 'head_sha', state: 'state', draft: 'draft', skipped: 'skipped', author: 'author', commentId: 'comment_id', commentGoneSha: 'comment_gone_sha',
  summarisedSha: 'summarised_sha', summary: 'summary', failedSha: 'failed_sha', failure: 'failure', runStartedAt: 'run_started_at',
} as const satisfies Partial<Record<keyof PullRequest, string>>

type Writable = keyof typeof columnOf
export type PullRequestChange = Pick<PullRequest, 'repositoryId' | 'number'> & Partial<Pick<PullRequest, Writable>>

const columns = `repository_id as "repositoryId", number, head_sha as "headSha", state, draft, skipped, author, marker, comment_id::float8 as "commentId",
  comment_gone_sha as "commentGoneSha", summarised_sha as "summarisedSha", summary, failed_sha as "failedSha", failure, run_started_at as "runStartedAt", updated_at as "updatedAt"`

/** Creates the row or changes what is given of it. */
export async function savePullRequest(tenant: TenantDb, change: PullRequestChange): Promise<PullRequest> {
  const given = (Object.keys(columnOf) as Writable[]).filter((key) => change[key] !== undefined)
  const names = given.map((key) => columnOf[key])
  const values = given.map((key) => (key === 'summary' ? toJson(change.summary) : change[key]))
  const inserted = ['repository_id', 'number', ...names, ...(change.headSha === undefined ? ['head_sha'] : [])]
  const params = [change.repositoryId, change.number, ...values, ...(change.headSha === undefined ? [''] : [])]
  const rows = await tenant.transaction((tx) =>
    tx.query<PullRequest>(
      `insert into pull_request (${inserted.join(', ')}) values (${inserted.map((_, at) => `$${at + 1}`).join(', ')})
       on conflict (repository_id, number) do update set ${[...names.map((name) => `${name} = excluded.${name}`), 'updated_at = now()'].join(', ')}
       returning ${columns}`,
      params,
    ),
  )
  return rows[0]!
}

export async function findPullRequest(tenant: TenantDb, repositoryId: string, number: number): Promise<PullRequest | null> {
  const rows = await tenant.transaction((tx) => tx.query<PullRequest>(`select ${columns} from pull_request where repository_id = $1 and number = $2`, [repositoryId, number]))
  return rows[0] ?? null
}

export function listOpenPullRequests(tenant: TenantDb, repositoryId: string): Promise<PullRequest[]> {
  return tenant.transaction((tx) => tx.query<PullRequest>(`select ${columns} from pull_request where repository_id = $1 and state = 'open' order by number`, [repositoryId]))
}
