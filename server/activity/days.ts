/** Days are ISO dates, such as `2026-11-27`: their arithmetic knows no clock and no zone. */
export type Day = string
export type DayRange = { from: Day; to: Day }

const formats = new Map<string, Intl.DateTimeFormat>()

/** The day that a calendar in the zone shows at an instant. */
export function toDay(at: Date, timeZone: string): Day {
  const format = formats.get(timeZone) ?? new Intl.DateTimeFormat('en-US', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' })
  formats.set(timeZone, format)
  // Lists hold thousands of days, and the parts one by one would take most of the time of a report.
  const [month, date, year] = format.format(at).split('/')
  return `${year}-${month}-${date}`
}

export function addDays(day: Day, days: number): Day {
  return toIso(Date.parse(day) + days * 86_400_000)
}

/** The same day so many months later, or the last of that month where it has no such day. */
export function addMonths(day: Day, months: number): Day {
  const [year, month, date] = toParts(day)
  const first = Date.UTC(year, month - 1 + months, 1)
  const target = new Date(first)
  return toIso(Date.UTC(target.getUTCFullYear(), target.getUTCMonth(), Math.min(date, lastDateOf(target.getUTCFullYear(), target.getUTCMonth() + 1))))
}

/** Null for what no calendar has, such as 31 February. @param month 1 to 12 */
export function makeDay(year: number, month: number, date: number): Day | null {
  if (month < 1 || month > 12 || date < 1 || date > lastDateOf(year, month)) return null
  return toIso(Date.UTC(year, month - 1, date))
}

export function toParts(day: Day): [year: number, month: number, date: number] {
  return day.split('-').map(Number) as [number, number, number]
}

export function daysIn({ from, to }: DayRange): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000) + 1
}

/** Weeks begin on Monday. */
export function toMonday(day: Day): Day {
  return addDays(day, -((new Date(Date.parse(day)).getUTCDay() + 6) % 7))
}

/** @param month 1 to 12; 13 is January of the next year */
export function monthOf(year: number, month: number): DayRange {
  const from = toIso(Date.UTC(year, month - 1, 1))
  return { from, to: addDays(toIso(Date.UTC(year, month, 1)), -1) }
}

/** The first days of the days, weeks or months that a range touches. */
export function toBuckets({ from, to }: DayRange, unit: 'day' | 'week' | 'month'): Day[] {
  const buckets = new Set<Day>()
  for (let day = from; day <= to; day = addDays(day, 1)) buckets.add(unit === 'day' ? day : unit === 'week' ? toMonday(day) : `${day.slice(0, 7)}-01`)
  return [...buckets]
}

export function quarterOf(year: number, quarter: number): DayRange {
  return { from: monthOf(year, quarter * 3 - 2).from, to: monthOf(year, quarter * 3).to }
}

function lastDateOf(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate()
}

function toIso(ms: number): Day {
  return new Date(ms).toISOString().slice(0, 10)
}
