import type { ActivityReads } from '#db/tenant/activity-counts.ts'
import type { ActivitySelection } from '#db/tenant/activity-selection.ts'

/** Hours since the oldest row of a selection; null when it has none. */
export async function toAgeHours(reads: ActivityReads, rows: ActivitySelection, now: Date): Promise<number | null> {
  const oldest = (await reads.list(rows, { most: 1, first: 'oldest' })).flatMap(({ lines }) => lines.map(({ at }) => at.getTime()))
  return oldest.length === 0 ? null : (now.getTime() - Math.min(...oldest)) / 3_600_000
}
