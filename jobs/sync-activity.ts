import { z } from 'zod'
import type { Db } from '#db/index.ts'
import { readActivityOf } from '#server/github/activity/sync-activity.ts'
import type { GithubApp } from '#server/github/app.ts'
import type { Logger } from '#server/log.ts'
import { defineJob } from './job.ts'

export type SyncActivityParts = { db: Db; log: Logger; /** Null where no App is configured. */ github: GithubApp | null }

/** Reads what happened in a repository since the last look, and goes on with its history. */
export const syncActivity = defineJob({
  name: 'sync-activity',
  payload: z.strictObject({ tenantId: z.uuid(), repositoryId: z.uuid() }),
  options: { attempts: 8, backoffMs: 5_000, concurrency: 3, perTenant: 2 },
  async run({ tenantId, repositoryId }, { github, ...parts }: SyncActivityParts, { signal }) {
    signal.throwIfAborted()
    if (github) await readActivityOf({ ...parts, github }, await parts.db.tenant(tenantId), repositoryId, signal)
  },
})
