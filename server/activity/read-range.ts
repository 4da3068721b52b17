import { addDays, addMonths, daysIn, makeDay, monthOf, quarterOf, toMonday, toParts } from './days.ts'
import type { Day, DayRange } from './days.ts'
import type { AskedRange } from './report-query.ts'

/** What a question says of time: a range with the words that say it, what is unclear about it, or nothing. */
export type ReadRange = { range: AskedRange; said: string } | { unclear: string; said: string } | null

const monthNames = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december']
const shortMonths = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const month = '(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)'
const year = '(?:19|20)\\d\\d'
const date = `\\d{4}-\\d{1,2}-\\d{1,2}|\\d{1,2}(?:st|nd|rd|th)?(?: of)? ${month}\\.?(?:,? ${year})?|${month}\\.? \\d{1,2}(?:st|nd|rd|th)?(?:,? ${year})?(?!\\d)`
const day = `(?:${date}|today|yesterday|(?:last )?(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday))`
/** An end of a range: a day, or something longer, of which the first or the last day is meant. */
const end = `(?:the )?(?:${day}|(?:the )?(?:(?:start|beginning|end) of )?(?:${month}(?: (?:of )?${year})?|q[1-4](?: (?:of )?${year})?|last (?:week|month|quarter|year)|this (?:week|month|quarter|year)|${year}))`
const counts: Record<string, number> = { one: 1, two: 2, three: 3, four: 4, five: 5, six: 6, seven: 7, eight: 8, nine: 9, ten: 10, twelve: 12, couple: 2, 'couple of': 2 }
const count = `(\\d{1,4}|${Object.keys(counts).toSorted((a, b) => b.length - a.length).join('|')})`
const unit = '(day|week|month|quarter|year)'
const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday']

const ask = 'Name one such as «last week», «in October 2026», «since 2026-10-01» or «between 1 and 15 October 2026».'
const sprints = `I do not know when a sprint begins and ends. ${ask.replace('Name one', 'Name its days instead,')}`

type Range = DayRange & { words?: string; previous?: (DayRange & { words: string }) | null }
type Reader = { pattern: RegExp; read(match: RegExpExecArray, today: Day): Range | { unclear: string } | null }

