import type { TenantDb } from '#db/index.ts'
import type { Enqueue } from '#jobs/enqueue.ts'
import type { Logger } from '../log.ts'
import { leaveHint } from '../routes/leave-hint.ts'

export type HintParts = { enqueue: Enqueue }

/** Milliseconds in which deliveries that come together, as when many repositories are added, become one look at GitHub. */
const gatherMs = 500
/** Milliseconds in which pushes that follow each other become one sync. */
const burstMs = 300

/** Milliseconds in which what happens in a repository becomes one look at it. */
const activityMs = 5_000

/** What an installation has is to be read from GitHub. */
export function hintInstallation({ enqueue }: HintParts, tenant: TenantDb, installationId: number, log: Logger): Promise<void> {
  return leaveHint(log, () => enqueue('sync-installation', { tenantId: tenant.id, installationId }, { dedupe: String(installationId), delayMs: gatherMs }))
}

/** A repository's head is to be read and indexed. */
export function hintSync({ enqueue }: HintParts, tenant: TenantDb, repositoryId: string, log: Logger): Promise<void> {
  return leaveHint(log, () => enqueue('sync-repository', { tenantId: tenant.id, repositoryId }, { dedupe: repositoryId, delayMs: burstMs }))
}

/** A repository that is marked as `forgetting` is to be emptied. */
export function hintForget({ enqueue }: HintParts, tenant: TenantDb, repositoryId: string, log: Logger): Promise<void> {
  return leaveHint(log, () => enqueue('forget-repository', { tenantId: tenant.id, repositoryId }, { dedupe: repositoryId }))
}

/** A pull request's summary is to be looked at. */
export function hintSummary({ enqueue }: HintParts, tenant: TenantDb, pull: { repositoryId: string; number: number }, delayMs: number, log: Logger): Promise<void> {
  const { repositoryId, number } = pull
  return leaveHint(log, () =>
    enqueue('summarise-pull-request', { tenantId: tenant.id, repositoryId, number }, { dedupe: `${repositoryId}#${number}`, ...(delayMs > 0 ? { delayMs } : {}) }),
  )
}

/** What happened in a repository is to be read. */
export function hintActivity({ enqueue }: HintParts, tenant: TenantDb, repositoryId: string, log: Logger): Promise<void> {
  return leaveHint(log, () => enqueue('sync-activity', { tenantId: tenant.id, repositoryId }, { dedupe: repositoryId, delayMs: activityMs }))
}

/** The job that carries out an inbox row of GitHub's: whoever asks something waits apart from everything else. */
export function toDeliveryJob(kind: string): 'answer-mention' | 'github-delivery' {
  return kind === 'mention' ? 'answer-mention' : 'github-delivery'
}
