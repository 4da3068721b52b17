/** What can be counted. What has a time happened then; the rest is so now. */
export type ActivityThing =
  | 'pulls merged' | 'pulls opened' | 'pulls closed' | 'issues opened' | 'issues closed' | 'releases' | 'deployments' | 'deployments failed' | 'reviews'
  | 'pulls open' | 'pulls in review' | 'pulls unreviewed' | 'pulls quiet' | 'pulls sent back' | 'deployments failing' | 'issues open'

/** Rows that are counted. All that is named must hold. */
export type ActivitySelection = {
  of: ActivityThing
  /** Ids of the repositories that may be read; no other contributes anything. */
  repositories: readonly string[]
  /** IANA name of the zone that days are cut in. */
  timeZone: string
  now: Date
  /** First and last day, inclusive; null for what is so now. */
  range: { from: string; to: string } | null
  label?: string | undefined
  /** A login; of reviews, who reviewed. */
  author?: string | undefined
  /** Slug of a team of the organisation that a repository is in; who did it is one of its members. */
  team?: string | undefined
  base?: string | undefined
  /** Of `pulls quiet`: days in which nobody pushed or reviewed. */
  days?: number | undefined
}

/** What stands after `from` and after `where`, for a statement whose first parameters are `values`. */
export type SelectedRows = { from: string; where: string; values: unknown[] }

const thread = 'repository_id, number, title, author, is_bot, labels, url'
const ready = 'coalesce(p.ready_at, p.created_at)'

/** Each with the columns repository_id, number, title, author, is_bot, labels, base_ref, url, at; merged pull requests also with created_at and first_reviewed_at. */
const sources: Record<ActivityThing, string> = {
  'pulls merged': `select ${thread}, base_ref, merged_at as at, created_at, first_reviewed_at from activity_pull where merged_at is not null`,
  'pulls opened': `select ${thread}, base_ref, created_at as at from activity_pull`,
  'pulls closed': `select ${thread}, base_ref, closed_at as at from activity_pull where closed_at is not null`,
  'issues opened': `select ${thread}, null::text as base_ref, created_at as at from activity_issue`,
  'issues closed': `select ${thread}, null::text as base_ref, closed_at as at from activity_issue where closed_at is not null and state = 'closed'`,
  releases: `select repository_id, null::integer as number, case when name in ('', tag) then tag else tag || ' ' || name end as title, author, is_bot, '{}'::text[] as labels, null::text as base_ref, url, published_at as at from activity_release`,
  deployments: toDeployments('true'),
  'deployments failed': toDeployments(`d.state = 'failed'`),
  'deployments failing': toDeployments(`d.state = 'failed'`, `(select distinct on (repository_id, environment) * from activity_deployment where state <> 'waiting' order by repository_id, environment, created_at desc, id desc)`),
  // Of another's pull request, which is then known: an outer join, so that nothing is joined where nothing is asked of it.
  reviews: `select r.repository_id, r.number, p.title, r.author, r.is_bot, p.labels, p.base_ref, p.url, r.submitted_at as at
    from activity_review r left join activity_pull p on p.repository_id = r.repository_id and p.number = r.number where r.of_other`,
  'pulls open': `select ${thread}, base_ref, created_at as at from activity_pull where state = 'open'`,
  'pulls in review': toOpen(ready, 'not p.draft'),
  'pulls unreviewed': toOpen(ready, 'not p.draft and p.first_reviewed_at is null'),
  'pulls quiet': toOpen('greatest(p.created_at, p.ready_at, p.pushed_at, p.last_reviewed_at)', 'not p.draft'),
  'pulls sent back': toOpen(ready, 'not p.draft and p.sent_back'),
  'issues open': `select ${thread}, null::text as base_ref, created_at as at from activity_issue where state = 'open'`,
}

function toOpen(at: string, condition: string): string {
  return `select p.repository_id, p.number, p.title, p.author, p.is_bot, p.labels, p.base_ref, p.url, ${at} as at from activity_pull p where p.state = 'open' and ${condition}`
}

function toDeployments(condition: string, rows = 'activity_deployment'): string {
  return `select d.repository_id, null::integer as number, d.environment || ' · ' || d.ref || ' · ' || d.state as title, d.author, d.is_bot, '{}'::text[] as labels, null::text as base_ref,
    null::text as url, d.created_at as at from ${rows} d where ${condition}`
}

/** The rows of a selection, named `hit`. @param repository an expression for one of its repositories, where only rows of that one are meant */
export function toSelectedRows(selection: ActivitySelection, repository?: string): SelectedRows {
  const { of, repositories, timeZone, now, range, label, author, team, base, days } = selection
  const values: unknown[] = []
  const bind = (value: unknown, type: string) => `$${values.push(value)}::${type}`
  const where = [`hit.repository_id = ${repository ?? `any(${bind(repositories, 'uuid[]')})`}`, `hit.at <= ${bind(now, 'timestamptz')}`]
  if (range !== null) {
    const [from, to] = [bind(range.from, 'date'), bind(range.to, 'date')]
    // The day in the zone decides. Bounds around it, as far as zones reach, let an index find it; between bounds within it no row needs the zone.
    where.push(`hit.at >= (${from} - 1)::timestamp at time zone 'UTC' and hit.at < (${to} + 2)::timestamp at time zone 'UTC'`)
    const within = `hit.at >= (${from} + 2)::timestamp at time zone 'UTC' and hit.at < (${to} - 1)::timestamp at time zone 'UTC'`
    where.push(`(${within} or (hit.at at time zone ${bind(timeZone, 'text')})::date between ${from} and ${to})`)
  }
  if (of === 'pulls quiet') where.push(`hit.at < ${bind(now, 'timestamptz')} - make_interval(days => ${bind(days ?? 0, 'integer')})`)
  if (label !== undefined) where.push(`exists (select 1 from unnest(hit.labels) as label where lower(label) = lower(${bind(label, 'text')}))`)
  if (author !== undefined) where.push(`lower(hit.author) = lower(${bind(author, 'text')})`)
  if (base !== undefined) where.push(`hit.base_ref = ${bind(base, 'text')}`)
  if (team !== undefined) {
    // As a set that is looked up in, which `is true` keeps it: a join with so few repositories and members, of which nothing is known beforehand, may be tried row by row.
    where.push(`((hit.repository_id, lower(hit.author)) in (select r.id, lower(t.member) from repository r join activity_team t on t.org = lower(split_part(r.location, '/', 1)) where t.slug = lower(${bind(team, 'text')}))) is true`)
  }
  return { from: `(${sources[of]}) hit`, where: where.join(' and '), values }
}
