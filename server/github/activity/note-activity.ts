import type { TenantDb } from '#db/index.ts'
import { saveActivityHistory } from '#db/tenant/activity-history.ts'
import { notePullTimes, removeIssue } from '#db/tenant/activity-rows.ts'
import type { Repository } from '#db/tenant/repository.ts'
import type { Logger } from '../../log.ts'
import type { ActivityEvent } from '../github-event.ts'
import { hintActivity } from '../hints.ts'
import type { HintParts } from '../hints.ts'

/** Something happened: it is read from GitHub soon. Only what cannot be read there is taken from the delivery, in whatever order it comes. */
export async function noteActivity(parts: HintParts, tenant: TenantDb, { id }: Repository, { of, number, action, at }: ActivityEvent, log: Logger): Promise<string> {
  await saveActivityHistory(tenant, id, { toldAt: new Date() })
  if (number !== null && of === 'issue' && action === 'gone') await removeIssue(tenant, id, number)
  if (number !== null && of === 'pull' && at !== null && action !== null) await notePullTimes(tenant, id, number, action === 'ready' ? { readyAt: new Date(at) } : { pushedAt: new Date(at) })
  await hintActivity(parts, tenant, id, log)
  return 'queued:sync-activity'
}
