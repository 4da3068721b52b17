import type { History, Issue, Pull, Release, Review } from './read-history.ts'

/** One thing that happened on GitHub. */
export type Happening = { at: number } & (
  | { kind: 'pull opened' | 'pull merged'; pull: Pull }
  | { kind: 'pull reviewed'; pull: Pull; review: Review }
  | { kind: 'issue opened' | 'issue closed'; issue: Issue }
  | { kind: 'release'; release: Release }
)

/** A history in the order of time. What happened in one second stays in the order in which it must have happened. */
export function toHappenings({ pulls, issues, releases }: History): Happening[] {
  const all: Happening[] = [
    ...pulls.map((pull) => ({ kind: 'pull opened' as const, at: pull.openedAt, pull })),
    ...issues.map((issue) => ({ kind: 'issue opened' as const, at: issue.openedAt, issue })),
    ...pulls.flatMap((pull) => pull.reviews.map((review) => ({ kind: 'pull reviewed' as const, at: review.at, pull, review }))),
    ...pulls.map((pull) => ({ kind: 'pull merged' as const, at: pull.mergedAt, pull })),
    ...issues.map((issue) => ({ kind: 'issue closed' as const, at: issue.closedAt, issue })),
    ...releases.map((release) => ({ kind: 'release' as const, at: release.publishedAt, release })),
  ]
  return all.toSorted((a, b) => a.at - b.at)
}
