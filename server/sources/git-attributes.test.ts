import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRepository } from '../testing/create-repository.ts'
import { toGitEnvironment } from './config.ts'
import { toMarks } from './git-attributes.ts'
import { toPathMatcher } from './wildmatch.ts'

const attributes = ['linguist-generated', 'linguist-vendored']

/** What git itself says of each path. */
function askGit(dir: string, paths: string[]): Record<string, { generated: boolean; vendored: boolean }> {
  const input = paths.map((path) => `${path}\0`).join('')
  const fields = execFileSync('git', ['-C', dir, 'check-attr', '-z', '--stdin', ...attributes], { input, env: toGitEnvironment(), stdio: ['pipe', 'pipe', 'ignore'] }).toString('utf8').split('\0')
  const isSet = (index: number) => ['set', 'true'].includes(fields[index]!)
  return Object.fromEntries(paths.map((path, at) => [path, { generated: isSet(at * 6 + 2), vendored: isSet(at * 6 + 5) }]))
}

const word = fc.constantFrom('a', 'b', 'ab', 'x.c', 'gen', '.', '-', 'é', 'A1')
const piece = fc.oneof(word, fc.constantFrom('*', '**', '?', '[ab]', '[!a]', '[a-c]', '[^.]', '[[:digit:]]', '[]a]', '\\*', '*.c'))
const part = fc.array(piece, { minLength: 1, maxLength: 3 }).map((pieces) => pieces.join(''))
const pattern = fc
  .tuple(fc.constantFrom('', '', '/', '!', '**/'), fc.array(fc.oneof(part, fc.constant('**')), { minLength: 1, maxLength: 4 }), fc.constantFrom('', '', '', '/', '/**'))
  .map(([start, parts, end]) => `${start}${parts.join('/')}${end}`)
const said = fc.constantFrom('linguist-generated', '-linguist-generated', '!linguist-generated', 'linguist-generated=true', 'linguist-generated=false', 'linguist-vendored', 'text', 'linguist-vendored=true -linguist-generated')
const line = fc.oneof({ weight: 8, arbitrary: fc.tuple(pattern, said).map(([glob, words]) => `${glob} ${words}`) }, { weight: 1, arbitrary: fc.constantFrom('# *  linguist-generated', '', '   *.c\tlinguist-vendored ', '"a b/*" linguist-generated', '"g\\145n" linguist-vendored', 'a', '[a linguist-vendored') })
const file = fc.array(line, { maxLength: 6 }).map((lines) => lines.join('\n'))
const path = fc.array(fc.constantFrom('a', 'b', 'ab', 'gen', 'x.c', 'a b', 'é', 'A1', '.', '-', '*', 'c').filter((name) => name !== '.'), { minLength: 1, maxLength: 4 }).map((names) => names.join('/'))

test('the marks are those that git tells, whatever the patterns', async () => {
  await using repository = await createRepository()
  await fc.assert(
    fc.asyncProperty(file, file, fc.uniqueArray(path, { minLength: 1, maxLength: 30 }), async (top, nested, paths) => {
      await repository.write({ '.gitattributes': top, 'a/.gitattributes': nested })
      const marks = toMarks([{ path: '.gitattributes', content: top }, { path: 'a/.gitattributes', content: nested }])
      expect(Object.fromEntries(paths.map((each) => [each, marks(each)]))).toEqual(askGit(repository.dir, paths))
    }),
    { numRuns: 300 },
  )
})

test('a pattern made to take for ever does not', () => {
  const matches = toPathMatcher(`/${'*a'.repeat(60)}/${'**/'.repeat(40)}b`)
  expect(matches(`${'a'.repeat(4000)}/${'c/'.repeat(2000)}c`)).toBe(false)
})
