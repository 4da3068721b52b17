import { z } from 'zod'

/**
 * Who will read the answer. It decides, before any text is read, which sources may be retrieved.
 *
 * `tenant`: sources open to everyone in the tenant. `channel` and `person`: those, and the sources granted to that
 * channel or person; ids look like `slack:T0123:C0456`, `slack:T0123:U0456`. `public`: public repositories only.
 * An id that Nura does not know gets what `public` gets.
 */
export const Audience = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('tenant') }),
  z.object({ kind: z.literal('channel'), id: z.string().min(1).max(200) }),
  z.object({ kind: z.literal('person'), id: z.string().min(1).max(200) }),
  z.object({ kind: z.literal('public') }),
])
export type Audience = z.infer<typeof Audience>
