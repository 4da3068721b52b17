import type { TenantDb } from '../tenant-db.ts'
import { toStorable } from '../text.ts'
import type { Transaction } from '../transaction.ts'
import { lockReviews, rememberReviews } from './remember-reviews.ts'

/** What every row says of who did something. `isBot`: the source tells it apart from a person. */
type Done = { author: string; isBot: boolean }

/** A pull request as its source had it at `updatedAt`. Titles must be redacted; bodies are not kept. */
export type PullRow = Done & {
  number: number
  title: string
  state: 'open' | 'closed'
  draft: boolean
  createdAt: Date
  mergedAt: Date | null
  closedAt: Date | null
  updatedAt: Date
  baseRef: string
  headRef: string
  labels: string[]
  milestone: string | null
  requestedReviewers: string[]
  requestedTeams: string[]
  url: string | null
}

export type IssueRow = Done & Pick<PullRow, 'number' | 'title' | 'state' | 'createdAt' | 'closedAt' | 'updatedAt' | 'labels' | 'milestone' | 'url'>

/** Of the pull request `number`. A verdict that was dismissed stays so. */
export type ReviewRow = Done & { id: number; number: number; verdict: 'approved' | 'changes-requested' | 'commented' | 'dismissed'; submittedAt: Date }

export type ReleaseRow = Done & { id: number; tag: string; name: string; prerelease: boolean; publishedAt: Date; updatedAt: Date; url: string | null }

/** `inactive`: it went well, and a later one took its place. `endedAt`: when it first got a state that lasts. */
export type DeploymentRow = Done & {
  id: number
  environment: string
  ref: string
  state: 'waiting' | 'succeeded' | 'failed' | 'inactive'
  createdAt: Date
  endedAt: Date | null
  updatedAt: Date
}

type Column = { name: string; type: string }
type Table<Row> = { name: string; key: string[]; columns: Record<keyof Row & string, Column>; /** When the row that is there gives way. */ unless: string }

const column = (name: string, type = 'text'): Column => ({ name, type })
const done = { author: column('author'), isBot: column('is_bot', 'boolean') }
const threadColumns = {
  ...done,
  number: column('number', 'integer'), title: column('title'), state: column('state'), createdAt: column('created_at', 'timestamptz'),
  closedAt: column('closed_at', 'timestamptz'), updatedAt: column('updated_at', 'timestamptz'), labels: column('labels', 'text[]'), milestone: column('milestone'), url: column('url'),
}
const newer = 'excluded.updated_at >= stored.updated_at'

const pulls: Table<PullRow> = {
  name: 'activity_pull',
  key: ['number'],
  columns: {
    ...threadColumns,
    draft: column('draft', 'boolean'), mergedAt: column('merged_at', 'timestamptz'), baseRef: column('base_ref'), headRef: column('head_ref'),
    requestedReviewers: column('requested_reviewers', 'text[]'), requestedTeams: column('requested_teams', 'text[]'),
  },
  unless: newer,
}
const issues: Table<IssueRow> = { name: 'activity_issue', key: ['number'], columns: threadColumns, unless: newer }
const reviews: Table<ReviewRow> = {
  name: 'activity_review',
  key: ['id'],
  columns: { ...done, id: column('id', 'bigint'), number: column('number', 'integer'), verdict: column('verdict'), submittedAt: column('submitted_at', 'timestamptz') },
  unless: `stored.verdict <> 'dismissed'`,
}
const releases: Table<ReleaseRow> = {
  name: 'activity_release',
  key: ['id'],
  columns: {
    ...done, id: column('id', 'bigint'), tag: column('tag'), name: column('name'), prerelease: column('prerelease', 'boolean'),
    publishedAt: column('published_at', 'timestamptz'), updatedAt: column('updated_at', 'timestamptz'), url: column('url'),
  },
  unless: newer,
}
const deployments: Table<DeploymentRow> = {
  name: 'activity_deployment',
  key: ['id'],
  columns: {
    ...done, id: column('id', 'bigint'), environment: column('environment'), ref: column('ref'), state: column('state'),
    createdAt: column('created_at', 'timestamptz'), endedAt: column('ended_at', 'timestamptz'), updatedAt: column('updated_at', 'timestamptz'),
  },
  unless: newer,
}

/** Each of these writes rows of one repository, in any number and order: what is stored never goes back behind its own `updatedAt`. */
export const savePulls = (tenant: TenantDb, repositoryId: string, rows: PullRow[]): Promise<void> => saveReviewed(tenant, pulls, repositoryId, rows)
export const saveIssues = (tenant: TenantDb, repositoryId: string, rows: IssueRow[]): Promise<void> => save(tenant, issues, repositoryId, rows)
export const saveReleases = (tenant: TenantDb, repositoryId: string, rows: ReleaseRow[]): Promise<void> => save(tenant, releases, repositoryId, rows)
export const saveDeployments = (tenant: TenantDb, repositoryId: string, rows: DeploymentRow[]): Promise<void> => save(tenant, deployments, repositoryId, rows)
export const saveReviews = (tenant: TenantDb, repositoryId: string, rows: ReviewRow[]): Promise<void> => saveReviewed(tenant, reviews, repositoryId, rows)

/** All reviews of one pull request, as they were when it was last changed at `readFor`. Later changes must be read again. */
export async function savePullReviews(tenant: TenantDb, repositoryId: string, number: number, rows: ReviewRow[], readFor: Date): Promise<void> {
  await tenant.transaction(async (tx) => {
    await writeReviewed(tx, tenant, reviews, repositoryId, rows)
    await tx.execute('update activity_pull set reviews_read_for = $3 where repository_id = $1 and number = $2', [repositoryId, number, readFor])
  })
}

