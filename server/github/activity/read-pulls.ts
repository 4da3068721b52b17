import { savePulls } from '#db/tenant/activity-rows.ts'
import type { ActivityRun } from './activity-run.ts'
import { readReviewsOf } from './read-reviews-of.ts'
import { toPullRow } from './to-rows.ts'

const perPage = 100

/**
 * Reads pull requests. The history comes oldest first: pages of that order only grow at their end, so that a run goes on at
 * the page where the last one was. After that, what changed last comes first, down to what is known.
 */
export async function readPulls(run: ActivityRun): Promise<void> {
  if (!run.history.pullsComplete) await readHistory(run)
  await readChanged(run)
}

async function readHistory(run: ActivityRun): Promise<void> {
  for (let page = run.history.pullsPage; ; page++) {
    const pulls = await list(run, { sort: 'created', direction: 'asc', page })
    await savePulls(run.tenant, run.repositoryId, await Promise.all(pulls.map(toPullRow)))
    const isLast = pulls.length < perPage
    await run.save({ pullsPage: isLast ? page : page + 1, pullsComplete: isLast })
    if (isLast) return
  }
}

async function readChanged(run: ActivityRun): Promise<void> {
  const until = run.history.pullsUntil
  let newest: Date | null = until
  for (let page = 1; ; page++) {
    const pulls = await list(run, { sort: 'updated', direction: 'desc', page })
    const rows = await Promise.all(pulls.map(toPullRow))
    // What changed in the second of the last look may have changed after it.
    const changed = until === null ? rows : rows.filter(({ updatedAt }) => updatedAt >= until)
    await savePulls(run.tenant, run.repositoryId, changed)
    // Nor does a review in that second show in the time of the last change, by which they are read otherwise.
    for (const row of changed) if (row.updatedAt.getTime() === until?.getTime()) await readReviewsOf(run, row)
    for (const { updatedAt } of rows) if (newest === null || updatedAt > newest) newest = updatedAt
    if (rows.length < perPage || changed.length < rows.length) break
  }
  // Only now: a run that broke off before it came down to what is known must look at all of it again.
  if (newest !== null) await run.save({ pullsUntil: newest })
}

async function list({ octokit, at, signal }: ActivityRun, order: { sort: 'created' | 'updated'; direction: 'asc' | 'desc'; page: number }) {
  return (await octokit.rest.pulls.list({ ...at, state: 'all', per_page: perPage, ...order, request: { signal } })).data
}
