import type { TenantDb } from '../tenant-db.ts'
import { readTenant } from '../transaction.ts'
import type { Transaction } from '../transaction.ts'
import { toSelectedRows } from './activity-selection.ts'
import type { ActivitySelection } from './activity-selection.ts'

export type ActivityLine = { repositoryId: string; number: number | null; title: string; author: string; isBot: boolean; at: Date; url: string | null }
export type ActivityAspect = 'author' | 'label' | 'team' | 'repository' | 'day' | 'week' | 'month'
/** Hours; null where there is nothing to measure. */
export type Quantiles = { count: number; median: number | null; p90: number | null }

/** Numbers of one moment: what is counted and the list behind it agree, whatever is written meanwhile. */
export type ActivityReads = {
  count(selection: ActivitySelection): Promise<{ count: number; bots: number }>
  /** The newest or the oldest rows of each repository, at most so many of each, and how many each has. */
  list(selection: ActivitySelection, options: { most: number; first: 'newest' | 'oldest' }): Promise<{ repositoryId: string; total: number; lines: ActivityLine[] }[]>
  /** How often each name occurs, most first; a row with two labels counts for both. `names`: how many there are in all. */
  rank(selection: ActivitySelection, by: ActivityAspect, most: number): Promise<{ names: number; rows: { name: string; count: number }[] }>
  /** How many happened in each day, week or month that has any, by the first day of it. */
  trend(selection: ActivitySelection, unit: 'day' | 'week' | 'month'): Promise<Map<string, number>>
  /** From opened to merged, and from opened to the first review by somebody else, of the pull requests that a selection of merged ones holds. */
  durations(selection: ActivitySelection, by?: 'author' | 'label' | 'team' | 'repository'): Promise<{ name: string | null; toMerge: Quantiles; toReview: Quantiles }[]>
  /** Whether there is such a label, team or author among these repositories; the label as it is written there. */
  names(repositories: readonly string[], names: { label?: string | undefined; team?: string | undefined; author?: string | undefined }): Promise<{ label: string | null; team: boolean; author: boolean }>
}

export function readActivity<T>(tenant: TenantDb, run: (reads: ActivityReads) => Promise<T>): Promise<T> {
  return readTenant(tenant, (tx) => run(createReads(tx)))
}

/** How a row is told apart by something: what is joined, and the name that comes of it. */
const aspects: Record<ActivityAspect, { join: string; name: string }> = {
  author: { join: '', name: 'hit.author' },
  label: { join: 'cross join lateral unnest(hit.labels) as aspect (name)', name: 'aspect.name' },
  team: {
    join: `join repository r on r.id = hit.repository_id join activity_team aspect on aspect.org = lower(split_part(r.location, '/', 1)) and lower(aspect.member) = lower(hit.author)`,
    name: 'aspect.slug',
  },
  repository: { join: 'join repository r on r.id = hit.repository_id', name: 'r.name' },
  day: { join: '', name: toBucket('day') },
  week: { join: '', name: toBucket('week') },
  month: { join: '', name: `to_char(hit.at at time zone $zone, 'YYYY-MM')` },
}

function toBucket(unit: 'day' | 'week' | 'month'): string {
  return `to_char(date_trunc('${unit}', hit.at at time zone $zone), 'YYYY-MM-DD')`
}

