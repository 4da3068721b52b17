import type { TenantDb } from '../tenant-db.ts'

/** How far the activity of a repository was read. */
export type ActivityHistory = {
  repositoryId: string
  /** The page of the oldest pull requests first that is to be read next, until all of them were. */
  pullsPage: number
  pullsComplete: boolean
  /** What changed before was read. */
  pullsUntil: Date | null
  issuesComplete: boolean
  issuesUntil: Date | null
  releasesComplete: boolean
  deploymentsComplete: boolean
  /** When everything was last read to its end. */
  syncedAt: Date | null
  /** When the source last told of something by itself. */
  toldAt: Date | null
  /** Why the last look failed, for whoever can act; null when it did not. */
  fault: string | null
}

const columnOf = {
  pullsPage: 'pulls_page', pullsComplete: 'pulls_complete', pullsUntil: 'pulls_until', issuesComplete: 'issues_complete', issuesUntil: 'issues_until',
  releasesComplete: 'releases_complete', deploymentsComplete: 'deployments_complete', syncedAt: 'synced_at', toldAt: 'told_at', fault: 'fault',
} as const satisfies Record<Exclude<keyof ActivityHistory, 'repositoryId'>, string>

const columns = `repository_id as "repositoryId", ${Object.entries(columnOf).map(([key, name]) => `${name} as "${key}"`).join(', ')}`

/** Creates the row or changes what is given of it. */
export async function saveActivityHistory(tenant: TenantDb, repositoryId: string, change: Partial<Omit<ActivityHistory, 'repositoryId'>> = {}): Promise<ActivityHistory> {
  const given = (Object.keys(columnOf) as (keyof typeof columnOf)[]).filter((key) => change[key] !== undefined)
  const names = given.map((key) => columnOf[key])
  const rows = await tenant.transaction((tx) =>
    tx.query<ActivityHistory>(
      `insert into activity_history (${['repository_id', ...names].join(', ')}) values (${['$1', ...names.map((_, at) => `$${at + 2}`)].join(', ')})
       on conflict (repository_id) do update set ${['repository_id = excluded.repository_id', ...names.map((name) => `${name} = excluded.${name}`)].join(', ')}
       returning ${columns}`,
      [repositoryId, ...given.map((key) => change[key])],
    ),
  )
  return rows[0]!
}

export type ActivityState = ActivityHistory & { /** Pull requests whose reviews are not read yet. */ unread: number }

export function listActivityStates(tenant: TenantDb, repositoryIds: string[]): Promise<ActivityState[]> {
  return tenant.transaction((tx) =>
    tx.query<ActivityState>(
      `select ${columns}, (select count(*)::int from activity_pull p where p.repository_id = h.repository_id and reviews_read_for is distinct from updated_at) as unread
       from activity_history h where repository_id = any($1::uuid[])`,
      [repositoryIds],
    ),
  )
}

/** Who is in which team of an organisation, as a whole. @param fault why it could not be read; the members known so far stay then */
export async function saveTeams(tenant: TenantDb, org: string, teams: { slug: string; members: string[] }[], { readAt, fault = null }: { readAt: Date; fault?: string | null }): Promise<void> {
  await tenant.transaction(async (tx) => {
    if (fault === null) {
      await tx.execute('delete from activity_team where org = lower($1)', [org])
      const members = teams.flatMap(({ slug, members: all }) => all.map((member) => ({ slug: slug.toLowerCase(), member })))
      await tx.execute('insert into activity_team (org, slug, member) select lower($1), slug, member from unnest($2::text[], $3::text[]) as given (slug, member) on conflict do nothing', [
        org, members.map(({ slug }) => slug), members.map(({ member }) => member),
      ])
    }
    await tx.execute('insert into activity_teams (org, read_at, fault) values (lower($1), $2, $3) on conflict (org) do update set read_at = excluded.read_at, fault = excluded.fault', [org, readAt, fault])
  })
}

export function listTeamStates(tenant: TenantDb, orgs: string[]): Promise<{ org: string; readAt: Date; fault: string | null }[]> {
  return tenant.transaction((tx) => tx.query('select org, read_at as "readAt", fault from activity_teams where org = any($1::text[])', [orgs.map((org) => org.toLowerCase())]))
}
