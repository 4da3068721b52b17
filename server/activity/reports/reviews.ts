import { buildSection, drawTrend, tabulate } from '../build-section.ts'
import type { TellReport } from '../report.ts'
import { sayCount, sayDifference, wasOrWere } from '../say.ts'
import { sayMost } from '../say-most.ts'

/** Who reviews, and how much. What somebody says on an own pull request is no review. */
export const tellReviews: TellReport = async (told) => {
  const context = { ...told, query: { ...told.query, by: told.query.by ?? ('author' as const) } }
  const { query, reads, select } = context
  const range = query.range!
  const rows = select('reviews')
  const { count, bots } = await reads.count(rows)
  const previous = range.previous && (await reads.count(select('reviews', range.previous))).count
  const table = await tabulate(context, rows, 'Reviews')
  return buildSection(context, {
    title: 'Reviews',
    figures: [{ label: 'Reviews given', value: count, unit: 'count', previous, rows, title: 'Reviews', verb: 'reviewed' }],
    sentences: [
      { text: count === 0 ? `No review${context.of} was given ${range.words}.` : `${sayCount(count, 'review')}${context.of} ${wasOrWere(count)} given ${range.words}${sayDifference(count, previous, range.previous?.words)}.`, of: [0] },
      ...sayMost(table, query.by, 'reviews').map((text) => ({ text, of: [0] })),
      ...(bots > 0 ? [{ text: `${sayCount(bots, 'of them', 'of them')} ${wasOrWere(bots)} given by bots.`, of: [0] }] : []),
    ],
    table,
    chart: await drawTrend(context, 'Reviews', [{ name: 'Reviews', rows }]),
  })
}
