import { z } from 'zod'

/** Where a claim of an answer comes from. `n` is the number the text cites as `[n]`. */
export const Citation = z.object({
  n: z.int().positive(),
  repository: z.string(),
  path: z.string(),
  /** 1-based, inclusive. */
  startLine: z.int().positive(),
  endLine: z.int().positive(),
  /** Full commit id at which these lines are exact. */
  sha: z.string(),
  /** Permalink built by us; null when the repository has no web address. */
  url: z.string().nullable(),
})
export type Citation = z.infer<typeof Citation>

/** State of one repository the answer drew from or looked in: the footer's «repo@sha · indexed 4 min ago». */
export const Freshness = z.object({ repository: z.string(), sha: z.string(), branch: z.string().nullable(), indexedAt: z.iso.datetime() })
export type Freshness = z.infer<typeof Freshness>

export const Usage = z.object({ models: z.array(z.string()), tokens: z.int().nonnegative(), costUsd: z.number().nonnegative() })
export type Usage = z.infer<typeof Usage>

/**
 * An answer is a stream of these parts until a surface renders it: any number of `status`, `text` and `citation`,
 * then exactly one `done` or `error`.
 *
 * `text` parts concatenate to Markdown that carries `[n]` and no URL; a `citation` part precedes the first text that
 * cites its number.
 */
export const AnswerPart = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('status'), text: z.string() }),
  z.object({ kind: z.literal('text'), markdown: z.string() }),
  z.object({ kind: z.literal('citation'), citation: Citation }),
  z.object({
    kind: z.literal('done'),
    /** Id of the stored answer: «Why?», feedback and deletion name it. */
    answerId: z.string(),
    agent: z.string(),
    /** True when the sources do not hold the answer; the text then names the closest files. */
    abstained: z.boolean(),
    freshness: z.array(Freshness),
    usage: Usage,
    /** A sentence or two to show below the answer, such as that the day's budget for language models is used up. */
    notice: z.string().optional(),
    /** Milliseconds by phase: `choose`, `retrieve`, `answer`, `total`. */
    timings: z.record(z.string(), z.number()),
    /** Trace id, the same on every log line of the turn. */
    trace: z.string(),
  }),
  z.object({
    kind: z.literal('error'),
    code: z.string(),
    message: z.string(),
    retryable: z.boolean(),
    /** Short reference that finds the log lines, such as `7F3A91`. */
    ref: z.string(),
  }),
])
export type AnswerPart = z.infer<typeof AnswerPart>
export type AnswerDone = Extract<AnswerPart, { kind: 'done' }>
