import { z } from 'zod'
import type { Db, TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { exclusively } from '#db/shared/exclusive.ts'
import type { Logger } from '#server/log.ts'
import { defineJob } from './job.ts'

export type SummariseParts = {
  db: Db
  log: Logger
  /** Null where no GitHub App is configured. */
  summarise:
    | ((tenant: TenantDb, request: { repositoryId: string; number: number; signal: AbortSignal; attempt: number; lastAttempt: boolean; log: Logger }) => Promise<void>)
    | null
}

/** Milliseconds until a pull request that another process is at is looked at again. */
const busyMs = 2_000

/**
 * Brings the comment on a pull request to its present head. Runs once at a time for each pull request. It gives up within
 * seconds, so that people hear of a failure: the next push tries again, and after a while the sweep does.
 */
export const summarisePullRequest = defineJob({
  name: 'summarise-pull-request',
  payload: z.strictObject({ tenantId: z.uuid(), repositoryId: z.uuid(), number: z.int().positive() }),
  options: { attempts: 3, backoffMs: 2_000, concurrency: 3, perTenant: 2 },
  async run({ tenantId, repositoryId, number }, { db, log, summarise }: SummariseParts, { signal, attempt, lastAttempt }) {
    signal.throwIfAborted()
    if (!summarise) return
    const tenant = await db.tenant(tenantId)
    const ran = await exclusively(db, `summarise ${tenantId} ${repositoryId} ${number}`, () => summarise(tenant, { repositoryId, number, signal, attempt, lastAttempt, log }))
    if (!ran) throw new NuraError('summary-running', 'The pull request is being summarised by another process.', { retryable: true, retryAt: new Date(Date.now() + busyMs) })
  },
})
