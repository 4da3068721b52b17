import type { Quantiles } from '#db/tenant/activity-counts.ts'
import { buildSection } from '../build-section.ts'
import type { CountedFigure } from '../build-section.ts'
import type { TellReport } from '../report.ts'
import { sayCount, sayHours, sayNumber } from '../say.ts'

/** How long pull requests took, of those merged in the range: from opened to merged, and to the first review by somebody else. */
export const tellCycleTime: TellReport = async (context) => {
  const { query, reads, select } = context
  const range = query.range!
  const rows = select('pulls merged')
  const whole = (await reads.durations(rows))[0]
  const before = range.previous ? (await reads.durations(select('pulls merged', range.previous)))[0] : undefined
  const toFigures = (of: 'toMerge' | 'toReview', label: string, tail: string): CountedFigure[] =>
    ([['median', 'Median'], ['p90', '90th percentile of']] as const).flatMap(([quantile, name]) => {
      const hours = whole?.[of][quantile] ?? null
      return hours === null ? [] : [toFigure(`${name} ${label}`, hours, before?.[of][quantile] ?? null, tail)]
    })
  const toFigure = (label: string, hours: number, previous: number | null, tail: string): CountedFigure => {
    const inDays = hours >= 48
    return { label, value: inDays ? hours / 24 : hours, unit: inDays ? 'days' : 'hours', previous: previous === null ? null : inDays ? previous / 24 : previous, rows, title: 'Pull requests merged', verb: tail }
  }
  const merge = toFigures('toMerge', 'time from opening to merge', 'merged')
  const review = toFigures('toReview', 'wait for the first review', 'merged')
  const count = whole?.toMerge.count ?? 0
  const said = {
    merge: (of: Quantiles) => of.count === 1
        ? `The one pull request${context.of} that went in ${range.words} took ${sayHours(of.median!)} from opening to merge.`
        : `Half of the ${sayCount(of.count, 'pull request')}${context.of} that went in ${range.words} took ${sayHours(of.median!)} or less from opening to merge, and nine in ten ${sayHours(of.p90!)} or less.`,
    review: (of: Quantiles) => of.count === 1
        ? `The one pull request${context.of} that was merged ${range.words} and reviewed got the first review after ${sayHours(of.median!)}.`
        : `Half of the ${sayCount(of.count, 'pull request')}${context.of} that were merged ${range.words} and reviewed got the first review within ${sayHours(of.median!)}, and nine in ten within ${sayHours(of.p90!)}.`,
  }
  const isReview = query.first === 'review'
  const sentences = [
    ...(whole && whole.toMerge.median !== null ? [said.merge(whole.toMerge)] : []),
    ...(whole && whole.toReview.median !== null ? [said.review(whole.toReview)] : []),
  ]
  const unreviewed = count - (whole?.toReview.count ?? 0)
  const by = query.by === 'author' || query.by === 'label' || query.by === 'team' || query.by === 'repository' ? query.by : null
  const parts = by === null ? [] : await reads.durations(rows, by)
  return buildSection(context, {
    title: isReview ? 'Wait for review' : 'Cycle time',
    figures: isReview ? [...review, ...merge] : [...merge, ...review],
    sentences: [
      ...(count === 0 ? [`No pull request${context.of} was merged ${range.words}, so there is no time to measure.`] : isReview && sentences.length > 1 ? sentences.toReversed() : sentences),
      ...(unreviewed > 0 ? [`${sayNumber(unreviewed)} of the merged ones had no review by anybody else.`] : []),
    ].map((text) => ({ text, of: [0] })),
    table:
      by === null || parts.length === 0
        ? null
        : {
            title: `Cycle time by ${by}`,
            columns: [{ title: `${by[0]!.toUpperCase()}${by.slice(1)}`, kind: 'text' }, { title: 'Merged', kind: 'number' }, { title: 'Median', kind: 'text' }, { title: '90th percentile', kind: 'text' }],
            rows: parts.map(({ name, toMerge }) => [{ text: name ?? '' }, { text: String(toMerge.count) }, { text: toMerge.median === null ? '' : sayHours(toMerge.median) }, { text: toMerge.p90 === null ? '' : sayHours(toMerge.p90) }]),
            more: 0,
            url: null,
          },
  })
}
