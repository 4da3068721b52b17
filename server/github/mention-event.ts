import { z } from 'zod'

/** A comment that asks Nura something, as it is kept of a delivery. All text in it is somebody's, and hostile until shown otherwise. */
export const MentionEvent = z.object({
  kind: z.literal('mention'),
  installationId: z.int().positive(),
  /** GitHub's own number of the repository, which a rename or transfer does not change. */
  externalId: z.int().positive(),
  /** `owner/name` as the delivery had it. */
  repository: z.string(),
  isPrivate: z.boolean(),
  /** Where it was asked: the conversation of an issue or of a pull request, or a thread on lines of a diff. */
  surface: z.enum(['issue', 'pull', 'review']),
  /** Of the issue or pull request. */
  number: z.int().positive(),
  /** The comment that asks; the number of the issue or pull request itself when its own text asks. */
  commentId: z.int().positive(),
  /** The comment that a thread on lines began with; null outside such a thread. */
  rootId: z.int().positive().nullable(),
  author: z.object({ id: z.int().positive(), login: z.string(), type: z.string() }),
  body: z.string(),
  url: z.string(),
})
export type MentionEvent = z.infer<typeof MentionEvent>
