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

/**
 * What `answer` and `search` take from our own code beside what comes over the wire: `repositories`, exactly those, for
 * readers whose rights were decided already, such as the people of a thread in a private repository.
 */
export type DecidedAudience = Audience | { kind: 'repositories'; ids: string[] }
