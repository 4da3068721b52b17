import { z } from 'zod'
import type { Db } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { exclusively } from '#db/shared/exclusive.ts'
import { findRepository, removeRepository } from '#db/tenant/repositories.ts'
import { toSyncKey } from '#server/indexing/sync-key.ts'
import { defineJob } from './job.ts'

/** Milliseconds before a run looks again whether the sync has ended. */
const busyMs = 500

/** Deletes a repository that is marked as `forgetting`, and everything indexed of it. A payload alone forgets nothing. */
export const forgetRepository = defineJob({
  name: 'forget-repository',
  payload: z.strictObject({ tenantId: z.uuid(), repositoryId: z.uuid() }),
  options: { attempts: 8, backoffMs: 2_000, concurrency: 2 },
  async run({ tenantId, repositoryId }, parts: { db: Db }, { signal }) {
    signal.throwIfAborted()
    const tenant = await parts.db.tenant(tenantId)
    // A sync that still writes would fill what this empties; it ends when it sees the state, or by itself.
    const ran = await exclusively(parts.db, toSyncKey(tenantId, repositoryId), async () => {
      if ((await findRepository(tenant, repositoryId))?.state === 'forgetting') await removeRepository(tenant, repositoryId)
    })
    if (!ran) throw new NuraError('sync-running', 'The repository is still being indexed.', { retryable: true, retryAt: new Date(Date.now() + busyMs) })
  },
})
