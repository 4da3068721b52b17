import fc from 'fast-check'
import picomatch from 'picomatch'
import { expect, test } from 'vitest'
import { matchesGlob, toGlob } from './glob.ts'

const matches = (pattern: string, path: string) => matchesGlob(toGlob(pattern), path)

test.each([
  ['src/*.ts', ['src/a.ts', 'src/.ts'], ['src/deep/a.ts', 'a.ts', 'src/a.tsx', 'src']],
  ['**/*.ts', ['a.ts', 'src/deep/a.ts'], ['a.js', 'a.ts/b']],
  ['docs/**', ['docs/a', 'docs/a/b'], ['doc/a', 'x/docs/a']],
  ['**', ['a', 'a/b/c'], []],
  ['docs', ['docs', 'docs/a', 'docs/a/b'], ['docs2/a', 'x/docs']],
  ['docs/', ['docs/a/b'], ['docs2/a']],
  ['packages/*/', ['packages/a/b', 'packages/a/b/c'], ['other/a/b']],
  ['packages/*', ['packages/a'], ['packages/a/b']],
  ['*/fixtures', ['a/fixtures/x'], ['fixtures/x', 'a/b/fixtures/x']],
  ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b', 'a/b/below'], ['a/x', 'ab']],
  ['/src/a.ts', ['src/a.ts'], ['x/src/a.ts']],
  ['app/[id]/(group)/page.tsx', ['app/[id]/(group)/page.tsx'], ['app/i/(group)/page.tsx']],
  ['file?.md', ['file1.md', 'file💡.md'], ['file.md', 'file12.md', 'file/.md']],
  ['.github', ['.github/workflows/ci.yml'], ['github/x']],
])('%s', (pattern, covered, others) => {
  for (const path of covered) expect(matches(pattern, path), path).toBe(true)
  for (const path of others) expect(matches(pattern, path), path).toBe(false)
})

/** A dot beside a star has picomatch ask for a character where neither stands for any; ours is the plainer rule. */
const isPlain = (text: string) => !/\*\.|\.\*/.test(text)
const name = fc.string({ unit: fc.constantFrom('a', 'b', '.', 'c'), minLength: 1, maxLength: 6 }).filter((text) => !/^\.+$/.test(text))
const part = fc.oneof(name, fc.constant('**'), fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '.'), minLength: 1, maxLength: 5 }).filter((text) => /[*?]/.test(text) && !text.includes('**') && isPlain(text)))

test('decides as picomatch does, for whatever of it we take', () => {
  const paths = fc.array(name, { minLength: 1, maxLength: 5 }).map((names) => names.join('/'))
  // A last segment that is no wildcard covers what is below it, which picomatch leaves to `/**`.
  const patterns = fc.tuple(fc.array(part, { maxLength: 4 }), part.filter((text) => /[*?]/.test(text) && text !== '**')).map(([head, last]) => [...head, last].join('/'))
  fc.assert(
    fc.property(patterns, paths, (pattern, path) => {
      const theirs = picomatch(pattern, { dot: true, nobrace: true, noextglob: true, nonegate: true })
      expect(matches(pattern, path)).toBe(theirs(path))
    }),
    { numRuns: 2_000 },
  )
})

test('takes no time to speak of where a regular expression would never end', () => {
  const path = `${'a'.repeat(2_000)}/${'a/'.repeat(500)}b`
  expect(matches(`${'*a'.repeat(90)}b/**`, path)).toBe(false)
  expect(matches(`${'**/a/'.repeat(40)}c`, path)).toBe(false)
})
