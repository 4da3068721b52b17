import type { TenantDb } from '#db/index.ts'
import { findPullRequest, savePullRequest } from '#db/tenant/pull-requests.ts'
import type { PullRequest } from '#db/tenant/pull-requests.ts'
import type { Repository } from '#db/tenant/repository.ts'
import type { Logger } from '../log.ts'
import type { GithubConfig } from './config.ts'
import type { PullEvent } from './github-event.ts'
import { hintSummary } from './hints.ts'
import type { HintParts } from './hints.ts'

/** Longest wait for further pushes before the first summary, milliseconds. */
const longestSettleMs = 3_000

/**
 * Notes what a delivery says of a pull request, and has its summary looked at. All of it is a hint: the job reads the pull
 * request anew, and the row tells a run that is at work to stop.
 */
export async function notePull(parts: HintParts & { config: Pick<GithubConfig, 'summaryIntervalMs'> }, tenant: TenantDb, repository: Repository, event: PullEvent, log: Logger): Promise<string> {
  const { number } = event
  const known = await findPullRequest(tenant, repository.id, number)
  // Nobody summarises what is over, and nobody is at it.
  if (known === null && event.state === 'closed') return 'ignored:closed'
  const { state, draft, skipped, author } = event
  const row = await savePullRequest(tenant, { repositoryId: repository.id, number, state, draft, skipped, author, ...toHeadHint(known, event) })
  if (state === 'closed') return 'noted:closed'
  await hintSummary(parts, tenant, row, toSummaryDelay(row, parts.config.summaryIntervalMs, new Date()), log)
  return 'queued:summarise-pull-request'
}

/** A delivery that comes late must not turn a newer head back: a push moves the head only from where it says that it was. */
function toHeadHint(known: PullRequest | null, { headSha, before }: PullEvent): { headSha?: string } {
  return known === null || known.headSha === before ? { headSha } : {}
}

/** Milliseconds until the next summary may begin: pushes that follow each other share one, and runs keep their distance. */
export function toSummaryDelay({ runStartedAt }: Pick<PullRequest, 'runStartedAt'>, intervalMs: number, now: Date): number {
  const settle = Math.min(longestSettleMs, intervalMs / 10)
  const next = runStartedAt === null ? 0 : runStartedAt.getTime() + intervalMs - now.getTime()
  return Math.round(Math.max(settle, Math.min(next, intervalMs)))
}
