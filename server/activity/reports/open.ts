import { buildSection, tabulate } from '../build-section.ts'
import type { TellReport } from '../report.ts'
import { sayCount, sayHours } from '../say.ts'
import { sayMost } from '../say-most.ts'
import { toAgeHours } from '../to-age-hours.ts'

/** What is open now, and how old the oldest of it is: for `open` the number comes first, for `oldest` the age. */
export const tellOpen: TellReport = async (context) => {
  const { query, reads, select, now } = context
  const rows = select(query.of === 'issues' ? 'issues open' : 'pulls open', null)
  const [what, name] = query.of === 'issues' ? ['issue', 'Open issues'] : ['pull request', 'Open pull requests']
  const { count, bots } = await reads.count(rows)
  const hours = await toAgeHours(reads, rows, now)
  const table = await tabulate(context, rows, 'Open')
  const figures = [
    { label: name, value: count, unit: 'count' as const, rows, title: name, verb: 'open for' },
    ...(hours === null ? [] : [{ label: `Age of the oldest open ${what}`, value: hours / 24, unit: 'days' as const, rows, title: name, verb: 'open for' }]),
  ]
  const isOldest = query.kind === 'oldest'
  const counted = count === 0 ? `No ${what}${context.of} is open.` : `${sayCount(count, what)}${context.of} ${count === 1 ? 'is' : 'are'} open.`
  const aged = hours === null ? [] : [`The oldest open ${what}${isOldest ? context.of : ''} was opened ${sayHours(hours)} ago.`]
  return buildSection(context, {
    title: name,
    isNow: true,
    figures: isOldest ? figures.toReversed() : figures,
    sentences: [
      ...(isOldest && hours !== null ? [...aged, counted] : [counted, ...sayMost(table, query.by, 'open'), ...aged]),
      ...(bots > 0 ? [`${sayCount(bots, 'of them', 'of them')} ${bots === 1 ? 'is' : 'are'} by bots.`] : []),
    ].map((text) => ({ text, of: [0] })),
    table,
  })
}
