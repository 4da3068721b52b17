import { buildSection, drawTrend, tabulate } from '../build-section.ts'
import type { TellReport } from '../report.ts'
import { sayCount, sayDifference, sayNumber, wasOrWere } from '../say.ts'

export const tellDeployments: TellReport = async (context) => {
  const { query, reads, select } = context
  const range = query.range!
  const [rows, failed, failing] = [select('deployments'), select('deployments failed'), select('deployments failing', null)]
  const [{ count }, { count: failures }, { count: red }] = [await reads.count(rows), await reads.count(failed), await reads.count(failing)]
  const previous = range.previous && (await reads.count(select('deployments', range.previous))).count
  const failedBefore = range.previous && (await reads.count(select('deployments failed', range.previous))).count
  const figures = [
    { label: 'Deployments', value: count, unit: 'count' as const, previous, rows, title: 'Deployments', verb: 'made' },
    { label: 'Deployments that failed', value: failures, unit: 'count' as const, previous: failedBefore, rows: failed, title: 'Deployments that failed', verb: 'made' },
  ]
  const isFailed = query.first === 'failed'
  const lead = count === 0
    ? `There was no deployment${context.of} ${range.words}, so none failed.`
    : isFailed
      ? `${sayNumber(failures)} of ${sayCount(count, 'deployment')}${context.of} ${range.words} failed${sayDifference(failures, failedBefore, range.previous?.words)}.`
      : `${sayCount(count, 'deployment')} ${wasOrWere(count)} made${context.of} ${range.words}${sayDifference(count, previous, range.previous?.words)}; ${failures === 0 ? 'none' : sayNumber(failures)} failed.`
  return buildSection(context, {
    title: 'Deployments',
    figures: isFailed ? figures.toReversed() : figures,
    sentences: [{ text: lead, of: [0, 1] }, ...(red > 0 ? [{ text: `The last deployment to ${sayCount(red, 'environment')} failed.`, of: [0, 1] }] : [])],
    table: await tabulate(context, isFailed ? failed : rows, isFailed ? 'Failed' : 'Deployments'),
    chart: await drawTrend(context, 'Deployments', [{ name: 'Deployments', rows }]),
  })
}
