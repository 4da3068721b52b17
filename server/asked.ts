import { z } from 'zod'
import type { Question } from './answer.ts'
import { Audience } from './retrieval/audience.ts'

/** How a question was asked beside its words, as the row of its answer keeps it: ids and names, no text of anybody. */
export const Asked = z.object({
  audience: z.union([Audience, z.object({ kind: z.literal('repositories'), ids: z.array(z.string()) })]),
  prefer: z.string().nullable(),
  repository: z.string().nullable(),
  timeZone: z.string().nullable(),
  /** What it was answered from that is not kept: the conversation around it, files laid over the index, the evidence of another answer. */
  beside: z.array(z.enum(['conversation', 'overlay', 'retold'])),
})
export type Asked = z.infer<typeof Asked>

export function toAsked({ audience, prefer, repository, timeZone, context = [], overlay, retell }: Question): Asked {
  const beside = { conversation: context.length > 0, overlay: overlay !== undefined, retold: retell !== undefined }
  return {
    audience,
    prefer: prefer ?? null,
    repository: repository ?? null,
    timeZone: timeZone ?? null,
    beside: Asked.shape.beside.element.options.filter((each) => beside[each]),
  }
}
