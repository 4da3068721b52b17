import type { TellReport } from '../report.ts'
import type { ReportKind } from '../report-query.ts'
import { tellCycleTime } from './cycle-time.ts'
import { tellDeployments } from './deployments.ts'
import { tellInReview } from './in-review.ts'
import { tellMerged } from './merged.ts'
import { tellOpen } from './open.ts'
import { tellOpenedClosed } from './opened-closed.ts'
import { tellReleases } from './releases.ts'
import { tellReviews } from './reviews.ts'
import { tellShipped } from './shipped.ts'
import { tellStuck } from './stuck.ts'

/** THE list of reports: each kind that a question may ask for has one. */
export const reports: Record<ReportKind, TellReport> = {
  shipped: tellShipped,
  merged: tellMerged,
  'opened-closed': tellOpenedClosed,
  'in-review': tellInReview,
  stuck: tellStuck,
  'cycle-time': tellCycleTime,
  releases: tellReleases,
  deployments: tellDeployments,
  reviews: tellReviews,
  open: tellOpen,
  oldest: tellOpen,
}
