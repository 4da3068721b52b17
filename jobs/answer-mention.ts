import { z } from 'zod'
import { defineJob } from './job.ts'
import type { GithubDeliveryParts } from './github-delivery.ts'

/**
 * One person who named Nura on GitHub gets an answer. Apart from the other deliveries: these wait for GitHub and for models,
 * and however long that takes, a push goes on meanwhile.
 */
export const answerMention = defineJob({
  name: 'answer-mention',
  payload: z.strictObject({ inboxId: z.uuid(), tenantId: z.uuid().optional() }),
  options: { attempts: 5, backoffMs: 1_000, concurrency: 100, perTenant: 50 },
  run: async ({ inboxId }, parts: GithubDeliveryParts, context) => parts.runDelivery(inboxId, context),
})