/** The first that is found anywhere in the question wins: what is longer stands before what it holds. */
const readers: Reader[] = [
  { pattern: /\b(?:this|last|previous|current|next|the) (?:sprint|iteration)s?\b/, read: () => ({ unclear: sprints }) },
  { pattern: new RegExp(`\\b(?:between|from) (\\d{1,2})(?:st|nd|rd|th)? (?:and|to|until|till|through|-|–) (${date})`), read: ([, first, last], today) => between(`${first} ${monthIn(last!)}`, last!, today) },
  { pattern: new RegExp(`\\b(?:between|from) (${end}) (?:and|to|until|till|through|up to|-|–) (${end}|now)\\b`), read: ([, first, last], today) => between(first!, last!, today) },
  { pattern: new RegExp(`(\\d{4}-\\d{1,2}-\\d{1,2}) ?(?:to|until|-|–|\\.\\.) ?(\\d{4}-\\d{1,2}-\\d{1,2})`), read: ([, first, last], today) => between(first!, last!, today) },
  { pattern: new RegExp(`\\b(?:since|after|starting) (${end})\\b`), read: ([said, first], today) => since(first!, said.startsWith('after'), today) },
  { pattern: new RegExp(`\\b(?:before|until|till) (?:${end})\\b`), read: () => ({ unclear: `A time has a beginning too. ${ask}` }) },
  { pattern: new RegExp(`\\b(?:in |over |during |for |within )?(?:the )?(?:last|past|previous) ${count} ${unit}s\\b`), read: ([, many, of], today) => lastMany(toCount(many!), of!, today) },
  { pattern: new RegExp(`\\b(?:the )?first quarter (?:of )?(${year})`), read: ([, of], _) => quarterOf(Number(of), 1) },
  { pattern: new RegExp(`\\b(?:the )?(first|second|third|fourth|last) quarter (?:of|in) (${year})`), read: ([, which, of]) => quarterOf(Number(of), ordinals[which!]!) },
  { pattern: new RegExp(`\\b(?:the )?(first|second) half of (${year})`), read: ([, which, of]) => (which === 'first' ? { from: `${of}-01-01`, to: `${of}-06-30` } : { from: `${of}-07-01`, to: `${of}-12-31` }) },
  { pattern: new RegExp(`\\bq([1-4])(?:,? (?:of |in )?(${year}))?\\b|\\b(${year}) ?-?q([1-4])\\b`), read: ([, which, of, early, late], today) => readQuarter(Number(which ?? late), of ?? early, today) },
  { pattern: new RegExp(`\\b(?:the )?week (?:of|starting|beginning) (${date}|\\d{4}-\\d{1,2}-\\d{1,2})`), read: ([, first], today) => weekOf(readDay(first!, today)) },
  { pattern: new RegExp(`\\b(${date})`), read: ([, said], today) => oneDay(readDay(said!, today)) },
  { pattern: /\b(\d{4})-(\d{2})\b(?!-)/, read: ([, of, which]) => (Number(which) >= 1 && Number(which) <= 12 ? monthOf(Number(of), Number(which)) : { unclear: `There is no month ${which}. ${ask}` }) },
  { pattern: new RegExp(`\\b(?:in |during |of |for |over )?(${month})\\.?,? (?:of )?(${year})\\b`), read: ([, which, of]) => monthOf(Number(of), toMonth(which!)) },
  { pattern: /\b(?:the day before yesterday)\b/, read: (_, today) => oneDay(addDays(today, -2)) },
  { pattern: /\btoday\b|\bso far today\b/, read: (_, today) => ({ from: today, to: today, words: 'today' }) },
  { pattern: /\byesterday\b/, read: (_, today) => ({ ...oneDayRange(addDays(today, -1)), words: 'yesterday', previous: { ...oneDayRange(addDays(today, -2)), words: 'the day before' } }) },
  { pattern: /\b(?:the )?week before last\b/, read: (_, today) => weekOf(addDays(today, -14)) },
  { pattern: /\b(?:the )?month before last\b/, read: (_, today) => monthAt(addMonths(today, -2)) },
  { pattern: /\b(?:this|the current) (week|month|quarter|year)\b/, read: ([, of], today) => unitAt(of!, today) },
  { pattern: /\b(?:last|past|previous) (week|month|quarter|year)\b/, read: ([, of], today) => unitAt(of!, shift(today, of!, -1)) },
  { pattern: /\bnext (?:week|month|quarter|year)\b|\btomorrow\b/, read: () => ({ unclear: `That has not begun yet. ${ask}` }) },
  { pattern: /\b(?:this|the) weekend\b|\blast weekend\b/, read: (match, today) => weekend(match[0], today) },
  { pattern: new RegExp(`\\b(?:on |last )(${weekdays.join('|')})\\b`), read: ([, which], today) => oneDay(lastWeekday(which!, today)) },
  { pattern: new RegExp(`\\b(?:in|during|of|for|over|last|this|throughout) (${month})\\b(?! (?:we|i|you|be|have)\\b)`), read: ([, which], today) => recentMonth(which!, today) },
  { pattern: new RegExp(`\\b(${monthNames.filter((name) => name !== 'may' && name !== 'march').join('|')})\\b`), read: ([, which], today) => recentMonth(which!, today) },
  { pattern: new RegExp(`\\b(?:in|during|of|for|over|throughout|all of) (${year})\\b`), read: ([, of]) => ({ from: `${of}-01-01`, to: `${of}-12-31` }) },
]
const ordinals: Record<string, number> = { first: 1, second: 2, third: 3, fourth: 4, last: 4 }

/**
 * Reads the time that a question is about, as the asker's calendar has it today.
 * @param text lower case
 */
export function readRange(text: string, today: Day): ReadRange {
  for (const { pattern, read } of readers) {
    const match = pattern.exec(text)
    if (!match) continue
    const found = read(match, today)
    if (found === null) continue
    const said = match[0]
    if ('unclear' in found) return { unclear: found.unclear, said }
    if (found.to < found.from) return { unclear: `${showDay(found.from)} is after ${showDay(found.to)}, so that is no range of time. Say the earlier day first, such as «between ${found.to} and ${found.from}».`, said }
    if (found.from > today) return { unclear: `${showRange(found)} has not begun yet: today is ${showDay(today)}. ${ask}`, said }
    return { range: toAsked(found, today), said }
  }
  return null
}

/** Such as `16–22 Nov 2026`. */
export function showRange({ from, to }: DayRange): string {
  const [[fromYear, fromMonth, first], [toYear, toMonthOf, last]] = [toParts(from), toParts(to)]
  if (from === to) return showDay(from)
  if (from.endsWith('-01-01') && to === `${fromYear}-12-31`) return String(fromYear)
  const whole = monthOf(fromYear, fromMonth)
  if (whole.from === from && whole.to === to) return `${shortMonths[fromMonth - 1]} ${fromYear}`
  if (fromYear !== toYear) return `${showDay(from)} – ${showDay(to)}`
  if (fromMonth !== toMonthOf) return `${first} ${shortMonths[fromMonth - 1]} – ${showDay(to)}`
  return `${first}–${last} ${shortMonths[toMonthOf - 1]} ${toYear}`
}

