import fc from 'fast-check'
import { expect, test } from 'vitest'
import { countByHand, rankByHand } from './count-by-hand.ts'
import type { History } from './read-history.ts'

const at = (time: string) => Date.parse(time) / 1000
const pull = (number: number, openedAt: string, mergedAt: string, more: Partial<History['pulls'][number]> = {}) => ({
  number, repository: 'shop', title: 'A change', author: 'ada', labels: [], reviews: [], commits: ['a'], openedAt: at(openedAt), mergedAt: at(mergedAt), ...more,
})
const history: History = {
  pulls: [
    pull(1, '2020-03-01T00:00:00Z', '2020-03-02T00:00:00Z', { labels: ['win', 'fs'] }),
    // 29 March in Berlin, whose clock goes forward that night; the 28th in New York.
    pull(2, '2020-03-01T00:00:00Z', '2020-03-29T00:30:00Z', { author: 'grace', labels: ['win'], reviews: [{ author: 'ada', at: at('2020-03-03T00:00:00Z') }] }),
    pull(3, '2020-03-20T00:00:00Z', '2020-04-10T00:00:00Z', { repository: 'shop-docs', reviews: [{ author: 'ada', at: at('2020-04-09T00:00:00Z') }] }),
  ],
  issues: [{ number: 4, repository: 'shop', title: 'A wish', labels: ['bug'], openedAt: at('2020-03-05T00:00:00Z'), closedAt: at('2020-03-29T00:30:00Z') }],
  releases: [{ repository: 'shop', tag: 'v1', publishedAt: at('2020-03-31T22:30:00Z') }],
}
const berlin = { at: at('2020-04-01T06:00:00Z'), zone: 'Europe/Berlin', teams: { core: ['grace'] } }
const march = { from: '2020-03-01', to: '2020-03-31' }

test('what happened is counted by the days of the asker, as far as it is known', () => {
  const day = { from: '2020-03-29', to: '2020-03-29' }
  expect(countByHand(history, { of: 'pulls merged', ...day }, berlin)).toBe(1)
  expect(countByHand(history, { of: 'pulls merged', ...day }, { ...berlin, zone: 'America/New_York' })).toBe(0)
  expect(countByHand(history, { of: 'releases', ...march }, berlin)).toBe(0)
  expect(countByHand(history, { of: 'releases', ...march }, { ...berlin, zone: 'UTC' })).toBe(1)
  expect(countByHand(history, { of: 'pulls merged', from: '2020-03-01', to: '2020-12-31' }, berlin)).toBe(2)
  expect(countByHand(history, { of: 'issues closed', ...march, label: 'bug' }, berlin)).toBe(1)
  expect(countByHand(history, { of: 'issues opened', ...march, label: 'wish' }, berlin)).toBe(0)
  expect(countByHand(history, { of: 'reviews', ...march, author: 'ada' }, berlin)).toBe(1)
})

test('everything that is named must hold', () => {
  const merged = (named: object) => countByHand(history, { of: 'pulls merged', ...march, ...named }, berlin)
  expect([merged({}), merged({ label: 'win' }), merged({ label: 'fs' }), merged({ author: 'ada' }), merged({ team: 'core' }), merged({ repository: 'shop-docs' }), merged({ team: 'core', label: 'fs' })]).toEqual([2, 2, 1, 1, 1, 0, 0])
})

test('what is open is so at the moment alone', () => {
  const early = { ...berlin, at: at('2020-03-21T00:00:00Z') }
  expect([berlin, early].map((moment) => countByHand(history, { of: 'pulls open' }, moment))).toEqual([1, 2])
  expect([berlin, early].map((moment) => countByHand(history, { of: 'issues open' }, moment))).toEqual([0, 1])
  expect([berlin, early].map((moment) => countByHand(history, { of: 'pulls unreviewed' }, moment))).toEqual([1, 1])
  expect([3, 17, 19].map((days) => countByHand(history, { of: 'pulls quiet', days }, early))).toEqual([1, 1, 0])
  expect(countByHand(history, { of: 'days of the oldest pull' }, early)).toBe(20)
  expect(countByHand(history, { of: 'days of the oldest issue' }, berlin)).toBeNull()
})

test('a quantile lies between two values in proportion', () => {
  const hours = (quantile: number) => countByHand(history, { of: 'hours to merge', quantile, ...march }, berlin)
  expect([hours(0), hours(0.5), hours(0.9)]).toEqual([24, (24 + 672.5) / 2, 24 + (672.5 - 24) * 0.9])
  expect(countByHand(history, { of: 'hours to review', quantile: 0.5, ...march }, berlin)).toBe(48)
  expect(countByHand(history, { of: 'hours to merge', quantile: 0.5, from: '2021-01-01', to: '2021-01-31' }, berlin)).toBeNull()
})

test('lists are told apart, most first', () => {
  const merged = { of: 'pulls merged', ...march } as const
  expect(rankByHand(history, merged, 'label', berlin)).toEqual([{ name: 'win', count: 2 }, { name: 'fs', count: 1 }])
  expect(rankByHand(history, merged, 'author', berlin)).toEqual([{ name: 'ada', count: 1 }, { name: 'grace', count: 1 }])
  expect(rankByHand(history, merged, 'team', berlin)).toEqual([{ name: 'core', count: 1 }])
  expect(rankByHand(history, { of: 'pulls opened', ...march }, 'repository', berlin)).toEqual([{ name: 'shop', count: 2 }, { name: 'shop-docs', count: 1 }])
})

test('the days of any zone add up to the whole', () => {
  const merges = fc.array(fc.integer({ min: at('2020-03-27T12:00:00Z'), max: at('2020-03-31T12:00:00Z') }), { maxLength: 20 })
  fc.assert(
    fc.property(merges, fc.constantFrom('UTC', 'Europe/Berlin', 'America/St_Johns', 'Pacific/Kiritimati', 'Pacific/Pago_Pago'), (times, zone) => {
      const some = { ...history, pulls: times.map((time, number) => ({ ...history.pulls[0]!, number, mergedAt: time })) }
      const count = (from: string, to: string) => countByHand(some, { of: 'pulls merged', from, to }, { at: 2e9, zone, teams: {} })!
      const days = ['27', '28', '29', '30', '31'].map((day) => `2020-03-${day}`).concat('2020-04-01')
      expect(days.reduce((sum, day) => sum + count(day, day), 0)).toBe(times.length)
      expect(count(days[0]!, days.at(-1)!)).toBe(times.length)
    }),
  )
})
