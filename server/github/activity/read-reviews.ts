import { listUnreadPulls, savePullReviews } from '#db/tenant/activity-rows.ts'
import { githubStatusOf } from '../api-error.ts'
import type { ActivityRun } from './activity-run.ts'
import { toReviewRow } from './to-rows.ts'

/** Pull requests taken up at once, those that changed last first: a long history must not hold up what happens now. */
const mostAtOnce = 50

/** Reads the reviews of every pull request that changed since they were read. Each is saved with the state that it was read for. */
export async function readReviews(run: ActivityRun): Promise<void> {
  const { tenant, repositoryId, octokit, at, signal } = run
  for (;;) {
    const unread = await listUnreadPulls(tenant, repositoryId, mostAtOnce)
    for (const { number, updatedAt } of unread) {
      const reviews = await octokit.paginate(octokit.rest.pulls.listReviews, { ...at, pull_number: number, per_page: 100, request: { signal } }).catch(noneIfGone)
      await savePullReviews(tenant, repositoryId, number, reviews.flatMap((review) => toReviewRow(number, review) ?? []), updatedAt)
    }
    if (unread.length < mostAtOnce) return
  }
}

/** GitHub itself may take a pull request away, such as that of a spammer. */
function noneIfGone(error: unknown): never[] {
  if (githubStatusOf(error) === 404) return []
  throw error
}
