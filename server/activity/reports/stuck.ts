import { buildSection, tabulate } from '../build-section.ts'
import type { CountedFigure } from '../build-section.ts'
import type { TellReport } from '../report.ts'
import { sayCount, sayNumber } from '../say.ts'

/**
 * What does not move: open pull requests that nobody pushed to or reviewed for so many days. Those that wait for a first review
 * or for their author, and environments whose last deployment failed, are told beside it.
 */
export const tellStuck: TellReport = async (context) => {
  const { query, reads, select } = context
  const isNarrow = query.filters.label !== undefined || query.filters.base !== undefined || query.filters.team !== undefined || query.filters.author !== undefined
  const [rows, unreviewed, sentBack, failing] = [select('pulls quiet', null), select('pulls unreviewed', null), select('pulls sent back', null), select('deployments failing', null)]
  const [{ count, bots }, { count: waiting }, { count: back }] = [await reads.count(rows), await reads.count(unreviewed), await reads.count(sentBack)]
  const red = isNarrow ? 0 : (await reads.count(failing)).count
  const days = sayCount(query.days, 'day')
  const figures: CountedFigure[] = [
    { label: `Stuck: no push or review for more than ${days}`, value: count, unit: 'count', rows, title: 'Stuck pull requests', verb: 'quiet for' },
    { label: 'Waiting for a first review', value: waiting, unit: 'count', rows: unreviewed, title: 'Pull requests without a review', verb: 'waiting for' },
    { label: 'Changes requested', value: back, unit: 'count', rows: sentBack, title: 'Pull requests with changes requested', verb: 'in review for' },
    ...(isNarrow ? [] : [{ label: 'Environments whose last deployment failed', value: red, unit: 'count' as const, rows: failing, title: 'Deployments that failed', verb: 'failed for' }]),
  ]
  return buildSection(context, {
    title: 'Stuck',
    isNow: true,
    figures,
    sentences: [
      {
        text: count === 0 ? `No pull request${context.of} is stuck: none was without a push or review for more than ${days}.` : `${sayCount(count, 'pull request')}${context.of} ${count === 1 ? 'is' : 'are'} stuck, without a push or review for more than ${days}.`,
        of: [0],
      },
      { text: `${sayNumber(waiting)} ${waiting === 1 ? 'waits' : 'wait'} for a first review, and ${sayNumber(back)} ${back === 1 ? 'has' : 'have'} changes requested.`, of: [1, 2] },
      ...(red > 0 ? [{ text: `The last deployment to ${sayCount(red, 'environment')} failed.`, of: [3] }] : []),
      ...(bots > 0 ? [{ text: `${sayCount(bots, 'of the stuck ones', 'of the stuck ones')} ${bots === 1 ? 'is' : 'are'} by bots.`, of: [0] }] : []),
    ],
    table: await tabulate(context, rows, 'Stuck'),
  })
}
