import { z } from 'zod'
import type { Db } from '#db/index.ts'
import { listOpenOffboardings, offboardTenant } from '#db/shared/offboard-tenant.ts'
import { toCacheReceipt } from '#server/cache/to-cache-receipt.ts'
import type { Logger } from '#server/log.ts'
import { defineJob } from './job.ts'

export type OffboardParts = { db: Db; log: Logger; dropCached?(tenantId: string): Promise<number | null> }

/** Ends deletions of tenants that were begun and broke off. */
export const finishOffboarding = defineJob({
  name: 'finish-offboarding',
  payload: z.strictObject({}),
  options: { attempts: 1, backoffMs: 0, concurrency: 1, every: { ms: 30_000 } },
  async run(_, { db, log, dropCached }: OffboardParts, { signal }) {
    signal.throwIfAborted()
    for (const tenantId of await listOpenOffboardings(db)) {
      signal.throwIfAborted()
      await offboardTenant(db, tenantId, { dropElsewhere: async (id) => toCacheReceipt(await dropCached?.(id)) })
      log.info({ tenantId }, 'deletion of a tenant ended')
    }
  },
})
