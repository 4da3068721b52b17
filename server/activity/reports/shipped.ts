import { buildSection, drawTrend, tabulate } from '../build-section.ts'
import type { TellReport } from '../report.ts'
import { sayCount, sayDifference, sayList, wasOrWere } from '../say.ts'

/** What went out: pull requests merged, releases published, deployments that went well. */
export const tellShipped: TellReport = async (context) => {
  const { query, reads, select } = context
  const range = query.range!
  const merged = select('pulls merged')
  const { count, bots } = await reads.count(merged)
  const previous = range.previous && (await reads.count(select('pulls merged', range.previous))).count
  // Labels, branches and people of pull requests say nothing of a release.
  const isNarrow = query.filters.label !== undefined || query.filters.base !== undefined || query.filters.team !== undefined || query.filters.author !== undefined
  const [releases, deployed, failed] = [select('releases'), select('deployments'), select('deployments failed')]
  const [released, deployments, failures] = isNarrow ? [0, 0, 0] : [(await reads.count(releases)).count, (await reads.count(deployed)).count, (await reads.count(failed)).count]
  const others = [
    ...(released > 0 ? [`${sayCount(released, 'release')} published`] : []),
    ...(deployments > 0 ? [`${sayCount(deployments, 'deployment')} made, of which ${failures} failed`] : []),
  ]
  const lead =
    count + released + deployments === 0
      ? `${context.of === '' ? 'Nothing' : `No pull request${context.of}`} was merged ${range.words}${isNarrow ? '' : ', and nothing was released'}${range.previous && previous ? `; ${sayCount(previous, 'pull request')} ${wasOrWere(previous)} merged ${toTime(range.previous.words)}` : ''}.`
      : `${sayCount(count, 'pull request')}${context.of} ${wasOrWere(count)} merged ${range.words}${sayDifference(count, previous, range.previous?.words)}${others.length > 0 ? `; ${sayList(others)}` : ''}.`
  return buildSection(context, {
    title: 'Shipped',
    figures: [
      { label: 'Pull requests merged', value: count, unit: 'count', previous, rows: merged, title: 'Pull requests merged', verb: 'merged' },
      ...(isNarrow ? [] : [{ label: 'Releases published', value: released, unit: 'count' as const, rows: releases, title: 'Releases published', verb: 'published' }]),
      ...(deployments > 0
        ? [
            { label: 'Deployments', value: deployments, unit: 'count' as const, rows: deployed, title: 'Deployments', verb: 'made' },
            { label: 'Deployments that failed', value: failures, unit: 'count' as const, rows: failed, title: 'Deployments that failed', verb: 'made' },
          ]
        : []),
    ],
    sentences: [{ text: lead, of: isNarrow ? [0] : [0, 1, 2] }, ...(bots > 0 ? [{ text: `${sayCount(bots, 'of them', 'of them')} ${wasOrWere(bots)} opened by bots.`, of: [0] }] : [])],
    table: await tabulate(context, merged, 'Merged'),
    chart: await drawTrend(context, 'Pull requests merged', [{ name: 'Merged', rows: merged }]),
  })
}

function toTime(words: string): string {
  return words.startsWith('the day') ? words : `in ${words}`
}
