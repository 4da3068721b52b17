import { z } from 'zod'
import type { Db } from '#db/index.ts'
import type { GithubApp } from '#server/github/app.ts'
import { syncInstallation as sync } from '#server/github/sync-installation.ts'
import type { Logger } from '#server/log.ts'
import type { Enqueue } from './enqueue.ts'
import { defineJob } from './job.ts'

export type SyncInstallationParts = { db: Db; enqueue: Enqueue; log: Logger; /** Null where no App is configured. */ github: GithubApp | null }

/** Makes the rows of a GitHub installation equal to what GitHub says of it. */
export const syncInstallation = defineJob({
  name: 'sync-installation',
  payload: z.strictObject({ tenantId: z.uuid(), installationId: z.int().positive() }),
  options: { attempts: 8, backoffMs: 2_000, concurrency: 4, perTenant: 3 },
  async run({ tenantId, installationId }, { github, ...parts }: SyncInstallationParts, { signal }) {
    signal.throwIfAborted()
    if (github) await sync({ ...parts, github }, await parts.db.tenant(tenantId), installationId, signal)
  },
})
