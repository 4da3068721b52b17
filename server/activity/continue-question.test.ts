import { expect, test } from 'vitest'
import { continueQuestion } from './continue-question.ts'
import { readQuestion } from './read-question.ts'

const today = '2026-11-27'

/** What the second question is read as after the first. */
function show(first: string, text: string): string | null {
  const whole = continueQuestion(first, text, today)
  const read = whole && readQuestion(whole, { today, repositories: ['acme/shop', 'acme/billing'] })
  return read && 'queries' in read ? read.queries.map(({ kind, range, by, filters }) => [kind, range && `${range.from}..${range.to}`, by && `by ${by}`, ...Object.values(filters)].filter(Boolean).join(' ')).join(' + ') : null
}

test.each([
  ['What shipped last week?', 'and the week before?', 'shipped 2026-11-09..2026-11-15'],
  ['What shipped last week?', 'What about October?', 'shipped 2026-10-01..2026-10-31'],
  ['How many pull requests were merged in October?', 'and in September?', 'merged 2026-09-01..2026-09-30'],
  ['How many pull requests were merged in October?', 'and the month before', 'merged 2026-09-01..2026-09-30'],
  ['How many pull requests were merged in October?', 'and by team?', 'merged 2026-10-01..2026-10-31 by team'],
  ['What is stuck?', 'and in billing?', 'stuck billing'],
  ['How many pull requests were merged in October?', 'Where is the pull request summary written?', null],
  ['How many pull requests were merged in October?', 'and where is it tested?', null],
  ['How many pull requests were merged in October?', 'Thanks!', null],
])('after «%s»: «%s»', (first, text, expected) => expect(show(first, text)).toBe(expected))
