import { z } from 'zod'
import { listTenants } from '#db/shared/tenants.ts'
import { listRepositories } from '#db/tenant/repositories.ts'
import { polledKinds } from '#server/sources/index.ts'
import { defineJob } from './job.ts'
import type { SweepParts } from './sweep-inbox.ts'

/** How old the last look at a source may be that tells nobody of its changes. */
const lookEveryMs = 15 * 60_000

/** Has wikis and trackers looked at every quarter of an hour; those that failed too, as what they lack may have been granted. */
export const sweepSources = defineJob({
  name: 'sweep-sources',
  payload: z.strictObject({}),
  options: { attempts: 1, backoffMs: 0, concurrency: 1, every: { ms: 60_000 } },
  async run(_, { db, enqueue }: SweepParts, { signal }) {
    for (const { id: tenantId } of await listTenants(db)) {
      signal.throwIfAborted()
      for (const { id: repositoryId, source, state, lookedAt } of await listRepositories(await db.tenant(tenantId))) {
        if (!polledKinds.includes(source) || (state !== 'ready' && state !== 'failed')) continue
        if (Date.now() - new Date(lookedAt ?? 0).getTime() < lookEveryMs) continue
        await enqueue('sync-repository', { tenantId, repositoryId }, { dedupe: repositoryId })
      }
    }
  },
})
