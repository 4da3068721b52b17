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
  /** The newest or the oldest rows of each repository, at most so many of each, and how many each has, most first. `repositories`: of no more than so many. */
  list(selection: ActivitySelection, options: { most: number; first: 'newest' | 'oldest'; repositories?: number }): Promise<{ repositoryId: string; total: number; lines: ActivityLine[] }[]>
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
  // What passes for dear, such as a row for each label, would be compiled, which takes longer than to count it.
  return readTenant(tenant, (tx) => run(createReads(tx)), { settings: { jit: 'off' } })
}

/** How a row is told apart by something: what is joined, what rows of one kind share, and the name that comes of this `key`: a day is written out once, not for each row. */
const aspects: Record<ActivityAspect, { join: string; key: string; name: string }> = {
  author: { join: '', key: 'hit.author', name: 'key' },
  label: { join: 'cross join lateral unnest(hit.labels) as aspect (name)', key: 'aspect.name', name: 'key' },
  team: {
    join: `join repository r on r.id = hit.repository_id join activity_team aspect on aspect.org = lower(split_part(r.location, '/', 1)) and lower(aspect.member) = lower(hit.author)`,
    key: 'aspect.slug',
    name: 'key',
  },
  repository: { join: 'join repository r on r.id = hit.repository_id', key: 'r.name', name: 'key' },
  day: toBucket('day', 'YYYY-MM-DD'),
  week: toBucket('week', 'YYYY-MM-DD'),
  month: toBucket('month', 'YYYY-MM'),
}

function toBucket(unit: 'day' | 'week' | 'month', pattern: string) {
  return { join: '', key: `date_trunc('${unit}', hit.at at time zone $zone)`, name: `to_char(key, '${pattern}')` }
}

type Tally = { repositoryId: string; count: number; bots: number }
type Measured = { name: string | null; to_merge_count: number; to_merge: [number, number] | null; to_review_count: number; to_review: [number, number] | null }
type Grouped = { text: string; values: unknown[] }

function createReads(tx: Transaction): ActivityReads {
  const tallies = new Map<ActivitySelection, Promise<Tally[]>>()

  /** Rows of each repository that has any, most first: read once, however much of a report hangs on it. */
  function tally(selection: ActivitySelection): Promise<Tally[]> {
    const known = tallies.get(selection)
    if (known) return known
    const { from, where, values } = toSelectedRows(selection)
    const read = tx.query<Tally>(`select repository_id as "repositoryId", count(*)::int as count, (count(*) filter (where is_bot))::int as bots from ${from} where ${where} group by 1 order by 2 desc, 1`, values)
    tallies.set(selection, read)
    return read
  }

  /** How many rows share a key, in a zone that is the last value. */
  function group(selection: ActivitySelection, by: ActivityAspect): Grouped {
    const { from, where, values } = toSelectedRows(selection)
    const { join, key } = aspects[by]
    return { text: `select ${key.replace('$zone', `$${values.length + 1}::text`)} as key, count(*)::int as count from ${from} ${join} where ${where} group by 1`, values: key.includes('$zone') ? [...values, selection.timeZone] : values }
  }

  /** Repositories are counted already. */
  async function groupRepositories(selection: ActivitySelection): Promise<Grouped> {
    const counted = await tally(selection)
    return {
      text: 'select r.name as key, sum(count)::int as count from unnest($1::uuid[], $2::integer[]) as tally (id, count) join repository r on r.id = tally.id group by 1',
      values: [counted.map(({ repositoryId }) => repositoryId), counted.map(({ count }) => count)],
    }
  }

  return {
    async count(selection) {
      const counted = await tally(selection)
      return { count: counted.reduce((sum, { count }) => sum + count, 0), bots: counted.reduce((sum, { bots }) => sum + bots, 0) }
    },

    async list(selection, { most, first, repositories }) {
      const counted = (await tally(selection)).slice(0, repositories)
      const { from, where, values } = toSelectedRows(selection, 'chosen.id')
      const order = first === 'newest' ? 'at desc, number desc nulls last, title, author' : 'at, number nulls last, title, author'
      // Each repository by itself, so that an index brings its rows in order, and no more than are wanted.
      const rows = await tx.query<ActivityLine>(
        `select chosen.id as "repositoryId", number, title, author, is_bot as "isBot", at, url from unnest($${values.length + 1}::uuid[]) with ordinality as chosen (id, place)
         cross join lateral (select hit.* from ${from} where ${where} order by ${order} limit $${values.length + 2}) listed order by place, ${order}`,
        [...values, counted.map(({ repositoryId }) => repositoryId), most],
      )
      const lines = Map.groupBy(rows, ({ repositoryId }) => repositoryId)
      return counted.map(({ repositoryId, count }) => ({ repositoryId, total: count, lines: lines.get(repositoryId) ?? [] }))
    },

    async rank(selection, by, most) {
      const { text, values } = by === 'repository' ? await groupRepositories(selection) : group(selection, by)
      const rows = await tx.query<{ name: string; count: number; names: number }>(
        `select name, count, (count(*) over ())::int as names from (select ${aspects[by].name} as name, count from (${text}) grouped) ranked order by count desc, name collate "C" limit ${most}`,
        values,
      )
      return { names: rows[0]?.names ?? 0, rows: rows.map(({ name, count }) => ({ name, count })) }
    },

    async trend(selection, unit) {
      const { text, values } = group(selection, unit)
      const rows = await tx.query<{ name: string; count: number }>(`select to_char(key, 'YYYY-MM-DD') as name, count from (${text}) grouped`, values)
      return new Map(rows.map(({ name, count }) => [name, count]))
    },

    async durations(selection, by) {
      const { join, key } = by === undefined ? { join: '', key: 'null::text' } : aspects[by]
      const { from, where, values } = toSelectedRows(selection)
      const quantiles = (of: string) => `count(${of})::int as ${of}_count, percentile_cont(array[0.5, 0.9]) within group (order by ${of}) as ${of}`
      const found = await tx.query<Measured>(
        `select ${key} as name, ${quantiles('to_merge')}, ${quantiles('to_review')} from ${from}
         cross join lateral (select extract(epoch from at - created_at)::float8 / 3600 as to_merge, extract(epoch from first_reviewed_at - created_at)::float8 / 3600 as to_review) took
         ${join} where ${where} group by 1 order by to_merge_count desc, 1 limit 20`,
        values,
      )
      const toQuantiles = (count: number, [median, p90]: [number, number] | [null, null]) => ({ count, median, p90 })
      return found.map((row) => ({ name: row.name, toMerge: toQuantiles(row.to_merge_count, row.to_merge ?? [null, null]), toReview: toQuantiles(row.to_review_count, row.to_review ?? [null, null]) }))
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
