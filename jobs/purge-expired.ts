import { z } from 'zod'
import type { Db } from '#db/index.ts'
import { purge } from '#db/shared/inbox.ts'
import { listTenants } from '#db/shared/tenants.ts'
import { purgeGone } from '#db/tenant/embeddings.ts'
import { purgeExpired as purgeThreads } from '#db/tenant/threads.ts'
import type { Logger } from '#server/log.ts'
import { goneDays, inboxDays } from '#server/retention.ts'
import { defineJob } from './job.ts'

const dayMs = 24 * 3_600_000

/** Deletes what has lived its time: finished events, threads and answers, chunks that left the sources. */
export const purgeExpired = defineJob({
  name: 'purge-expired',
  payload: z.strictObject({}),
  options: { attempts: 1, backoffMs: 0, concurrency: 1, every: { ms: 3_600_000 } },
  async run(_, { db, log }: { db: Db; log: Logger }, { signal }) {
    signal.throwIfAborted()
    const now = Date.now()
    const events = await purge(db, new Date(now - inboxDays * dayMs))
    let [threads, answers, chunks] = [0, 0, 0]
    for (const { id } of await listTenants(db)) {
      signal.throwIfAborted()
      const tenant = await db.tenant(id)
      const expired = await purgeThreads(tenant, new Date(now))
      threads += expired.threads
      answers += expired.answers
      chunks += await purgeGone(tenant, new Date(now - goneDays * dayMs))
    }
    if (events + threads + answers + chunks > 0) log.info({ events, threads, answers, chunks }, 'expired data deleted')
  },
})
