import { z } from 'zod'
import type { Db, TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { exclusively } from '#db/shared/exclusive.ts'
import { toSpaceKey } from '#server/indexing/space-key.ts'
import { defineJob } from './job.ts'

export type ChangeSpaceParts = {
  db: Db
  /** Goes on with the change that the tenant's rows say is under way; may be cut off anywhere. */
  changeSpace(tenant: TenantDb, options: { signal: AbortSignal }): Promise<unknown>
}

/** Milliseconds until a model or store that is away is tried again, where it did not say when. */
const restMs = 30_000

/** Goes on with a tenant's change of embedding space, unless somebody is at it. */
export const changeSpace = defineJob({
  name: 'change-space',
  payload: z.strictObject({ tenantId: z.uuid() }),
  options: { attempts: 8, backoffMs: 5_000, concurrency: 1 },
  async run({ tenantId }, { db, changeSpace: change }: ChangeSpaceParts, { signal }) {
    signal.throwIfAborted()
    const tenant = await db.tenant(tenantId)
    try {
      await exclusively(db, toSpaceKey(tenantId), async () => void (await change(tenant, { signal })))
    } catch (error) {
      // It has no haste, and what is made is kept: the queue waits, however long, at the cost of no attempt.
      if (!(error instanceof NuraError && error.retryable) || signal.aborted) throw error
      const retryAt = error.retryAt ?? new Date(Date.now() + restMs)
      throw new NuraError(error.code, error.message, { retryable: true, retryAt, cause: error })
    }
  },
})
