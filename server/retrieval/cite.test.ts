import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Citation } from '../answer-part.ts'
import { permalink, toCitation } from './cite.ts'
import type { Passage } from './passage.ts'

const sha = 'a'.repeat(40)

test.each([
  ['https://github.com/probot/probot', `https://github.com/probot/probot/blob/${sha}/src/a.ts#L3-L9`],
  ['https://github.com/probot/probot.git', `https://github.com/probot/probot/blob/${sha}/src/a.ts#L3-L9`],
  ['git@github.com:probot/probot.git', `https://github.com/probot/probot/blob/${sha}/src/a.ts#L3-L9`],
  ['ssh://git@github.com/probot/probot.git', `https://github.com/probot/probot/blob/${sha}/src/a.ts#L3-L9`],
  ['https://user:secret@github.com/probot/probot?x=1#y', `https://github.com/probot/probot/blob/${sha}/src/a.ts#L3-L9`],
  ['https://git.example.test:8443/a/b/', `https://git.example.test:8443/a/b/blob/${sha}/src/a.ts#L3-L9`],
  ['https://gitlab.com/a/b/c', `https://gitlab.com/a/b/c/-/blob/${sha}/src/a.ts#L3-9`],
  ['https://gitlab.example.test/a/b', `https://gitlab.example.test/a/b/-/blob/${sha}/src/a.ts#L3-9`],
  ['https://bitbucket.org/a/b', `https://bitbucket.org/a/b/src/${sha}/src/a.ts#lines-3:9`],
  ['/home/me/checkout', null],
  ['file:///home/me/checkout', null],
  ['javascript:alert(1)', null],
  ['', null],
  [null, null],
])('lines in %s', (url, expected) => {
  expect(permalink(url, sha, 'src/a.ts', 3, 9)).toBe(expected)
})

test('a path cannot leave its place in the address', () => {
  expect(permalink('https://github.com/a/b', sha, 'docs/what? [1] #2 (é)/x y.md', 1, 1)).toBe(
    `https://github.com/a/b/blob/${sha}/docs/what%3F%20%5B1%5D%20%232%20%28%C3%A9%29/x%20y.md#L1`,
  )
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), (path) => {
      const link = permalink('https://github.com/a/b', sha, path, 2, 4)
      if (/(?:^|\/)\.\.?(?:\/|$)/.test(path)) return expect(link).toBeNull()
      expect(link).toMatch(/^https:\/\/github\.com\/a\/b\/blob\/a{40}\/[A-Za-z0-9%._~/-]*#L2-L4$/)
    }),
  )
})

test('a commit id that is none makes no address', () => {
  expect(permalink('https://github.com/a/b', 'main?x=1', 'a.ts', 1, 1)).toBeNull()
})

const passage: Passage = {
  n: 2,
  chunkId: 'c',
  repositoryId: 'r',
  repository: 'a/b',
  path: 'src/a.ts',
  startLine: 10,
  endLine: 20,
  sha,
  content: '',
  contentType: 'code',
  language: 'typescript',
  scope: [],
  score: 1,
  legs: {},
}

test('a citation is its passage, or lines of it', () => {
  const whole = toCitation(passage, { id: 'r', url: 'https://github.com/a/b' })
  expect(Citation.parse(whole)).toMatchObject({ n: 2, repository: 'a/b', path: 'src/a.ts', startLine: 10, endLine: 20, sha })
  expect(toCitation(passage, undefined, { startLine: 12, endLine: 14 })).toMatchObject({ startLine: 12, endLine: 14, url: null })
})

test('lines outside the passage cannot be cited', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer(), (startLine, endLine) => {
      const cited = toCitation(passage, undefined, { startLine, endLine })
      expect(cited.startLine).toBeGreaterThanOrEqual(10)
      expect(cited.endLine).toBeLessThanOrEqual(20)
      expect(cited.startLine).toBeLessThanOrEqual(cited.endLine)
    }),
  )
})

test('a title that reads like a link is none', () => {
  const passage = { n: 1, repository: 'a/b', path: 'ENG/plan', startLine: 1, endLine: 2, sha, url: 'https://wiki.example.test/1', title: 'The plan: [the details](evil.example/x?q=1) of evil.example/x?q=1' } as Passage
  const { title } = toCitation(passage, undefined)
  expect(title).toMatch(/^The plan: the details/)
  expect(title).not.toMatch(/evil|\]\(/)
})
