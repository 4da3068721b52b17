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

/** Brings the comment on a pull request to its present head. Runs once at a time for each pull request. */
export const summarisePullRequest = defineJob({
  name: 'summarise-pull-request',
  payload: z.strictObject({ tenantId: z.uuid(), repositoryId: z.uuid(), number: z.int().positive() }),
  options: { attempts: 5, backoffMs: 5_000, concurrency: 2 },
  async run({ tenantId, repositoryId, number }, { db, log, summarise }: SummariseParts, { signal, attempt, lastAttempt }) {
    signal.throwIfAborted()
    if (!summarise) return
    const tenant = await db.tenant(tenantId)
    const ran = await exclusively(db, `summarise ${tenantId} ${repositoryId} ${number}`, () => summarise(tenant, { repositoryId, number, signal, attempt, lastAttempt, log }))
    if (!ran) throw new NuraError('summary-running', 'The pull request is being summarised by another process.', { retryable: true })
  },
})
