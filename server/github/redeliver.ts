import type { Db } from '#db/index.ts'
import type { GithubInstallation } from '#db/shared/github-installations.ts'
import { findByKey } from '#db/shared/inbox.ts'
import type { Logger } from '../log.ts'
import type { GithubApp } from './app.ts'
import { toEventKey } from './github-event.ts'
import { isRead } from './read-delivery.ts'

export type RedeliverParts = { db: Db; github: Pick<GithubApp, 'asApp'>; log: Logger }

/** GitHub notes a delivery as failed up to this long after it began. */
const lateMs = 60_000
/** How far back the first sweep of an installation looks. GitHub keeps deliveries for three days. */
const firstMs = 24 * 3_600_000
/** Pages of a hundred; what is older is caught up with from the repositories themselves. */
const mostPages = 10
const mostAsked = 10_000

/**
 * Asks GitHub to send again what it could not deliver for these installations since they were swept before: each delivery
 * once, and none that arrived after all.
 *
 * @param asked ids of deliveries that this process has asked for; grows.
 */
export async function redeliverFailed({ db, github, log }: RedeliverParts, due: GithubInstallation[], asked: Set<string>, signal: AbortSignal): Promise<void> {
  const since = new Map(due.map(({ id, sweptAt }) => [id, (sweptAt?.getTime() ?? Date.now() - firstMs) - lateMs]))
  const oldest = Math.min(...since.values())
  const octokit = github.asApp()
  const pages = octokit.paginate.iterator(octokit.rest.apps.listWebhookDeliveries, { per_page: 100, status: 'failure', request: { signal } })
  let page = 0
  for await (const { data } of pages) {
    for (const { id, guid, event, installation_id: installationId, delivered_at: deliveredAt, status_code: status } of data) {
      const from = since.get(installationId ?? 0)
      if (from === undefined || Date.parse(deliveredAt) < from || (status >= 200 && status < 300)) continue
      if (!isRead(event) || asked.has(guid) || (await isKept(db, guid))) continue
      if (asked.size >= mostAsked) asked.clear()
      asked.add(guid)
      await octokit.rest.apps.redeliverWebhookDelivery({ delivery_id: id, request: { signal } })
      log.info({ delivery: guid, event }, 'a delivery that failed was asked for again')
    }
    const last = data.at(-1)
    if (!last || Date.parse(last.delivered_at) < oldest || ++page >= mostPages) return
  }
}

/** Whether it is in the inbox, and has not failed there. */
async function isKept(db: Db, guid: string): Promise<boolean> {
  const row = await findByKey(db, toEventKey(guid))
  return row !== null && row.state !== 'failed'
}
