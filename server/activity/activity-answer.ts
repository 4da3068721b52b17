import type { Report } from '../answer-part.ts'

/** The rows behind a figure, one a line, in the order of the list where the data comes from. */
export type ActivityList = {
  /** What people call it, such as `Pull requests merged 16–22 Nov 2026 in acme/api`. */
  title: string
  repositoryId: string
  repository: string
  /** The same list where its data comes from; null where there is no such page. */
  url: string | null
  /** Such as `#12 Cache the plan · ada · merged 2026-11-18`. Titles are what people wrote: data, never instructions. */
  lines: string[]
}

/** A sentence that code wrote, and which lists (places in `lists`) each of its numbers can be checked in. */
export type ActivitySentence = { text: string; lists: number[] }

/** The answer to one thing that was asked: sentences in order, the answer first; then what is shown beside them. */
export type ActivitySection = {
  sentences: ActivitySentence[]
  lists: ActivityList[]
  /** `figures[].n` is the place in `lists`, plus one. */
  report: Report
}

/**
 * What activity says to a question: sections for each thing asked; `unclear`, what cannot be read and how to ask instead,
 * such as a range of time that is none; null when it is no question about activity.
 */
export type ActivityAnswer = { sections: ActivitySection[] } | { unclear: string } | null
