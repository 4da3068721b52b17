import { z } from 'zod'

/** What the runs of one mention have shown so far, kept with its delivery. `answerId` says which answer a comment is. */
export const MentionState = z.object({
  /** When its first run began: no comment of ours is older. */
  startedAt: z.iso.datetime(),
  /** Our eyes on the comment; `unknown` when GitHub did not say whether they are there. */
  reactionId: z.union([z.int(), z.literal('unknown')]).nullable().default(null),
  /** Of the one comment; kept before the first attempt to write it, after which that attempt may have been carried out. */
  marker: z.uuid().nullable().default(null),
  commentId: z.int().nullable().default(null),
  /** The comment tells, or may tell, of a failure: what comes of a later run takes its place. */
  failed: z.boolean().default(false),
  answerId: z.uuid().nullable().default(null),
  /** Who that answer was made for: with other readers, such as of a repository that became public, another one is made. */
  readers: z.string().nullable().default(null),
})
export type MentionState = z.infer<typeof MentionState>

/** @param delivery null before the first run */
export function toMentionState(delivery: unknown, now: Date): MentionState {
  return MentionState.catch(MentionState.parse({ startedAt: now.toISOString() })).parse(delivery)
}
