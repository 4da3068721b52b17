import { savePullReviews } from '#db/tenant/activity-rows.ts'
import { githubStatusOf } from '../api-error.ts'
import type { ActivityRun } from './activity-run.ts'
import { toReviewRow } from './to-rows.ts'

/** Reads all reviews of one pull request. They are saved with the state that they were read for. */
export async function readReviewsOf({ tenant, repositoryId, octokit, at, signal }: ActivityRun, { number, updatedAt }: { number: number; updatedAt: Date }): Promise<void> {
  const reviews = await octokit.paginate(octokit.rest.pulls.listReviews, { ...at, pull_number: number, per_page: 100, request: { signal } }).catch(noneIfGone)
  await savePullReviews(tenant, repositoryId, number, reviews.flatMap((review) => toReviewRow(number, review) ?? []), updatedAt)
}

/** GitHub itself may take a pull request away, such as that of a spammer. */
function noneIfGone(error: unknown): never[] {
  if (githubStatusOf(error) === 404) return []
  throw error
}
