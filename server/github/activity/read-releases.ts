import { keepReleases, saveReleases } from '#db/tenant/activity-rows.ts'
import type { ActivityRun } from './activity-run.ts'
import { toReleaseRow } from './to-rows.ts'

/** Reads all releases: they are few, each may be edited or deleted at any time, and where nothing changed GitHub answers with a 304. */
export async function readReleases({ tenant, repositoryId, octokit, at, signal, save }: ActivityRun): Promise<void> {
  const releases = await octokit.paginate(octokit.rest.repos.listReleases, { ...at, per_page: 100, request: { signal } })
  const rows = (await Promise.all(releases.map(toReleaseRow))).filter((row) => row !== null)
  await saveReleases(tenant, repositoryId, rows)
  await keepReleases(tenant, repositoryId, rows.map(({ id }) => id))
  await save({ releasesComplete: true })
}
