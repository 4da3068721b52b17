import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Citation } from '../answer-part.ts'
import { liveIn, livePieces } from '../testing/live-markdown.ts'
import { renderMarkdown } from './render-markdown.ts'
import type { Answered } from './render-markdown.ts'

const sha = 'a'.repeat(40)
const now = new Date('2026-05-01T12:00:00Z')
const citation = (n: number, more: Partial<Citation> = {}): Citation => ({
  n, repository: 'acme/shop', path: 'src/a.ts', startLine: 3, endLine: 9, sha, url: `https://github.com/acme/shop/blob/${sha}/src/a.ts#L3-L9`, ...more,
})
const answered = (markdown: string, more: Partial<Answered> = {}): Answered => ({
  markdown,
  citations: [citation(1), citation(2, { path: 'src/b.ts', startLine: 4, endLine: 4, url: `https://github.com/acme/shop/blob/${sha}/src/b.ts#L4` })],
  freshness: [{ repository: 'acme/shop', sha, branch: 'main', indexedAt: '2026-05-01T11:56:00Z' }],
  headSha: null,
  ...more,
})
const render = (...of: Parameters<typeof answered>) => renderMarkdown(answered(...of), now)

test('the answer, its sources, how fresh they are, and nothing else', () => {
  expect(render('It is in `verify` [1], and `[2]` is code [2].')).toBe(
    [
      `It is in \`verify\` [[1]](https://github.com/acme/shop/blob/${sha}/src/a.ts#L3-L9), and \`[2]\` is code [[2]](https://github.com/acme/shop/blob/${sha}/src/b.ts#L4).`,
      `[1] [\`src/a.ts#L3-L9\`](https://github.com/acme/shop/blob/${sha}/src/a.ts#L3-L9)  \n[2] [\`src/b.ts#L4\`](https://github.com/acme/shop/blob/${sha}/src/b.ts#L4)`,
      '<sub>`acme/shop@aaaaaaa` · indexed 4 min ago</sub>',
    ].join('\n\n'),
  )
})

test('a number whose lines are not there goes, and so does its source', () => {
  const shown = render('It is here [1]. Or there [2].', { citations: [citation(1)] })
  expect(shown).toMatch(/\)\. Or there\.\n/)
  expect(shown).not.toContain('[2]')
})

test('numbers side by side are each a link', () => {
  expect(render('Here [1][2].')).toMatch(/^Here \[\[1\]\]\([^)]+\)\[\[2\]\]\([^)]+\)\.\n/)
})

test('a number in a block of code is code', () => {
  expect(render('```ts\nlist[1]\n```', {})).toMatch(/^```ts\nlist\[1\]\n```\n\n<sub>/)
})

test('a source without an address is named without a link', () => {
  expect(render('Here [1].', { citations: [citation(1, { url: null })] })).toContain('Here [1].\n\n[1] `src/a.ts#L3-L9`\n')
})

test('repositories are told apart where there is more than one, and so is the head of a pull request', () => {
  const shown = render('Here [1] and [2].', { citations: [citation(1), citation(2, { repository: 'acme/bill', sha: 'b'.repeat(40) })], headSha: 'b'.repeat(40) })
  expect(shown).toContain('[`acme/bill src/a.ts#L3-L9`]')
  expect(shown).toContain('<sub>`acme/bill@bbbbbbb` · head of this pull request · `acme/shop@aaaaaaa` · indexed 4 min ago</sub>')
})

test('a repository is named where it is not the one that the answer is read in', () => {
  expect(render('Here [1].', { home: 'acme/shop' })).toContain('[1] [`src/a.ts#L3-L9`]')
  expect(render('Here [1].', { home: 'acme/bill' })).toContain('[1] [`acme/shop src/a.ts#L3-L9`]')
})

test('a notice stands above the footer', () => {
  expect(render('Here [1].', { notices: ['The budget is used up.'] })).toContain('\n\nThe budget is used up.  \n<sub>')
})

test('whatever an answer says and a path is called, nothing but its links is live', () => {
  const text = fc.array(fc.constantFrom(...livePieces, '[1]', '[2]', '[3]', '[1][2]', '[1](https://e.com)', '[1]: x'), { maxLength: 20 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(text, text, (markdown, path) => {
      const shown = render(markdown, { citations: [citation(1, { path }), citation(2)] })
      expect(liveIn(shown)).toEqual([])
    }),
    { numRuns: 200 },
  )
})
