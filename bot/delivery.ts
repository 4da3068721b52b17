import { z } from 'zod'
import { Burst } from './burst.ts'

/** What is known of a reply's delivery, kept in its inbox row: a second run continues from here. */
export const Delivery = z.object({
  /** Ids of the messages that show the reply, in order. */
  messages: z.array(z.string()).default([]),
  burst: Burst.optional(),
  /** The stored answer that is shown, and who wrote it. */
  answerId: z.string().optional(),
  agent: z.string().optional(),
  /** What was said below the answer beside it, such as what could not be read. */
  notes: z.array(z.string()).default([]),
  /** Runs whose process died: a row that kills its process must not do so for ever. */
  crashes: z.number().default(0),
})
export type Delivery = z.infer<typeof Delivery>
