import fc from 'fast-check'
import { expect, test } from 'vitest'
import { addDays, addMonths, daysIn, toDay, toMonday } from './days.ts'
import { readRange } from './read-range.ts'

/** A Friday. */
const today = '2026-11-27'
const read = (text: string, at = today) => {
  const found = readRange(text, at)
  return found === null ? null : 'unclear' in found ? 'unclear' : `${found.range.from} ${found.range.to}`
}

test.each([
  ['today', '2026-11-27 2026-11-27'],
  ['yesterday', '2026-11-26 2026-11-26'],
  ['this week', '2026-11-23 2026-11-29'],
  ['last week', '2026-11-16 2026-11-22'],
  ['the week before last', '2026-11-09 2026-11-15'],
  ['in the last 7 days', '2026-11-21 2026-11-27'],
  ['over the past two weeks', '2026-11-14 2026-11-27'],
  ['in the last 3 months', '2026-08-28 2026-11-27'],
  ['this month', '2026-11-01 2026-11-30'],
  ['last month', '2026-10-01 2026-10-31'],
  ['in october', '2026-10-01 2026-10-31'],
  ['in december', '2025-12-01 2025-12-31'],
  ['in dec 2024', '2024-12-01 2024-12-31'],
  ['in february 2024', '2024-02-01 2024-02-29'],
  ['in 2026-02', '2026-02-01 2026-02-28'],
  ['in q3', '2026-07-01 2026-09-30'],
  ['in q4', '2026-10-01 2026-12-31'],
  ['q4 2025', '2025-10-01 2025-12-31'],
  ['last quarter', '2026-07-01 2026-09-30'],
  ['in the first quarter of 2020', '2020-01-01 2020-03-31'],
  ['the second half of 2025', '2025-07-01 2025-12-31'],
  ['last year', '2025-01-01 2025-12-31'],
  ['in 2024', '2024-01-01 2024-12-31'],
  ['since 2026-11-02', '2026-11-02 2026-11-27'],
  ['since 1 october', '2026-10-01 2026-11-27'],
  ['since october', '2026-10-01 2026-11-27'],
  ['since last monday', '2026-11-23 2026-11-27'],
  ['after 2026-11-20', '2026-11-21 2026-11-27'],
  ['between 2026-03-01 and 2026-03-15', '2026-03-01 2026-03-15'],
  ['between 1 and 15 march', '2026-03-01 2026-03-15'],
  ['between 1 march 2020 and 15 march 2020', '2020-03-01 2020-03-15'],
  ['from march 3 to april 2, 2025', '2025-03-03 2025-04-02'],
  ['from january to march', '2026-01-01 2026-03-31'],
  ['from 20 december 2025 to 6 january 2026', '2025-12-20 2026-01-06'],
  ['on 25 december 2019', '2019-12-25 2019-12-25'],
  ['on the 3rd of november', '2026-11-03 2026-11-03'],
  ['on monday', '2026-11-23 2026-11-23'],
  ['on friday', '2026-11-20 2026-11-20'],
  ['in the week of 2026-11-11', '2026-11-09 2026-11-15'],
  ['how did december 2019 compare with the month before', '2019-12-01 2019-12-31'],
  ['on 31 february 2020', 'unclear'],
  ['on 2026-13-01', 'unclear'],
  ['between 2026-04-30 and 2026-04-01', 'unclear'],
  ['in december 2027', 'unclear'],
  ['next week', 'unclear'],
  ['this sprint', 'unclear'],
  ['before october', 'unclear'],
  ['what may we do?', null],
  ['march on', null],
  ['port 2026', null],
])('%s', (text, expected) => {
  expect(read(text)).toBe(expected)
})

test.each([
  ['last week', '2026-11-09 2026-11-15 the week before', 'in the week of 16–22 Nov 2026'],
  ['in october', '2026-09-01 2026-09-30 the month before', 'in Oct 2026'],
  ['last quarter', '2026-04-01 2026-06-30 the quarter before', 'from 1 Jul 2026 to 30 Sep 2026'],
  ['in 2024', '2023-01-01 2023-12-31 the year before', 'in 2024'],
  ['between 2026-03-01 and 2026-03-15', '2026-02-14 2026-02-28 the 15 days before', 'from 1 Mar 2026 to 15 Mar 2026'],
  ['in the last 7 days', '2026-11-14 2026-11-20 the 7 days before', 'in the last 7 days'],
  ['this week', 'none', 'in the week of 23–29 Nov 2026'],
])('%s is compared with a time that is as long, or with none while it is not over', (text, previous, words) => {
  const found = readRange(text, today)
  if (found === null || 'unclear' in found) throw new Error('not read')
  const { previous: before } = found.range
  expect(before === null ? 'none' : `${before.from} ${before.to} ${before.words}`).toBe(previous)
  expect(found.range.words).toBe(words)
})

test('days go by calendars, whatever clocks do', () => {
  expect(toDay(new Date('2020-03-29T22:30:00Z'), 'Europe/Berlin')).toBe('2020-03-30')
  expect(toDay(new Date('2020-01-27T05:00:00Z'), 'America/Los_Angeles')).toBe('2020-01-26')
  expect(toDay(new Date('2020-03-30T09:59:00Z'), 'Pacific/Kiritimati')).toBe('2020-03-30')
  expect(addMonths('2024-03-31', -1)).toBe('2024-02-29')
  fc.assert(
    fc.property(fc.date({ min: new Date('1990-01-01'), max: new Date('2050-01-01'), noInvalidDate: true }), fc.integer({ min: -400, max: 400 }), (at, many) => {
      const of = toDay(at, 'UTC')
      expect(of).toBe(at.toISOString().slice(0, 10))
      expect(daysIn({ from: of, to: addDays(of, Math.abs(many)) })).toBe(Math.abs(many) + 1)
      expect(new Date(toMonday(of)).getUTCDay()).toBe(1)
      expect(addDays(addDays(of, many), -many)).toBe(of)
    }),
  )
})
