import { listUnreadPulls } from '#db/tenant/activity-rows.ts'
import type { ActivityRun } from './activity-run.ts'
import { readReviewsOf } from './read-reviews-of.ts'

/** Pull requests taken up at once, those that changed last first: a long history must not hold up what happens now. */
const mostAtOnce = 50

/** Reads the reviews of every pull request that changed since they were read. */
export async function readReviews(run: ActivityRun): Promise<void> {
  for (;;) {
    const unread = await listUnreadPulls(run.tenant, run.repositoryId, mostAtOnce)
    for (const pull of unread) await readReviewsOf(run, pull)
    if (unread.length < mostAtOnce) return
  }
}
