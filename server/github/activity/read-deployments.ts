import { listKnownDeployments, listWaitingDeployments, saveDeployments } from '#db/tenant/activity-rows.ts'
import type { ActivityRun } from './activity-run.ts'
import { toDeploymentRow } from './to-rows.ts'

const perPage = 100

/** Reads deployments, newest first, down to those that are known; those that had not come to an end are looked at again. */
export async function readDeployments(run: ActivityRun): Promise<void> {
  const { tenant, repositoryId, octokit, at, signal } = run
  const waiting = new Set(await listWaitingDeployments(tenant, repositoryId))
  for (let page = 1; ; page++) {
    const { data } = await octokit.rest.repos.listDeployments({ ...at, per_page: perPage, page, request: { signal } })
    const known = await listKnownDeployments(tenant, repositoryId, data.map(({ id }) => id))
    for (const deployment of data) {
      if (known.has(deployment.id) && !waiting.has(deployment.id)) continue
      const statuses = await octokit.rest.repos.listDeploymentStatuses({ ...at, deployment_id: deployment.id, per_page: 100, request: { signal } })
      await saveDeployments(tenant, repositoryId, [toDeploymentRow(deployment, statuses.data)])
      waiting.delete(deployment.id)
    }
    const isKnown = run.history.deploymentsComplete && data.every(({ id }) => known.has(id))
    if (data.length < perPage || isKnown) break
  }
  await run.save({ deploymentsComplete: true })
}
