import { buildSection, drawTrend, tabulate } from '../build-section.ts'
import type { TellReport } from '../report.ts'
import { toDay } from '../days.ts'
import { sayCount, sayDifference, wasOrWere } from '../say.ts'

export const tellReleases: TellReport = async (context) => {
  const { query, reads, select } = context
  const range = query.range!
  const rows = select('releases')
  const { count } = await reads.count(rows)
  const previous = range.previous && (await reads.count(select('releases', range.previous))).count
  const latest = (await reads.list(select('releases', null), { most: 1, first: 'newest' })).flatMap(({ lines }) => lines).toSorted((a, b) => b.at.getTime() - a.at.getTime())[0]
  const last = latest ? [{ text: `The last one is ${latest.title.replace(/\s+/g, ' ')} of ${toDay(latest.at, context.timeZone)}.`, of: [0] }] : []
  return buildSection(context, {
    title: 'Releases',
    figures: [{ label: 'Releases published', value: count, unit: 'count', previous, rows, title: 'Releases published', verb: 'published' }],
    sentences: [{ text: count === 0 ? `No release${context.of} was published ${range.words}.` : `${sayCount(count, 'release')}${context.of} ${wasOrWere(count)} published ${range.words}${sayDifference(count, previous, range.previous?.words)}.`, of: [0] }, ...last],
    table: await tabulate(context, rows, 'Releases'),
    chart: await drawTrend(context, 'Releases', [{ name: 'Releases', rows }]),
  })
}
