import { z } from 'zod'
import { Audience } from '../retrieval/audience.ts'

/** Who will read the answer, as a query says it: `?audience=channel&id=slack:T0123:C0456`. */
export const audienceFields = {
  audience: z.enum(['tenant', 'channel', 'person', 'public'], 'must be tenant, channel, person or public').default('tenant'),
  id: z.string().min(1).max(200).optional().describe('Of the channel or person'),
}
type AudienceQuery = z.output<z.ZodObject<typeof audienceFields>>

/** For `refine`: whether the id is there where it is needed, and nowhere else. */
export function hasItsId({ audience, id }: AudienceQuery): boolean {
  return (id !== undefined) === (audience === 'channel' || audience === 'person')
}
export const idFault = { path: ['id'], message: 'is for channel and person, and needed there' }

export function toAudience({ audience, id }: AudienceQuery): Audience {
  return Audience.parse({ kind: audience, id })
}
