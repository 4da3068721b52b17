import { buildSection, tabulate } from '../build-section.ts'
import type { TellReport } from '../report.ts'
import { sayCount, sayHours, sayNumber } from '../say.ts'
import { toAgeHours } from '../to-age-hours.ts'

/** What is in review now, and how long it has been. Drafts are not: nobody is to look at them yet. */
export const tellInReview: TellReport = async (context) => {
  const { reads, select, now } = context
  const [rows, unreviewed, sentBack] = [select('pulls in review', null), select('pulls unreviewed', null), select('pulls sent back', null)]
  const [{ count, bots }, { count: waiting }, { count: back }] = [await reads.count(rows), await reads.count(unreviewed), await reads.count(sentBack)]
  const oldest = await toAgeHours(reads, rows, now)
  return buildSection(context, {
    title: 'In review',
    isNow: true,
    figures: [
      { label: 'Open pull requests in review', value: count, unit: 'count', rows, title: 'Pull requests in review', verb: 'in review for' },
      { label: 'Waiting for a first review', value: waiting, unit: 'count', rows: unreviewed, title: 'Pull requests without a review', verb: 'waiting for' },
      { label: 'Changes requested', value: back, unit: 'count', rows: sentBack, title: 'Pull requests with changes requested', verb: 'in review for' },
    ],
    sentences: [
      {
        text: count === 0 ? `No pull request${context.of} is in review now.` : `${sayCount(count, 'pull request')}${context.of} ${count === 1 ? 'is' : 'are'} in review now: ${sayNumber(waiting)} without a review yet, ${sayNumber(back)} with changes requested.`,
        of: [0, 1, 2],
      },
      ...(oldest === null ? [] : [{ text: `The longest has been in review for ${sayHours(oldest)}.`, of: [0] }]),
      ...(bots > 0 ? [{ text: `${sayCount(bots, 'of them', 'of them')} ${bots === 1 ? 'is' : 'are'} by bots.`, of: [0] }] : []),
    ],
    table: await tabulate(context, rows, 'In review'),
  })
}
