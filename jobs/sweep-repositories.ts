import { z } from 'zod'
import { exclusively } from '#db/shared/exclusive.ts'
import { listTenants } from '#db/shared/tenants.ts'
import { listRepositories } from '#db/tenant/repositories.ts'
import { toSyncKey } from '#server/indexing/sync-key.ts'
import { defineJob } from './job.ts'
import type { SweepParts } from './sweep-inbox.ts'

/** Queues again the repositories whose state says that there is work and that nobody is at. */
export const sweepRepositories = defineJob({
  name: 'sweep-repositories',
  payload: z.strictObject({}),
  options: { attempts: 1, backoffMs: 0, concurrency: 1, every: { ms: 15_000 } },
  async run(_, { db, enqueue }: SweepParts, { signal }) {
    for (const { id: tenantId } of await listTenants(db)) {
      signal.throwIfAborted()
      for (const { id: repositoryId, state } of await listRepositories(await db.tenant(tenantId))) {
        if (state === 'ready' || state === 'failed') continue
        // One that is at work needs no hint, and would take it for a wish to run once more.
        const isIdle = await exclusively(db, toSyncKey(tenantId, repositoryId), async () => undefined)
        if (isIdle) await enqueue(state === 'forgetting' ? 'forget-repository' : 'sync-repository', { tenantId, repositoryId }, { dedupe: repositoryId })
      }
    }
  },
})
