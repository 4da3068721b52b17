import type { Repository } from '#db/tenant/repository.ts'
import type { ActivitySelection } from '#db/tenant/activity-selection.ts'

/** What GitHub's own search calls the rows of each thing; null where it has no page that lists the same. */
const searches: Record<ActivitySelection['of'], { page: 'pulls' | 'issues'; words: string; time: string | null } | null> = {
  'pulls merged': { page: 'pulls', words: 'is:pr is:merged', time: 'merged' },
  'pulls opened': { page: 'pulls', words: 'is:pr', time: 'created' },
  'pulls closed': { page: 'pulls', words: 'is:pr is:closed', time: 'closed' },
  'pulls open': { page: 'pulls', words: 'is:pr is:open', time: null },
  'pulls in review': { page: 'pulls', words: 'is:pr is:open draft:false', time: null },
  'pulls unreviewed': { page: 'pulls', words: 'is:pr is:open draft:false review:none', time: null },
  'pulls sent back': { page: 'pulls', words: 'is:pr is:open draft:false review:changes_requested', time: null },
  // GitHub counts comments and labels as updates too, so that its list is another one.
  'pulls quiet': null,
  'issues opened': { page: 'issues', words: 'is:issue', time: 'created' },
  'issues closed': { page: 'issues', words: 'is:issue is:closed', time: 'closed' },
  'issues open': { page: 'issues', words: 'is:issue is:open', time: null },
  releases: null,
  deployments: null,
  'deployments failed': null,
  'deployments failing': null,
  reviews: null,
}
const pages: Partial<Record<ActivitySelection['of'], string>> = { releases: 'releases', deployments: 'deployments', 'deployments failed': 'deployments', 'deployments failing': 'deployments' }

/** Address of the page of the repository's own host that lists the rows of a selection; null where there is none that does. */
export function toSearchUrl(repository: Pick<Repository, 'url' | 'source'>, selection: ActivitySelection): string | null {
  if (repository.source !== 'github' || !repository.url || selection.team !== undefined) return null
  const page = pages[selection.of]
  if (page !== undefined) return `${repository.url}/${page}`
  const search = searches[selection.of]
  if (search === null) return null
  const { range, timeZone, label, author, base } = selection
  const words = [
    search.words,
    ...(search.time && range ? [`${search.time}:${toInstant(range.from, '00:00:00', timeZone)}..${toInstant(range.to, '23:59:59', timeZone)}`] : []),
    ...(label === undefined ? [] : [`label:"${label.replaceAll('"', '')}"`]),
    ...(author === undefined ? [] : [`author:${author.replace(/\[bot\]$/, '').replace(/[^\w-]/g, '')}`]),
    ...(base === undefined ? [] : [`base:${base.replace(/\s/g, '')}`]),
  ]
  return `${repository.url}/${search.page}?q=${encodeURIComponent(words.join(' '))}`
}

/** A time of a day as a clock in the zone shows it, such as `2020-03-29T00:00:00+01:00`. On the day that clocks change both ends have offsets of their own. */
export function toInstant(day: string, time: string, timeZone: string): string {
  const offset = offsetAt(Date.parse(`${day}T${time}Z`), timeZone)
  // The offset at that time of day may be another one than at the instant that was tried first.
  const settled = offsetAt(Date.parse(`${day}T${time}${offset}`), timeZone)
  return `${day}T${time}${settled}`
}

const formats = new Map<string, Intl.DateTimeFormat>()
function offsetAt(at: number, timeZone: string): string {
  const format = formats.get(timeZone) ?? new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
  formats.set(timeZone, format)
  const name = format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT'
  const offset = /GMT([+-]\d\d:\d\d)/.exec(name)?.[1]
  return offset ?? '+00:00'
}
