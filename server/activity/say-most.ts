import type { Report } from '../answer-part.ts'
import type { Aspect } from './report-query.ts'
import { sayList } from './say.ts'

/** Who or what has most of what was asked for, where it was asked; several where they have as many. */
export function sayMost(table: Report['table'], by: Aspect | null, done: string): string[] {
  const [first] = table?.rows ?? []
  if (!table || by === null || !first) return []
  const most = first[1]!.text
  const leaders = table.rows.filter((row) => row[1]!.text === most).map((row) => row[0]!.text)
  if (leaders.length > 3) return [`${leaders.length} share the first place with ${most} ${done} each.`]
  return [`Most by ${by}: ${sayList(leaders)} with ${most} ${done}${leaders.length > 1 ? ' each' : ''}.`]
}
