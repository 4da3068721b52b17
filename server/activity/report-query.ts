import { z } from 'zod'

/** A range of whole days in the asker's zone, both inclusive. */
const AskedRange = z.object({
  from: z.iso.date(),
  to: z.iso.date(),
  /** As it stands in a sentence, such as `in the week of 16–22 Nov`. */
  words: z.string(),
  /** The time as long before it and what that is called; null where the range is not over or has no such time. */
  previous: z.object({ from: z.iso.date(), to: z.iso.date(), words: z.string() }).nullable(),
})
export type AskedRange = z.infer<typeof AskedRange>

export const Aspect = z.enum(['author', 'label', 'team', 'repository', 'day', 'week', 'month'])
export type Aspect = z.infer<typeof Aspect>

/** What is named must hold. Names are as they were asked; whether there is such a thing is for the rows to say. */
const Filters = z.object({
  /** Full or short name. */
  repository: z.string().optional(),
  label: z.string().optional(),
  team: z.string().optional(),
  author: z.string().optional(),
  base: z.string().optional(),
})
export type Filters = z.infer<typeof Filters>

/** One thing that was asked about the work in repositories. */
export const ReportQuery = z.object({
  kind: z.enum(['shipped', 'merged', 'opened-closed', 'in-review', 'stuck', 'cycle-time', 'releases', 'deployments', 'reviews', 'open', 'oldest']),
  of: z.enum(['pulls', 'issues']),
  /** Null for the state of now. */
  range: AskedRange.nullable(),
  /** What the numbers are told apart by. */
  by: Aspect.nullable(),
  filters: Filters,
  /** Days without activity after which a pull request is stuck. */
  days: z.int().positive(),
  /** What the question is after first, of those that a kind tells. */
  first: z.enum(['opened', 'closed', 'failed', 'review', 'merge']).nullable(),
})
export type ReportQuery = z.infer<typeof ReportQuery>
export type ReportKind = ReportQuery['kind']
