import { z } from 'zod'
import type { Db } from '#db/index.ts'
import { unfinished } from '#db/shared/inbox.ts'
import { toDeliveryJob } from '#server/github/hints.ts'
import type { Logger } from '#server/log.ts'
import type { Enqueue } from './enqueue.ts'
import { defineJob } from './job.ts'

export type SweepParts = { db: Db; enqueue: Enqueue; log: Logger }

/** Younger rows have a hint on its way, or a run that renews its claim. */
const olderThanMs = 5_000
const most = 500

/**
 * Queues again what the inbox says is unfinished: the queue was away or wiped, or a worker died between its claim and its
 * end. A hint too many is harmless: of any number of runs one wins the claim.
 */
export const sweepInbox = defineJob({
  name: 'sweep-inbox',
  payload: z.strictObject({}),
  options: { attempts: 1, backoffMs: 0, concurrency: 1, every: { ms: 3_000 } },
  async run(_, { db, enqueue, log }: SweepParts, { signal }) {
    const rows = await unfinished(db, { olderThanMs, limit: most })
    for (const row of rows) {
      signal.throwIfAborted()
      await enqueue(row.surface === 'github' ? toDeliveryJob(row.kind) : 'answer-turn', { inboxId: row.id, tenantId: row.tenantId }, { dedupe: row.id })
    }
    if (rows.length > 0) log.info({ rows: rows.length }, 'unfinished turns queued again')
  },
})
