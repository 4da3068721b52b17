import { z } from 'zod'

const Day = z.iso.date()
/** All that is named must hold. */
const where = { repository: z.string().optional(), label: z.string().optional(), author: z.string().optional(), team: z.string().optional() }
const range = { from: Day, to: Day }

/** What a number in an answer must be, in words that the history can be counted by. Days are the asker's, both inclusive. */
export const Measure = z.discriminatedUnion('of', [
  z.strictObject({ of: z.literal('pulls merged'), ...range, ...where }),
  z.strictObject({ of: z.literal('pulls opened'), ...range, ...where }),
  z.strictObject({ of: z.literal('issues opened'), ...range, ...where }),
  z.strictObject({ of: z.literal('issues closed'), ...range, ...where }),
  z.strictObject({ of: z.literal('releases'), ...range, ...where }),
  /** `author` is who reviewed. */
  z.strictObject({ of: z.literal('reviews'), ...range, ...where }),
  /** Of the pull requests merged in the range: from opened to merged, and from opened to the first review. */
  z.strictObject({ of: z.literal('hours to merge'), quantile: z.number().min(0).max(1), ...range, ...where }),
  z.strictObject({ of: z.literal('hours to review'), quantile: z.number().min(0).max(1), ...range, ...where }),
  z.strictObject({ of: z.literal('pulls open'), ...where }),
  z.strictObject({ of: z.literal('issues open'), ...where }),
  /** Open, and nothing happened for so many days: neither opened nor reviewed. */
  z.strictObject({ of: z.literal('pulls quiet'), days: z.number().positive(), ...where }),
  z.strictObject({ of: z.literal('pulls unreviewed'), ...where }),
  z.strictObject({ of: z.literal('days of the oldest pull'), ...where }),
  z.strictObject({ of: z.literal('days of the oldest issue'), ...where }),
])
export type Measure = z.infer<typeof Measure>
