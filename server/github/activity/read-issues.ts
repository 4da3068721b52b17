import { saveIssues } from '#db/tenant/activity-rows.ts'
import { githubStatusOf } from '../api-error.ts'
import type { ActivityRun } from './activity-run.ts'
import { toIssueRow } from './to-rows.ts'

const perPage = 100

/**
 * Reads issues in the order in which they changed last, from where the last run was. One that changes meanwhile moves to the end,
 * and is read there; so that no page shifts unseen, each look begins at the time of the last one that was read.
 */
export async function readIssues(run: ActivityRun): Promise<void> {
  const { octokit, at, signal } = run
  for (let page = 1, since = run.history.issuesUntil; ; ) {
    const order = { state: 'all', sort: 'updated', direction: 'asc', per_page: perPage, page } as const
    const found = await octokit.rest.issues.listForRepo({ ...at, ...order, ...(since ? { since: since.toISOString() } : {}), request: { signal } }).catch(nullIfOff)
    if (found === null) return run.save({ issuesComplete: true })
    // Pull requests are issues too on GitHub.
    const rows = await Promise.all(found.data.filter((issue) => !issue.pull_request).map(toIssueRow))
    await saveIssues(run.tenant, run.repositoryId, rows)
    const last = found.data.at(-1)
    const until = last ? new Date(last.updated_at) : since
    if (found.data.length < perPage) {
      await run.save({ issuesComplete: true, ...(until && { issuesUntil: until }) })
      return
    }
    await run.save({ issuesUntil: until! })
    // More of one second than a page holds: only the next page leads on.
    page = since !== null && until!.getTime() === since.getTime() ? page + 1 : 1
    since = until
  }
}

/** A repository may have its issues switched off. */
function nullIfOff(error: unknown): null {
  if (githubStatusOf(error) === 410) return null
  throw error
}
