import type { TenantDb } from '#db/index.ts'
import type { ActivityHistory } from '#db/tenant/activity-history.ts'
import type { GithubApp } from '../app.ts'

/** One repository while its activity is read. Calls go through its installation, one after another, by GitHub's rules. */
export type ActivityRun = {
  tenant: TenantDb
  repositoryId: string
  octokit: ReturnType<GithubApp['as']>
  at: { owner: string; repo: string }
  signal: AbortSignal
  /** As it was when the run began; whatever was read is saved at once, so that a run that breaks off loses nothing. */
  history: ActivityHistory
  save(change: Partial<Omit<ActivityHistory, 'repositoryId'>>): Promise<void>
}
