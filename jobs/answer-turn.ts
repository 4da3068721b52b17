import { z } from 'zod'
import { defineJob } from './job.ts'
import type { JobContext } from './job.ts'

export type AnswerTurnParts = {
  /** Carries out the inbox row, if that is still to be done. */
  runTurn(inboxId: string, context: JobContext): Promise<void>
}

/** One accepted event gets its outcome. Runs in the bot's process, because the answer is delivered by its platform. */
export const answerTurn = defineJob({
  name: 'answer-turn',
  payload: z.strictObject({ inboxId: z.uuid(), tenantId: z.uuid().optional() }),
  options: { attempts: 5, backoffMs: 1000, concurrency: 100, perTenant: 50 },
  run: async ({ inboxId }, parts: AnswerTurnParts, context) => parts.runTurn(inboxId, context),
})
