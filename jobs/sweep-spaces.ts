import { z } from 'zod'
import { exclusively } from '#db/shared/exclusive.ts'
import { listTenants } from '#db/shared/tenants.ts'
import { readCorpus } from '#db/tenant/corpus.ts'
import { toSpaceKey } from '#server/indexing/space-key.ts'
import type { Embedders } from '#server/models/embedder.ts'
import { defineJob } from './job.ts'
import type { SweepParts } from './sweep-inbox.ts'

/** Queues the changes of embedding space that are under way, or leave something to clear away, and that nobody is at. */
export const sweepSpaces = defineJob({
  name: 'sweep-spaces',
  payload: z.strictObject({}),
  options: { attempts: 1, backoffMs: 0, concurrency: 1, every: { ms: 30_000 } },
  async run(_, { db, enqueue, log, embedders }: SweepParts & { embedders: Pick<Embedders, 'of'> }, { signal }) {
    for (const { id: tenantId } of await listTenants(db)) {
      signal.throwIfAborted()
      const { nextSpace, nextStale } = await readCorpus(await db.tenant(tenantId))
      if (nextSpace === null && !nextStale) continue
      if (nextSpace !== null && embedders.of(nextSpace) === null) {
        log.warn({ tenantId, space: nextSpace }, 'a change of embedding space waits: EMBEDDING_MODELS of this process names no model of that space')
        continue
      }
      const isIdle = await exclusively(db, toSpaceKey(tenantId), async () => undefined)
      if (isIdle) await enqueue('change-space', { tenantId }, { dedupe: tenantId })
    }
  },
})
