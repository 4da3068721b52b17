import type { ActivityReads } from '#db/tenant/activity-counts.ts'
import type { ActivitySelection, ActivityThing } from '#db/tenant/activity-selection.ts'
import type { Repository } from '#db/tenant/repository.ts'
import type { ActivitySection } from './activity-answer.ts'
import type { ReportQuery } from './report-query.ts'

/** What every report is told: what was asked, of which rows, and what to say of all of them. */
export type ReportContext = {
  query: ReportQuery
  reads: ActivityReads
  /** Those that may be read, are followed, and are meant. */
  repositories: Repository[]
  timeZone: string
  now: Date
  asOf: Date
  /** Sentences about what the rows lack. */
  missing: string[]
  /** Such as ` in acme/shop labelled bug by ada`: what the question named. */
  of: string
  /** Rows of this thing within what the question named; over its range unless another one is given. */
  select(of: ActivityThing, range?: { from: string; to: string } | null): ActivitySelection
}

/** One kind of report: SQL counts, this tells. */
export type TellReport = (context: ReportContext) => Promise<ActivitySection>
