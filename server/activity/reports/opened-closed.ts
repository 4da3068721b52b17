import { buildSection, drawTrend, tabulate } from '../build-section.ts'
import type { TellReport } from '../report.ts'
import { sayCount, sayDifference, sayNumber, wasOrWere } from '../say.ts'
import { sayMost } from '../say-most.ts'

/** Issues or pull requests that came and went. */
export const tellOpenedClosed: TellReport = async (context) => {
  const { query, reads, select } = context
  const range = query.range!
  const what = query.of === 'issues' ? 'issue' : 'pull request'
  const [opened, closed] = query.of === 'issues' ? [select('issues opened'), select('issues closed')] : [select('pulls opened'), select('pulls closed')]
  const before = range.previous
  const [openedCount, closedCount] = [await reads.count(opened), await reads.count(closed)]
  const [openedBefore, closedBefore] = before ? [(await reads.count({ ...opened, range: before })).count, (await reads.count({ ...closed, range: before })).count] : [null, null]
  const name = query.of === 'issues' ? 'Issues' : 'Pull requests'
  const [inCount, outCount] = [openedCount.count, closedCount.count]
  const rows = query.first === 'closed' ? closed : opened
  const table = await tabulate(context, rows, query.first === 'closed' ? 'Closed' : 'Opened')
  const lead = inCount + outCount === 0
    ? `No ${what}${context.of} was opened or closed ${range.words}.`
    : query.first === 'closed'
      ? `${sayCount(outCount, what)}${context.of} ${wasOrWere(outCount)} closed ${range.words}${sayDifference(outCount, closedBefore, before?.words)}, and ${sayNumber(inCount)} ${wasOrWere(inCount)} opened.`
      : `${sayCount(inCount, what)}${context.of} ${wasOrWere(inCount)} opened ${range.words}${sayDifference(inCount, openedBefore, before?.words)}, and ${sayNumber(outCount)} ${wasOrWere(outCount)} closed.`
  const difference = inCount - outCount
  return buildSection(context, {
    title: `${name} opened and closed`,
    figures: [
      { label: `${name} opened`, value: inCount, unit: 'count', previous: openedBefore, rows: opened, title: `${name} opened`, verb: 'opened' },
      { label: `${name} closed`, value: outCount, unit: 'count', previous: closedBefore, rows: closed, title: `${name} closed`, verb: 'closed' },
    ],
    sentences: [
      { text: lead, of: [0, 1] },
      ...sayMost(table, query.by, query.first === 'closed' ? 'closed' : 'opened').map((text) => ({ text, of: [0, 1] })),
      ...(difference === 0 || inCount + outCount === 0 ? [] : [{ text: `${sayNumber(Math.abs(difference))} ${difference > 0 ? 'more came than went' : 'more went than came'}.`, of: [0, 1] }]),
    ],
    table,
    chart: await drawTrend(context, `${name} opened and closed`, [{ name: 'Opened', rows: opened }, { name: 'Closed', rows: closed }]),
  })
}
