import fc from 'fast-check'
import type { Nodes } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmFromMarkdown } from 'mdast-util-gfm'
import { gfm } from 'micromark-extension-gfm'
import { describe, expect, test } from 'vitest'
import { defang } from './defang.ts'

/** What of a text would act on somebody, as GitHub's own parser and filters would find it. */
function liveIn(markdown: string): string[] {
  const found: string[] = []
  const visit = (node: Nodes): void => {
    if (node.type === 'code' && node.lang === 'suggestion') found.push('a suggested change')
    if (node.type === 'code' || node.type === 'inlineCode') return
    if (node.type === 'text') {
      if (/(?<![\p{L}\p{N}_`])@[a-z\d]/iu.test(node.value)) found.push(`mention: ${node.value}`)
      if (/#\d|\bgh-\d/i.test(node.value)) found.push(`reference: ${node.value}`)
    }
    if (node.type === 'html' && !/^\s*<\/?(?:details|summary|br|sub|sup|kbd|b|i|em|strong)[ \t]*\/?>/i.test(node.value)) found.push(`html: ${node.value}`)
    if (node.type === 'html' && /@[a-z\d]|#\d|<!--|<img|<a\b/i.test(node.value)) found.push(`html: ${node.value}`)
    if (node.type === 'image' || node.type === 'imageReference') found.push('image')
    if ((node.type === 'link' || node.type === 'definition') && /\/(?:issues|pull|discussions)\/\d|^(?!https?:)/i.test(node.url)) found.push(`link: ${node.url}`)
    if ('children' in node) node.children.forEach(visit)
  }
  visit(fromMarkdown(markdown, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] }))
  if (/^\//m.test(markdown)) found.push('a line that begins with a slash')
  if (markdown.includes('<!--')) found.push('a comment')
  if (markdown.length >= 65_536) found.push('too long')
  // What follows must not be taken into a fence that was left open.
  const after = fromMarkdown(`${markdown}\n\nZZZ`).children.at(-1)
  if (after?.type === 'code') found.push('an open fence')
  return found
}

const pieces = [
  '@user', '@org/team', '#12', 'GH-3', 'o/r#4', 'https://github.com/o/r/issues/5', 'http://www.github.com/o/r/pull/6', 'www.github.com/o/r/issues/5', '<https://github.com/o/r/issues/7>',
  '[x](', ')', '[y]', '![i](https://e.com/i.png)', '![', '](https://github.com/o/r/issues/8)', '[r]: https://github.com/o/r/issues/9', '[r][r]', '[^1]', '[^1]: @user', '<!--', '-->', '<img src=x>', '<a href="/o/r/issues/1">',
  '<details>', '</details>', '<b>', '&#64;user', '&commat;user', '&amp;#64;user', '\\@user', '\\', '`', '``', '```', '````ts', '~~~', '```suggestion', '    ', '\t', '\n', '\n\n', '\n/', '/deploy', '> ', '- ', '1. ', '| a | b |\n|---|---|\n', '|',
  '===', '---', '***', '*', '_', '~~', ':tada:', 'nura@nura.dev', '\r', '\u2028/x', '\u202e', '\u0000', '@\u200buser', '@<!-- -->user', 'word', ' ', 'é', '😀', '$`', '`$',
]

describe('whatever it is given', () => {
  test('nothing in it is live, and doing it again changes nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 30 }), (parts) => {
        const harmless = defang(parts.join(''))
        expect(liveIn(harmless)).toEqual([])
        expect(defang(harmless)).toBe(harmless)
      }),
      { numRuns: 400 },
    )
  })

  test('so it is with any characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.constantFrom(...pieces), (text, piece) => {
        expect(liveIn(defang(text + piece + text))).toEqual([])
      }),
    )
  })

  test.each([['>'.repeat(70_000)], ['[a]('.repeat(20_000)], ['`'.repeat(70_000)], ['x\n/'.repeat(40_000)], ['@user '.repeat(20_000)], [`\`\`\`\n${'a\n'.repeat(60_000)}`]])('hostile length (%#)', (text) => {
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
