import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toHappenings } from './happenings.ts'

const pull = fc.tuple(fc.nat(1000), fc.nat(1000), fc.array(fc.nat(100), { maxLength: 3 })).map(([openedAt, took, reviews]) => ({
  number: 1, repository: 'shop', title: 'A change', author: 'ada', labels: [], commits: ['a'], openedAt, mergedAt: openedAt + took,
  reviews: reviews.map((percent, at) => ({ author: `reviewer-${at}`, at: openedAt + Math.floor((took * percent) / 100) })),
}))

test('things happen in the order of time, and none before what it needs', () => {
  fc.assert(
    fc.property(fc.array(pull, { maxLength: 8 }), (some) => {
      const pulls = some.map((each, at) => ({ ...each, number: at + 1 }))
      const issues = pulls.map(({ openedAt, mergedAt, number }) => ({ number: number + 100, repository: 'shop', title: 'A wish', labels: [], openedAt, closedAt: mergedAt }))
      const all = toHappenings({ pulls, issues, releases: [{ repository: 'shop', tag: 'v1', publishedAt: 500 }] })
      expect(all.map(({ at }) => at)).toEqual(all.map(({ at }) => at).sort((a, b) => a - b))
      expect(all).toHaveLength(4 * pulls.length + pulls.flatMap(({ reviews }) => reviews).length + 1)
      for (const { number } of pulls) {
        const kinds = all.flatMap((each) => ('pull' in each && each.pull.number === number ? [each.kind] : []))
        expect([kinds[0], kinds.at(-1)]).toEqual(['pull opened', 'pull merged'])
        const issue = all.flatMap((each) => ('issue' in each && each.issue.number === number + 100 ? [each.kind] : []))
        expect(issue).toEqual(['issue opened', 'issue closed'])
      }
    }),
  )
})
