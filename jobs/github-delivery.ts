import { z } from 'zod'
import { defineJob } from './job.ts'
import type { JobContext } from './job.ts'

export type GithubDeliveryParts = {
  /** Carries out the inbox row, if that is still to be done. See `createDeliveries`. */
  runDelivery(inboxId: string, context: JobContext): Promise<void>
}

/** One accepted delivery of GitHub's that nobody waits for with a question gets its outcome. It calls nobody, so it is quick. */
export const githubDelivery = defineJob({
  name: 'github-delivery',
  payload: z.strictObject({ inboxId: z.uuid(), tenantId: z.uuid().optional() }),
  options: { attempts: 5, backoffMs: 1_000, concurrency: 4, perTenant: 3 },
  run: async ({ inboxId }, parts: GithubDeliveryParts, context) => parts.runDelivery(inboxId, context),
})
