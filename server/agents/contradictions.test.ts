import { describe, expect, test } from 'vitest'
import { toPassage } from '../testing/evidence.ts'
import { findContradictions } from './contradictions.ts'

function between(code: string, document: string, path = 'docs/guide.md') {
  return findContradictions([toPassage(1, 'src/config.ts', code), toPassage(2, path, document)]).map(({ name, code: { value, line }, document: { value: told } }) => `${name}@${line} ${value.text} / ${told.text}`)
}

describe('code and documents that disagree', () => {
  test.each([
    ['const maxRetries = 5', 'The client stops: `maxRetries` is 3 by default.', 'maxRetries@1 5 / 3'],
    ['export const maxRetries: number = 5 // as agreed', 'The limit of max retries is 3.', 'maxRetries@1 5 / 3'],
    ['{\n  PORT: z.coerce.number().int().default(3000),\n}', 'The service listens on `PORT`, which defaults to 8080.', 'PORT@2 3000 / 8080'],
    ['retry_limit = 4', '| `retry_limit` | at most 6 tries |', 'retry_limit@1 4 / 6'],
    ['const sessionTimeoutMs = 30 * 60_000', 'A session timeout of 15 minutes is in force.', 'sessionTimeoutMs@1 30 * 60_000 / 15 minutes'],
    ['const uploadLimitBytes = 50 * 1024 * 1024', 'The upload limit is 25 MB a file.', 'uploadLimitBytes@1 50 * 1024 * 1024 / 25 MB'],
    ['const requireSso = false', 'Since our audit `requireSso` is enabled.'.replace('Since our audit ', 'In production '), 'requireSso@1 false / enabled'],
  ])('%s', (code, document, expected) => expect(between(code, document)).toEqual([expected]))
})

describe('what is no contradiction', () => {
  test.each([
    ['the same value', 'const maxRetries = 5', '`maxRetries` is 5 by default.'],
    ['the same time in another unit', 'const sessionTimeoutMs = 30 * 60_000', 'The session timeout is 30 minutes.'],
    ['the same time where the name tells no unit', 'SESSION_TIMEOUT = 1800', 'The session timeout is 30 minutes.'],
    ['the same size in tens', 'const uploadLimitBytes = 25_000_000', 'The upload limit is 25 MB.'],
    ['an example', 'const maxRetries = 5', 'For example, `maxRetries` is 10 in a slow network.'],
    ['an advice', 'const maxRetries = 5', 'Set `maxRetries` to 10 where the limit is too low.'],
    ['the past', 'const maxRetries = 5', '`maxRetries` was 3 in the first release.'],
    ['two values in one sentence', 'const maxRetries = 5', '`maxRetries` is 3 at night, at most 10.'],
    ['another name', 'const maxRetries = 5', 'The limit of `maxRetriesOfUploads` is 3.'],
    ['a word that could be anything', 'const size = 5', 'The size is 3.'],
    ['a name with two values in the code', 'const maxRetries = 5\nconst maxRetries = 3', '`maxRetries` is 7.'],
    ['a condition', 'if (maxRetries === 5) stop()', '`maxRetries` is 3.'],
    ['a version number', 'const maxRetries = 5', '`maxRetries` is there since v2.3.'],
    ['a section number', 'const maxRetries = 5', '`maxRetries` is described in #12.'],
    ['a value of another kind', 'const maxRetries = 5', '`maxRetries` is enabled.'],
    ['a comparison with a range', 'const maxRetries = 5', '`maxRetries` is between 1 and 10.'],
  ])('%s', (_, code, document) => expect(between(code, document)).toEqual([]))

  test('a test sets what it likes', () => {
    expect(findContradictions([toPassage(1, 'test/config.test.ts', 'const maxRetries = 5'), toPassage(2, 'docs/guide.md', '`maxRetries` is 3.')])).toEqual([])
  })

  test('two documents, and two pieces of code, are not compared', () => {
    expect(findContradictions([toPassage(1, 'docs/a.md', '`maxRetries` is 5.'), toPassage(2, 'docs/b.md', '`maxRetries` is 3.')])).toEqual([])
  })
})

test('a name is told once, with the line of each side', () => {
  const found = findContradictions([
    toPassage(1, 'src/config.ts', '// How often\nconst maxRetries = 5', { startLine: 10 }),
    toPassage(2, 'docs/a.md', '# Retries\n\n`maxRetries` is 3.', { startLine: 40 }),
    toPassage(3, 'docs/b.md', '`maxRetries` is 4.'),
  ])
  expect(found).toMatchObject([{ code: { line: 11, passage: { n: 1 } }, document: { line: 42, passage: { n: 2 }, value: { text: '3' } } }])
})