/** Pull requests whose reviews were not read since they last changed, those that changed last first. */
export function listUnreadPulls(tenant: TenantDb, repositoryId: string, limit: number): Promise<{ number: number; updatedAt: Date }[]> {
  return tenant.transaction((tx) =>
    tx.query(
      `select number, updated_at as "updatedAt" from activity_pull where repository_id = $1 and reviews_read_for is distinct from updated_at order by updated_at desc, number desc limit $2`,
      [repositoryId, limit],
    ),
  )
}

/** Deployments that may still come to an end. */
export async function listWaitingDeployments(tenant: TenantDb, repositoryId: string): Promise<number[]> {
  const rows = await tenant.transaction((tx) => tx.query<{ id: number }>(`select id::float8 as id from activity_deployment where repository_id = $1 and state = 'waiting' order by id desc limit 100`, [repositoryId]))
  return rows.map(({ id }) => id)
}

/** Those of these deployments that are stored. */
export async function listKnownDeployments(tenant: TenantDb, repositoryId: string, ids: number[]): Promise<Set<number>> {
  const rows = await tenant.transaction((tx) => tx.query<{ id: number }>('select id::float8 as id from activity_deployment where repository_id = $1 and id = any($2::bigint[])', [repositoryId, ids]))
  return new Set(rows.map(({ id }) => id))
}

/** What no list tells: when a pull request became ready, and when somebody last pushed to it. The latest of each counts. */
export async function notePullTimes(tenant: TenantDb, repositoryId: string, number: number, { readyAt = null, pushedAt = null }: { readyAt?: Date | null; pushedAt?: Date | null }): Promise<void> {
  await tenant.transaction((tx) =>
    tx.execute(
      'update activity_pull set ready_at = greatest(ready_at, $3::timestamptz), pushed_at = greatest(pushed_at, $4::timestamptz) where repository_id = $1 and number = $2',
      [repositoryId, number, readyAt, pushedAt],
    ),
  )
}

/** An issue that was deleted, or went to another repository. */
export async function removeIssue(tenant: TenantDb, repositoryId: string, number: number): Promise<void> {
  await tenant.transaction((tx) => tx.execute('delete from activity_issue where repository_id = $1 and number = $2', [repositoryId, number]))
}

/** The releases that there still are, once all were read. */
export async function keepReleases(tenant: TenantDb, repositoryId: string, ids: number[]): Promise<void> {
  await tenant.transaction((tx) => tx.execute('delete from activity_release where repository_id = $1 and id <> all($2::bigint[])', [repositoryId, ids]))
}

async function save<Row extends object>(tenant: TenantDb, table: Table<Row>, repositoryId: string, rows: Row[]): Promise<void> {
  if (rows.length > 0) await tenant.transaction((tx) => write(tx, table, repositoryId, rows))
}

async function saveReviewed<Row extends { number: number }>(tenant: TenantDb, table: Table<Row>, repositoryId: string, rows: Row[]): Promise<void> {
  if (rows.length > 0) await tenant.transaction((tx) => writeReviewed(tx, tenant, table, repositoryId, rows))
}

/** Pull requests or reviews, with what hangs on both. */
async function writeReviewed<Row extends { number: number }>(tx: Transaction, { schema }: TenantDb, table: Table<Row>, repositoryId: string, rows: Row[]): Promise<void> {
  await lockReviews(tx, schema, repositoryId)
  await write(tx, table, repositoryId, rows)
  await rememberReviews(tx, repositoryId, [...new Set(rows.map(({ number }) => number))])
}

/** As many rows as a statement holds values, each row once: of two in one statement the last stands in for both. */
async function write<Row extends object>(tx: Transaction, { name, key, columns, unless }: Table<Row>, repositoryId: string, rows: Row[]): Promise<void> {
  const fields = Object.entries(columns) as [keyof Row & string, Column][]
  const keys = ['repository_id', ...key]
  for (const batch of toBatches(rows)) {
    // Rows travel as one JSON text: a statement of a thousand rows is then the same text as one of a single row, planned alike.
    const given = JSON.stringify(batch.map((row) => Object.fromEntries(fields.map(([field, { name: to }]) => [to, toValue(row[field])]))))
    const names = fields.map(([, each]) => each.name)
    await tx.execute(
      `insert into ${name} as stored (repository_id, ${names.join(', ')})
       select $1::uuid, ${names.join(', ')} from jsonb_to_recordset($2::jsonb) as given (${fields.map(([, each]) => `${each.name} ${each.type}`).join(', ')})
       on conflict (${keys.join(', ')}) do update set ${names.filter((each) => !key.includes(each)).map((each) => `${each} = excluded.${each}`).join(', ')}
       where ${unless}`,
      [repositoryId, given],
    )
  }

  function toBatches(all: Row[]): Row[][] {
    const batches: Map<unknown, Row>[] = []
    for (const row of all) {
      const id = (row as Record<string, unknown>)[key[0]!]
      // The same row again goes into the next statement, where it is held against what is stored.
      const free = batches.find((batch) => !batch.has(id) && batch.size < mostRows)
      if (free && !batches.slice(batches.indexOf(free) + 1).some((batch) => batch.has(id))) free.set(id, row)
      else batches.push(new Map([[id, row]]))
    }
    return batches.map((batch) => [...batch.values()])
  }
}
const mostRows = 1_000

function toValue(value: unknown): unknown {
  if (typeof value === 'string') return toStorable(value)
  return Array.isArray(value) ? value.map((each: string) => toStorable(each)) : value
}
