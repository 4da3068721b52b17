import type { History, Issue, Pull } from './read-history.ts'
import { toLocalDay } from './local-day.ts'
import type { Measure } from './measure.ts'

export type Moment = {
  /** Seconds since 1970; what came later is not known yet. */
  at: number
  zone: string
  /** Team → logins. */
  teams: Record<string, string[]>
}
/** What a list is told apart by. */
export type Aspect = 'author' | 'label' | 'team' | 'repository' | 'month'

type Counted = { author: string | null; labels: string[]; repository: string; at: number }

/** The number that a measure has at a moment, counted from the history as it was read from git. Null where there is none, such as the median of nothing. */
export function countByHand(history: History, measure: Measure, moment: Moment): number | null {
  const { at } = moment
  switch (measure.of) {
    case 'hours to merge':
      return toQuantile(mergedIn(history, measure, moment).map(({ openedAt, mergedAt }) => (mergedAt - openedAt) / 3600), measure.quantile)
    case 'hours to review':
      return toQuantile(mergedIn(history, measure, moment).flatMap(({ openedAt, reviews }) => (reviews.length === 0 ? [] : [(Math.min(...reviews.map((review) => review.at)) - openedAt) / 3600])), measure.quantile)
    case 'pulls open':
      return openPulls(history, measure, moment).length
    case 'issues open':
      return openIssues(history, measure, moment).length
    case 'pulls quiet':
      return openPulls(history, measure, moment).filter((pull) => at - lastTouched(pull, at) > measure.days * 86_400).length
    case 'pulls unreviewed':
      return openPulls(history, measure, moment).filter(({ reviews }) => reviews.every((review) => review.at > at)).length
    case 'days of the oldest pull':
      return toAge(openPulls(history, measure, moment), at)
    case 'days of the oldest issue':
      return toAge(openIssues(history, measure, moment), at)
    default:
      return listByHand(history, measure, moment).length
  }
}

/** How often each name occurs among what a measure counts, most first. A pull request with two labels counts for both. */
export function rankByHand(history: History, measure: Measure, by: Aspect, moment: Moment): { name: string; count: number }[] {
  const names = listByHand(history, measure, moment).flatMap((each) => namesOf(each, by, moment))
  return [...Map.groupBy(names, (name) => name)].map(([name, all]) => ({ name, count: all.length })).sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
}

function listByHand(history: History, measure: Measure, moment: Moment): Counted[] {
  switch (measure.of) {
    case 'pulls merged':
      return within(history.pulls.map((pull) => ({ ...pull, at: pull.mergedAt })), measure, moment)
    case 'pulls opened':
      return within(history.pulls.map((pull) => ({ ...pull, at: pull.openedAt })), measure, moment)
    case 'issues opened':
      return within(history.issues.map((issue) => ({ ...issue, author: null, at: issue.openedAt })), measure, moment)
    case 'issues closed':
      return within(history.issues.map((issue) => ({ ...issue, author: null, at: issue.closedAt })), measure, moment)
    case 'releases':
      return within(history.releases.map(({ repository, publishedAt }) => ({ repository, author: null, labels: [], at: publishedAt })), measure, moment)
    case 'reviews':
      return within(history.pulls.flatMap(({ repository, labels, reviews }) => reviews.map(({ author, at }) => ({ repository, labels, author, at }))), measure, moment)
    case 'pulls open':
      return openPulls(history, measure, moment).map((pull) => ({ ...pull, at: pull.openedAt }))
    case 'issues open':
      return openIssues(history, measure, moment).map((issue) => ({ ...issue, author: null, at: issue.openedAt }))
    default:
      throw new Error(`${measure.of} is no list`)
  }
}

type Named = { repository?: string; label?: string; author?: string; team?: string }

function within(all: Counted[], { from, to, ...named }: Named & { from: string; to: string }, moment: Moment): Counted[] {
  return all.filter((each) => {
    const day = toLocalDay(each.at, moment.zone)
    return each.at <= moment.at && from <= day && day <= to && isMeant(each, named, moment)
  })
}

function mergedIn(history: History, { from, to, ...named }: Named & { from: string; to: string }, moment: Moment): Pull[] {
  return history.pulls.filter((pull) => within([{ ...pull, at: pull.mergedAt }], { from, to, ...named }, moment).length > 0)
}

function openPulls(history: History, named: Named, moment: Moment): Pull[] {
  return history.pulls.filter((pull) => pull.openedAt <= moment.at && moment.at < pull.mergedAt && isMeant(pull, named, moment))
}

function openIssues(history: History, named: Named, moment: Moment): Issue[] {
  return history.issues.filter((issue) => issue.openedAt <= moment.at && moment.at < issue.closedAt && isMeant({ ...issue, author: null }, named, moment))
}

function isMeant({ repository, labels, author }: Omit<Counted, 'at'>, named: Named, { teams }: Moment): boolean {
  if (named.repository !== undefined && named.repository !== repository) return false
  if (named.label !== undefined && !labels.includes(named.label)) return false
  if (named.author !== undefined && named.author !== author) return false
  return named.team === undefined || (author !== null && teams[named.team]!.includes(author))
}

function namesOf({ author, labels, repository, at }: Counted, by: Aspect, { teams, zone }: Moment): string[] {
  if (by === 'label') return labels
  if (by === 'repository') return [repository]
  if (by === 'month') return [toLocalDay(at, zone).slice(0, 7)]
  if (author === null) return []
  return by === 'author' ? [author] : Object.keys(teams).filter((team) => teams[team]!.includes(author))
}

function lastTouched({ openedAt, reviews }: Pull, at: number): number {
  return Math.max(openedAt, ...reviews.map((review) => review.at).filter((time) => time <= at))
}

function toAge(open: { openedAt: number }[], at: number): number | null {
  return open.length === 0 ? null : (at - Math.min(...open.map(({ openedAt }) => openedAt))) / 86_400
}

/** Between two values in proportion, as most people's spreadsheets do it. */
function toQuantile(values: number[], quantile: number): number | null {
  if (values.length === 0) return null
  const sorted = values.toSorted((a, b) => a - b)
  const place = (sorted.length - 1) * quantile
  const below = sorted[Math.floor(place)]!
  return below + (sorted[Math.ceil(place)]! - below) * (place - Math.floor(place))
}