export function showDay(of: Day): string {
  const [ofYear, ofMonth, ofDate] = toParts(of)
  return `${ofDate} ${shortMonths[ofMonth - 1]} ${ofYear}`
}

function toAsked(range: Range, today: Day): AskedRange {
  const { from, to } = range
  return { from, to, words: range.words ?? toWords(range), previous: range.previous !== undefined ? range.previous : to >= today ? null : before(range) }
}

/** A range that is a unit of the calendar is compared with the unit before it, any other with as many days. */
function before({ from, to }: DayRange): AskedRange['previous'] {
  const [fromYear, fromMonth] = toParts(from)
  const units: [DayRange, string, Day][] = [
    [weekAt(from), 'the week before', addDays(from, -7)],
    [monthOf(fromYear, fromMonth), 'the month before', addMonths(from, -1)],
    [quarterOf(fromYear, Math.ceil(fromMonth / 3)), 'the quarter before', addMonths(from, -3)],
    [{ from: `${fromYear}-01-01`, to: `${fromYear}-12-31` }, 'the year before', addMonths(from, -12)],
  ]
  const unitOf = units.find(([whole]) => whole.from === from && whole.to === to)
  if (unitOf) return { from: unitOf[2], to: addDays(from, -1), words: unitOf[1] }
  const many = daysIn({ from, to })
  return { from: addDays(from, -many), to: addDays(from, -1), words: many === 1 ? 'the day before' : `the ${many} days before` }
}

function toWords({ from, to }: DayRange): string {
  if (from === to) return `on ${showDay(from)}`
  const week = weekAt(from)
  if (week.from === from && week.to === to) return `in the week of ${showRange({ from, to })}`
  const shown = showRange({ from, to })
  return /^\d+ |–/.test(shown) ? `from ${showDay(from)} to ${showDay(to)}` : `in ${shown}`
}

function between(first: string, last: string, today: Day): Range | { unclear: string } {
  // A day without a year takes that of the other one.
  const ofYear = new RegExp(`\\b${year}\\b`)
  const [from, to] = [first, last].map((said, at) => {
    const other = [last, first][at]!
    const given = !ofYear.test(said) && ofYear.test(other) && new RegExp(month).test(said) ? `${said} ${ofYear.exec(other)![0]}` : said
    return readEnd(given, at === 0 ? 'from' : 'to', today)
  })
  if (typeof from === 'object') return from
  if (typeof to === 'object') return to
  return { from: from!, to: to! }
}

function since(said: string, isAfter: boolean, today: Day): Range | { unclear: string } {
  const from = readEnd(said, isAfter ? 'to' : 'from', today)
  if (typeof from === 'object') return from
  const first = isAfter ? addDays(from, 1) : from
  return { from: first, to: first > today ? first : today, words: `since ${showDay(first)}`, previous: null }
}

function readEnd(said: string, side: 'from' | 'to', today: Day): Day | { unclear: string } {
  const text = said.replace(/^the /, '')
  if (text === 'now') return today
  const edge = /^(?:the )?(start|beginning|end) of /.exec(text)
  const rest = edge ? text.slice(edge[0].length) : text
  const dayRead = new RegExp(`^${day}$`).test(rest) ? readDay(rest, today) : null
  if (dayRead !== null) return dayRead
  const found = readRange(/^(?:last|this)|^(?:19|20)\d\d-/.test(rest) ? rest : `in ${rest}`, today)
  if (found === null) return { unclear: `I do not know which day «${said}» is. ${ask}` }
  if ('unclear' in found) return { unclear: found.unclear }
  return (edge ? edge[1] !== 'end' : side === 'from') ? found.range.from : found.range.to
}

function readDay(said: string, today: Day): Day | { unclear: string } {
  const text = said.replace(/^the /, '')
  if (text === 'today') return today
  if (text === 'yesterday') return addDays(today, -1)
  const weekday = weekdays.find((name) => text.endsWith(name))
  if (weekday) return lastWeekday(weekday, today)
  const iso = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text)
  if (iso) return makeDay(Number(iso[1]), Number(iso[2]), Number(iso[3])) ?? { unclear: noSuchDay(Number(iso[3]), Number(iso[2]), iso[1]!) }
  const written = new RegExp(`(${month})`).exec(text)!
  const ofMonth = toMonth(written[1]!)
  const given = new RegExp(`\\b${year}\\b`).exec(text)?.[0]
  const ofDate = Number(/\b(\d{1,2})(?:st|nd|rd|th)?\b/.exec(text.replace(new RegExp(`\\b${year}\\b`), ''))![1])
  const thisYear = toParts(today)[0]
  if (given) return makeDay(Number(given), ofMonth, ofDate) ?? { unclear: noSuchDay(ofDate, ofMonth, given) }
  const near = makeDay(thisYear, ofMonth, ofDate)
  const found = near !== null && near <= today ? near : makeDay(thisYear - 1, ofMonth, ofDate)
  return found ?? near ?? { unclear: noSuchDay(ofDate, ofMonth) }
}

