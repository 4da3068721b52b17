import { z } from 'zod'
import { listTenants } from '#db/shared/tenants.ts'
import { untoldAnswers } from '#db/tenant/changed-answers.ts'
import { defineJob } from './job.ts'
import type { SweepParts } from './sweep-inbox.ts'

/** Most answers of a tenant that are queued at once; the others follow. */
const most = 20

/** Queues the answers whose sources have changed, and whose readers do not know it yet. */
export const sweepAnswers = defineJob({
  name: 'sweep-answers',
  payload: z.strictObject({}),
  options: { attempts: 1, backoffMs: 0, concurrency: 1, every: { ms: 10_000 } },
  async run(_, { db, enqueue }: SweepParts, { signal }) {
    for (const { id: tenantId } of await listTenants(db)) {
      signal.throwIfAborted()
      for (const { id: answerId } of await untoldAnswers(await db.tenant(tenantId), most)) await enqueue('tell-changed', { tenantId, answerId }, { dedupe: answerId })
    }
  },
})
