import { saveTeams } from '#db/tenant/activity-history.ts'
import type { ActivityRun } from './activity-run.ts'
import { isRefused } from './is-refused.ts'

/** Reads who is in which team of the repository's organisation, but of no secret team. People have none. */
export async function readTeams({ tenant, octokit, at: { owner: org }, signal }: ActivityRun, readAt: Date): Promise<void> {
  try {
    const teams = await octokit.paginate(octokit.rest.teams.list, { org, per_page: 100, request: { signal } })
    const read: { slug: string; members: string[] }[] = []
    for (const { slug, privacy } of teams) {
      if (privacy === 'secret') continue
      const members = await octokit.paginate(octokit.rest.teams.listMembersInOrg, { org, team_slug: slug, per_page: 100, request: { signal } })
      read.push({ slug, members: members.map(({ login }) => login) })
    }
    await saveTeams(tenant, org, read, { readAt })
  } catch (error) {
    if (!isRefused(error)) throw error
    await saveTeams(tenant, org, [], { readAt, fault: 'GitHub does not let the App read the members of the organisation, or it is a person’s account.' })
  }
}
