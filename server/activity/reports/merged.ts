import { buildSection, drawTrend, tabulate } from '../build-section.ts'
import type { TellReport } from '../report.ts'
import { sayCount, sayDifference, wasOrWere } from '../say.ts'
import { sayMost } from '../say-most.ts'

/** Pull requests that were merged: how many, by whom, and compared with the time before. */
export const tellMerged: TellReport = async (context) => {
  const { query, reads, select } = context
  const range = query.range!
  const rows = select('pulls merged')
  const { count, bots } = await reads.count(rows)
  const previous = range.previous && (await reads.count(select('pulls merged', range.previous))).count
  const table = await tabulate(context, rows, 'Merged')
  const lead = count === 0
    ? `${context.of === '' ? 'Nothing' : `No pull request${context.of}`} was merged ${range.words}.`
    : `${sayCount(count, 'pull request')}${context.of} ${wasOrWere(count)} merged ${range.words}${sayDifference(count, previous, range.previous?.words)}.`
  return buildSection(context, {
    title: 'Merged',
    figures: [{ label: 'Pull requests merged', value: count, unit: 'count', previous, rows, title: 'Pull requests merged', verb: 'merged' }],
    sentences: [
      { text: lead, of: [0] },
      ...sayMost(table, query.by, 'merged').map((text) => ({ text, of: [0] })),
      ...(bots > 0 ? [{ text: `${sayCount(bots, 'of them', 'of them')} ${wasOrWere(bots)} opened by bots.`, of: [0] }] : []),
    ],
    table,
    chart: await drawTrend(context, 'Pull requests merged', [{ name: 'Merged', rows }]),
  })
}
