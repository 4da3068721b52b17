import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { liveIn, livePieces } from '../testing/live-markdown.ts'
import { defang } from './defang.ts'

describe('whatever it is given', () => {
  test('nothing in it is live, and doing it again changes nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...livePieces), { maxLength: 30 }), (parts) => {
        const harmless = defang(parts.join(''))
        expect(liveIn(harmless)).toEqual([])
        expect(defang(harmless)).toBe(harmless)
      }),
      { numRuns: 400 },
    )
  })

  test('so it is with any characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.constantFrom(...livePieces), (text, piece) => {
        expect(liveIn(defang(text + piece + text))).toEqual([])
      }),
    )
  })

  test.each([['>'.repeat(70_000)], ['[a]('.repeat(20_000)], ['`'.repeat(70_000)], ['x\n/'.repeat(10_000)], ['@user '.repeat(20_000)], [`\`\`\`\n${'abcdefghi\n'.repeat(6_000)}`]])('hostile length (%#)', (text) => {
    expect(liveIn(defang(text))).toEqual([])
  })
})

test.each([
  ['mail @user and @org/team', 'mail @\u200buser and @\u200borg/team'],
  ['closes #12', 'closes #\u200b12'],
  ['&#64;user', '&amp;#\u200b64;user'],
  ['@<!-- -->user', '@\u200buser'],
  ['/deploy', '\\/deploy'],
  ['see [it](https://github.com/o/r/issues/1)', 'see it'],
  ['see https://github.com/o/r/issues/1', 'see github.com/o/r/issues/\u200b1'],
  ['![the diagram](https://e.com/x.png)', 'the diagram'],
  ['a `Map<string>` of <img src=x>', 'a `Map<string>` of &lt;img src=x>'],
  ['```suggestion\nx\n```', '```\nx\n```'],
  ['```ts\nlet a', '```ts\nlet a\n```'],
  ['    @user', '    @\u200buser'],
])('%j becomes %j', (written, shown) => {
  expect(defang(written)).toBe(shown)
})

test.each([
  'It is in `verify` [1].',
  '`@octokit/rest` is asked for `#123` and `/healthz`.',
  '```ts\nimport x from \'@octokit/rest\'\n#1\n```',
  '[1](https://github.com/o/r/blob/abc1234/docs/issues/12.md#L3-L9)',
  '| a | b |\n|---|---|\n| 1 | 2 |',
  '<details>\n<summary>4 files</summary>\n\n- `a.ts`\n\n</details>',
  'a < b and b > c & d',
])('%j stays as it is', (text) => {
  expect(defang(text)).toBe(text)
})

test('code that begins lines with slashes keeps its lines in line', () => {
  expect(defang('```ts\n// one\nif (x)\n  two()\n```')).toBe('```ts\n // one\n if (x)\n   two()\n```')
})
