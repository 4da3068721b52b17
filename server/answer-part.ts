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
  /** What people call it, such as the title of a page or of a list of pull requests; absent for a file of a repository. */
  title: z.string().optional(),
  /** When what it says was last changed, where its source tells. */
  changedAt: z.iso.datetime().optional(),
})
export type Citation = z.infer<typeof Citation>

/** One cell of a report's table. The address is built by us. */
export const Cell = z.object({ text: z.string(), url: z.string().nullable().optional() })
export type Cell = z.infer<typeof Cell>

/**
 * Numbers about the work in a tenant's repositories. All of them come from SQL; each names the list behind it.
 *
 * `unit` says what a value is: `count`, `hours` and `days` of elapsed time, `percent` 0 to 100.
 */
export const Unit = z.enum(['count', 'hours', 'days', 'percent'])
export type Unit = z.infer<typeof Unit>

export const Report = z.object({
  /** Such as `Shipped, 16–22 Nov 2026`. */
  title: z.string(),
  /** Up to when what it counts is known: the oldest state among the repositories in it. */
  asOf: z.iso.datetime(),
  /** IANA name of the zone that days and weeks were cut in. */
  timeZone: z.string(),
  /** First and last day, inclusive, in that zone; null for the state of now. */
  range: z.object({ from: z.iso.date(), to: z.iso.date() }).nullable(),
  figures: z.array(
    z.object({
      label: z.string(),
      value: z.number(),
      unit: Unit,
      /** The same figure for the time as long before it; null where that says nothing. */
      previous: z.number().nullable(),
      /** Number of the citation whose lines are the list behind the figure. */
      n: z.int().positive().nullable(),
      /** The same list where its data comes from, such as a search on GitHub. */
      url: z.string().nullable(),
    }),
  ),
  table: z
    .object({
      title: z.string(),
      columns: z.array(z.object({ title: z.string(), kind: z.enum(['text', 'number', 'date']) })),
      rows: z.array(z.array(Cell)),
      /** Rows beyond those that are given. */
      more: z.int().nonnegative(),
      /** All rows where their data comes from. */
      url: z.string().nullable(),
    })
    .nullable(),
  /** Where people would rather look than read. Each series has a value for each label. */
  chart: z
    .object({ kind: z.enum(['bar', 'line']), title: z.string(), unit: Unit, labels: z.array(z.string()), series: z.array(z.object({ name: z.string(), values: z.array(z.number()) })) })
    .nullable(),
  /** What it lacks, a sentence each, such as a repository whose history is not read yet; [] when it is whole. */
  missing: z.array(z.string()),
})
export type Report = z.infer<typeof Report>

/** One step of an answer that takes several. Told again with the same `id` when its state changes. */
export const Step = z.object({ id: z.string(), title: z.string(), agent: z.string(), state: z.enum(['pending', 'running', 'done', 'failed']) })
export type Step = z.infer<typeof Step>

/** State of one repository the answer drew from or looked in: the footer's «repo@sha · indexed 4 min ago». */
export const Freshness = z.object({ repository: z.string(), sha: z.string(), branch: z.string().nullable(), indexedAt: z.iso.datetime() })
export type Freshness = z.infer<typeof Freshness>

export const Usage = z.object({ models: z.array(z.string()), tokens: z.int().nonnegative(), costUsd: z.number().nonnegative() })
export type Usage = z.infer<typeof Usage>

/**
 * An answer is a stream of these parts until a surface renders it: any number of `status`, `step`, `text`, `citation` and `report`,
 * then exactly one `done` or `error`.
 *
 * `text` parts concatenate to Markdown that carries `[n]` and no URL; a `citation` part precedes the first text that
 * cites its number.
 */
export const AnswerPart = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('status'), text: z.string() }),
  z.object({ kind: z.literal('text'), markdown: z.string() }),
  z.object({ kind: z.literal('citation'), citation: Citation }),
  z.object({ kind: z.literal('report'), report: Report }),
  z.object({ kind: z.literal('step'), step: Step }),
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
    /** Seconds until asking again is of use, where that is known. */
    retryAfter: z.number().optional(),
  }),
])
export type AnswerPart = z.infer<typeof AnswerPart>
export type AnswerDone = Extract<AnswerPart, { kind: 'done' }>