function noSuchDay(ofDate: number, ofMonth: number, ofYear = ''): string {
  const name = monthNames[ofMonth - 1]
  return name ? `There is no ${ofDate} ${name[0]!.toUpperCase()}${name.slice(1)}${ofYear === '' ? '' : ` ${ofYear}`}. ${ask}` : `There is no month ${ofMonth}. ${ask}`
}

function oneDay(of: Day | { unclear: string }): Range | { unclear: string } {
  return typeof of === 'object' ? of : oneDayRange(of)
}
function oneDayRange(of: Day): DayRange {
  return { from: of, to: of }
}
function weekOf(of: Day | { unclear: string }): Range | { unclear: string } {
  return typeof of === 'object' ? of : weekAt(of)
}
function weekAt(of: Day): DayRange {
  const from = toMonday(of)
  return { from, to: addDays(from, 6) }
}
function monthAt(of: Day): DayRange {
  const [ofYear, ofMonth] = toParts(of)
  return monthOf(ofYear, ofMonth)
}

function unitAt(of: string, at: Day): DayRange {
  const [ofYear, ofMonth] = toParts(at)
  if (of === 'week') return weekAt(at)
  if (of === 'month') return monthOf(ofYear, ofMonth)
  if (of === 'quarter') return quarterOf(ofYear, Math.ceil(ofMonth / 3))
  return { from: `${ofYear}-01-01`, to: `${ofYear}-12-31` }
}

function shift(at: Day, of: string, many: number): Day {
  if (of === 'day') return addDays(at, many)
  if (of === 'week') return addDays(at, many * 7)
  return addMonths(at, many * { month: 1, quarter: 3, year: 12 }[of as 'month']!)
}

/** The last so many days end today; of weeks and longer, so many days back as they have. */
function lastMany(many: number, of: string, today: Day): Range | { unclear: string } {
  if (many < 1) return { unclear: `That is no time at all. ${ask}` }
  const from = of === 'day' ? addDays(today, 1 - many) : addDays(shift(today, of, -many), 1)
  if (toParts(from)[0] < 1970) return { unclear: `That is longer than anything is known for. ${ask}` }
  const length = daysIn({ from, to: today })
  const words = `in the last ${many === 1 ? of : `${many} ${of}s`}`
  return { from, to: today, words, previous: { from: addDays(from, -length), to: addDays(from, -1), words: `the ${many === 1 ? of : `${many} ${of}s`} before` } }
}

function readQuarter(which: number, of: string | undefined, today: Day): DayRange {
  if (of !== undefined) return quarterOf(Number(of), which)
  const thisYear = toParts(today)[0]
  const near = quarterOf(thisYear, which)
  return near.from <= today ? near : quarterOf(thisYear - 1, which)
}

function recentMonth(which: string, today: Day): DayRange {
  const thisYear = toParts(today)[0]
  const near = monthOf(thisYear, toMonth(which))
  return near.from <= today ? near : monthOf(thisYear - 1, toMonth(which))
}

function weekend(said: string, today: Day): DayRange {
  const saturday = addDays(toMonday(today), 5)
  const from = said.startsWith('last') || saturday > today ? addDays(saturday, -7) : saturday
  return { from, to: addDays(from, 1) }
}

/** The last one that is over or begins today. */
function lastWeekday(name: string, today: Day): Day {
  const back = (((new Date(Date.parse(today)).getUTCDay() + 6) % 7) - weekdays.indexOf(name) + 7) % 7
  return addDays(today, -(back === 0 ? 7 : back))
}

function toMonth(said: string): number {
  return monthNames.findIndex((name) => name.startsWith(said.slice(0, 3))) + 1
}
function monthIn(said: string): string {
  const iso = /^(\d{4})-(\d{1,2})-/.exec(said)
  if (iso) return `${monthNames[Number(iso[2]) - 1] ?? 'january'} ${iso[1]}`
  return `${new RegExp(month).exec(said)![0]}${new RegExp(` ?${year}`).exec(said)?.[0] ?? ''}`
}
function toCount(said: string): number {
  return counts[said] ?? Number(said)
}
