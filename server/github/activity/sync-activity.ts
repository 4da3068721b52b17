import { NuraError } from '#db/nura-error.ts'
import type { Db, TenantDb } from '#db/index.ts'
import { exclusively } from '#db/shared/exclusive.ts'
import { findGithubInstallation } from '#db/shared/github-installations.ts'
import { listTeamStates, saveActivityHistory } from '#db/tenant/activity-history.ts'
import { findRepository } from '#db/tenant/repositories.ts'
import { vacuumActivity } from '#db/tenant/vacuum-activity.ts'
import { toFailure } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import type { GithubApp } from '../app.ts'
import { toOwnerAndRepo } from '../owner-and-repo.ts'
import type { ActivityRun } from './activity-run.ts'
import { isRefused } from './is-refused.ts'
import { readDeployments } from './read-deployments.ts'
import { readIssues } from './read-issues.ts'
import { readPulls } from './read-pulls.ts'
import { readReleases } from './read-releases.ts'
import { readReviews } from './read-reviews.ts'
import { readTeams } from './read-teams.ts'

export type ActivityParts = { db: Db; github: Pick<GithubApp, 'as'>; log: Logger; now?: () => Date }

const teamsMs = 60 * 60_000
/** Milliseconds before a run looks again whether the other one has ended. */
const busyMs = 500

/**
 * Reads what happened in a repository: the whole history at first, page by page, then what changed since. Every step is saved
 * before the next, and may be made twice.
 *
 * @throws NuraError `github-rate-limited` with `retryAt`, and what GitHub's API throws; what was read until then is kept
 */
export async function readActivityOf(parts: ActivityParts, tenant: TenantDb, repositoryId: string, signal: AbortSignal): Promise<void> {
  const repository = await findRepository(tenant, repositoryId)
  if (repository === null || repository.state === 'forgetting' || repository.source !== 'github' || repository.installationId == null) return
  if ((await findGithubInstallation(parts.db, repository.installationId))?.state !== 'active') return
  const octokit = parts.github.as(repository.installationId)
  const ran = await exclusively(parts.db, `activity ${tenant.id} ${repositoryId}`, async () => {
    const run: ActivityRun = {
      tenant, repositoryId, octokit, at: toOwnerAndRepo(repository.location), signal,
      history: await saveActivityHistory(tenant, repositoryId),
      async save(change) {
        run.history = await saveActivityHistory(tenant, repositoryId, change)
      },
    }
    await readAll(run, parts)
  })
  if (!ran) throw new NuraError('sync-running', 'The activity of the repository is being read by another process.', { retryable: true, retryAt: new Date(Date.now() + busyMs) })
}

async function readAll(run: ActivityRun, { log, now = () => new Date() }: ActivityParts): Promise<void> {
  const began = now()
  try {
    await readPulls(run)
    await readIssues(run)
    const refused = [await orRefused('releases', readReleases(run)), await orRefused('deployments', readDeployments(run))].filter((each) => each !== null)
    await readTeamsOf(run, began)
    await readReviews(run)
    if (run.history.syncedAt === null) await vacuumActivity(run.tenant)
    await run.save({ syncedAt: began, fault: refused.length === 0 ? null : refused.join(' ') })
  } catch (error) {
    run.signal.throwIfAborted()
    const { error: shown } = toFailure(error)
    // A limit passes by itself: nobody has to know of it but the queue.
    if (!(error instanceof NuraError && error.retryAt)) {
      await run.save({ fault: shown.message }).catch(() => {})
      log.warn({ err: error, repositoryId: run.repositoryId, tenantId: run.tenant.id }, 'activity not read')
    }
    if (shown.retryable || (error instanceof NuraError && error.retryAt)) throw error
  }
}

/** A permission that the App was not given takes away what needs it, and nothing else. @returns what to tell of it */
async function orRefused(what: string, reading: Promise<void>): Promise<string | null> {
  try {
    await reading
    return null
  } catch (error) {
    if (!isRefused(error)) throw error
    return `GitHub does not let the App read ${what}: approve its new permissions in the settings of the installation.`
  }
}

/** Teams belong to the organisation: of its repositories the first that is read in an hour reads them. */
async function readTeamsOf(run: ActivityRun, now: Date): Promise<void> {
  const [known] = await listTeamStates(run.tenant, [run.at.owner])
  if (known && now.getTime() - known.readAt.getTime() < teamsMs && known.readAt <= now) return
  await readTeams(run, now)
}