function createReads(tx: Transaction): ActivityReads {
  /** The zone is the last value of every statement that cuts days. */
  const zoned = (sql: string, selection: ActivitySelection, values: unknown[]) => [sql.replaceAll('$zone', `$${values.length + 1}::text`), [...values, ...(sql.includes('$zone') ? [selection.timeZone] : [])]] as const

  function grouped(selection: ActivitySelection, by: ActivityAspect, select: (hits: string, name: string) => string) {
    const { from, where, values } = toSelectedRows(selection)
    const { join, name } = aspects[by]
    return zoned(select(`${from} ${join} where ${where}`, name), selection, values)
  }

  return {
    async count(selection) {
      const { from, where, values } = toSelectedRows(selection)
      const [row] = await tx.query<{ count: number; bots: number }>(`select count(*)::int as count, (count(*) filter (where is_bot))::int as bots from ${from} where ${where}`, values)
      return row!
    },

    async list(selection, { most, first }) {
      const { from, where, values } = toSelectedRows(selection)
      const order = first === 'newest' ? 'at desc, number desc nulls last, title' : 'at, number nulls last, title'
      const rows = await tx.query<ActivityLine & { total: number }>(
        `select repository_id as "repositoryId", number, title, author, is_bot as "isBot", at, url, total from (
           select hit.*, row_number() over (partition by repository_id order by ${order}) as place, (count(*) over (partition by repository_id))::int as total from ${from} where ${where}
         ) listed where place <= $${values.length + 1} order by total desc, repository_id, place`,
        [...values, most],
      )
      const lists = Map.groupBy(rows, ({ repositoryId }) => repositoryId)
      return [...lists].map(([repositoryId, lines]) => ({ repositoryId, total: lines[0]!.total, lines }))
    },

    async rank(selection, by, most) {
      const [sql, values] = grouped(selection, by, (hits, name) => `select name, count, (count(*) over ())::int as names from (select ${name} as name, count(*)::int as count from ${hits} group by 1) ranked order by count desc, name collate "C" limit ${most}`)
      const rows = await tx.query<{ name: string; count: number; names: number }>(sql, values)
      return { names: rows[0]?.names ?? 0, rows: rows.map(({ name, count }) => ({ name, count })) }
    },

    async trend(selection, unit) {
      const { from, where, values } = toSelectedRows(selection)
      const [text, bound] = zoned(`select ${toBucket(unit)} as name, count(*)::int as count from ${from} where ${where} group by 1`, selection, values)
      return new Map((await tx.query<{ name: string; count: number }>(text, bound)).map(({ name, count }) => [name, count]))
    },

    async durations(selection, by) {
      const { join, name } = by === undefined ? { join: '', name: 'null::text' } : aspects[by]
      const { from, where, values } = toSelectedRows(selection)
      const quantiles = (of: string) => `count(${of})::int as ${of}_count, percentile_cont(0.5) within group (order by ${of}) as ${of}_median, percentile_cont(0.9) within group (order by ${of}) as ${of}_p90`
      const found = await tx.query<Record<string, number | null> & { name: string | null }>(
        `select ${name} as name, ${quantiles('to_merge')}, ${quantiles('to_review')} from ${from}
         join lateral (select extract(epoch from p.merged_at - p.created_at)::float8 / 3600 as to_merge, extract(epoch from (
             select min(r.submitted_at) from activity_review r where r.repository_id = p.repository_id and r.number = p.number and not r.is_bot and r.author <> p.author
           ) - p.created_at)::float8 / 3600 as to_review
           from activity_pull p where p.repository_id = hit.repository_id and p.number = hit.number) took on true
         ${join} where ${where} group by 1 order by to_merge_count desc, 1 limit 20`,
        values,
      )
      const toQuantiles = (row: Record<string, number | string | null>, of: string) => ({ count: Number(row[`${of}_count`]), median: row[`${of}_median`] as number | null, p90: row[`${of}_p90`] as number | null })
      return found.map((row) => ({ name: row.name, toMerge: toQuantiles(row, 'to_merge'), toReview: toQuantiles(row, 'to_review') }))
    },

    async names(repositories, { label, team, author }) {
      const [row] = await tx.query<{ label: string | null; team: boolean; author: boolean }>(
        `select
           (select name from (select unnest(labels) as name from activity_pull where repository_id = any($1::uuid[]) union select unnest(labels) from activity_issue where repository_id = any($1::uuid[])) known
             where $2::text is not null and lower(name) in (lower($2), lower($2) || 's', regexp_replace(lower($2), 's$', '')) order by lower(name) = lower($2) desc, name limit 1) as label,
           exists (select 1 from activity_team t join repository r on t.org = lower(split_part(r.location, '/', 1)) where r.id = any($1::uuid[]) and t.slug = lower($3)) as team,
           exists (select 1 from activity_pull where repository_id = any($1::uuid[]) and lower(author) = lower($4)) or exists (select 1 from activity_issue where repository_id = any($1::uuid[]) and lower(author) = lower($4))
             or exists (select 1 from activity_review where repository_id = any($1::uuid[]) and lower(author) = lower($4)) as author`,
        [repositories, label ?? null, team ?? null, author ?? null],
      )
      return row!
    },
  }
}
