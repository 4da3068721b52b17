import type { ActivityLine } from '#db/tenant/activity-counts.ts'
import type { ActivitySelection } from '#db/tenant/activity-selection.ts'
import type { Report, Unit } from '../answer-part.ts'
import type { ActivityList, ActivitySection } from './activity-answer.ts'
import { daysIn, toBuckets, toDay } from './days.ts'
import { toSearchUrl } from './github-search.ts'
import { showRange } from './read-range.ts'
import type { ReportContext } from './report.ts'
import type { Aspect } from './report-query.ts'
import { sayCount, sayNumber } from './say.ts'

/** A figure, and the rows that it is counted from. Several figures may be counted from the same rows. */
export type CountedFigure = { label: string; value: number; unit: Unit; previous?: number | null; rows: ActivitySelection | null; title: string; /** What a line says at its end, such as `merged`. */ verb: string }

type Parts = {
  title: string
  figures: CountedFigure[]
  /** The first is the answer. `of`: places of the figures that its numbers come from. */
  sentences: { text: string; of: number[] }[]
  table?: Report['table']
  chart?: Report['chart']
  isNow?: boolean
}

/** Rows of one list that are given; how many more there are is said. */
const mostLines = 300
/** Lists of one figure: of the repositories that have most. */
const mostLists = 8

/** Puts a section together: the list behind each figure, what links to it, and the sentences over it. */
export async function buildSection(context: ReportContext, { title, figures, sentences, table = null, chart = null, isNow = false }: Parts): Promise<ActivitySection> {
  const { query, repositories, timeZone, now, asOf, missing } = context
  const byId = new Map(repositories.map((each) => [each.id, each]))
  const lists: ActivityList[] = []
  const listsOf = new Map<ActivitySelection, number[]>()
  const spans = query.range && !isNow ? ` ${showRange(query.range)}` : ''
  for (const { rows, value, title: what, verb } of figures) {
    if (rows === null || value === 0 || listsOf.has(rows)) continue
    const found = await context.reads.list(rows, { most: mostLines, first: rows.range === null ? 'oldest' : 'newest', repositories: mostLists })
    const places = found.map(({ repositoryId, total, lines }) => {
      const repository = byId.get(repositoryId)!
      const more = total - lines.length
      const told = lines.map((line) => toLine(line, verb, timeZone, rows.range === null ? now : null))
      return lists.push({ title: `${what}${spans} in ${repository.name}`, repositoryId, repository: repository.name, url: toSearchUrl(repository, rows), lines: [...told, ...(more > 0 ? [`and ${sayNumber(more)} more`] : [])] }) - 1
    })
    listsOf.set(rows, places)
  }
  const places = figures.map(({ rows }) => (rows === null ? [] : (listsOf.get(rows) ?? [])))
  const only = repositories.length === 1 ? repositories[0]! : null
  return {
    sentences: sentences.map(({ text, of }) => ({ text, lists: [...new Set(of.flatMap((at) => places[at] ?? []))] })),
    lists,
    report: {
      title: `${title}${isNow || query.range === null ? '' : `, ${showRange(query.range)}`}`,
      asOf: asOf.toISOString(),
      timeZone,
      range: isNow || query.range === null ? null : { from: query.range.from, to: query.range.to },
      figures: figures.map(({ label, value, unit, previous = null, rows }, at) => ({
        label, value, unit, previous,
        // Where its rows are in several lists, no single one is the whole.
        n: places[at]!.length === 1 ? places[at]![0]! + 1 : null,
        url: rows === null ? null : toFigureUrl(lists, places[at]!) ?? (only && toSearchUrl(only, rows)),
      })),
      table,
      chart,
      missing,
    },
  }
}

function toFigureUrl(lists: ActivityList[], places: number[]): string | null {
  return places.length === 1 ? lists[places[0]!]!.url : null
}

/** `#12 Cache the plan · ada · merged 2026-11-18`; of what is so now, since when. */
function toLine({ number, title, author, isBot, at }: ActivityLine, verb: string, timeZone: string, now: Date | null): string {
  const day = toDay(at, timeZone)
  const since = now === null ? `${verb} ${day}` : `${verb} ${sayCount(Math.floor((now.getTime() - at.getTime()) / 86_400_000), 'day')} (since ${day})`
  const words = title.replace(/\s+/g, ' ').trim()
  return `${number === null ? '' : `#${number} `}${words} · ${author}${isBot && !/\[bot\]$/.test(author) ? ' (bot)' : ''} · ${since}`
}

const titles: Record<Aspect, string> = { author: 'Author', label: 'Label', team: 'Team', repository: 'Repository', day: 'Day', week: 'Week', month: 'Month' }
const mostRows = 25
const mostDays = 62

/** Rows told apart by what the question asks, or by repository where there are several. Null where that says nothing. */
export async function tabulate(context: ReportContext, rows: ActivitySelection, column: string): Promise<Report['table']> {
  const by = context.query.by ?? (context.repositories.length > 1 ? 'repository' : null)
  if (by === null) return null
  const ranked = await context.reads.rank(rows, by, by === 'day' || by === 'week' || by === 'month' ? mostDays : mostRows)
  if (ranked.rows.length === 0) return null
  const urls = new Map(context.repositories.map(({ name, url }) => [name, url]))
  return {
    title: `${column} by ${by}`,
    columns: [{ title: titles[by], kind: 'text' }, { title: column, kind: 'number' }],
    rows: ranked.rows.map(({ name, count }) => [by === 'repository' ? { text: name, url: urls.get(name) ?? null } : { text: name }, { text: String(count) }]),
    more: ranked.names - ranked.rows.length,
    url: null,
  }
}

/** How something went over the range of the question, day by day or in weeks or months. Null for a single day. */
export async function drawTrend(context: ReportContext, title: string, series: { name: string; rows: ActivitySelection }[]): Promise<Report['chart']> {
  const range = series[0]?.rows.range
  if (!range || range.from === range.to) return null
  const days = daysIn(range)
  const unit = context.query.by === 'month' ? 'month' : days <= 31 ? 'day' : days <= 190 ? 'week' : 'month'
  const labels = toBuckets(range, unit)
  const trends = await Promise.all(series.map(({ rows }) => context.reads.trend(rows, unit)))
  return {
    kind: series.length > 1 ? 'line' : 'bar', title: `${title} by ${unit}`, unit: 'count',
    labels: unit === 'month' ? labels.map((label) => label.slice(0, 7)) : labels,
    series: series.map(({ name }, at) => ({ name, values: labels.map((label) => trends[at]!.get(label) ?? 0) })),
  }
}
