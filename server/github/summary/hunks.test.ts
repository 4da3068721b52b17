import fc from 'fast-check'
import { expect, test } from 'vitest'
import { countLines, diffTexts, parseHunks, redactHunks, toOldText, wholeText } from './hunks.ts'

const line = fc.constantFrom('a', 'b', 'c', '', '+d', '-e', ' f', '@@ -1 +1 @@', '\\ No newline at end of file', 'ü💥')
const text = fc.array(line, { maxLength: 30 }).map((lines) => lines.join('\n'))

test('the content before a change comes back from the content after it', () => {
  fc.assert(
    fc.property(text, text, (before, after) => {
      const hunks = diffTexts(before, after)!
      // Whether the last line ends is not told by a hunk.
      const whole = (content: string) => content.replace(/\n$/, '')
      expect(whole(toOldText(after, hunks)!)).toBe(whole(before))
    }),
    { numRuns: 500 },
  )
})

test('hunks of another content are refused', () => {
  const hunks = diffTexts('a\nb\nc\n', 'a\nB\nc\n')!
  expect(toOldText('a\nX\nc\n', hunks)).toBeNull()
  expect(toOldText('', hunks)).toBeNull()
})

test('whatever is no diff is read as nothing', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (patch) => void parseHunks(patch)))
  expect(parseHunks('Binary files differ')).toEqual([])
})

test('lines are numbered on the side that has them', () => {
  const [hunk] = parseHunks('@@ -3,3 +3,3 @@ function pay() {\n a\n-b\n+B\n c\n\\ No newline at end of file')
  expect(hunk!.lines).toEqual([
    { kind: ' ', text: 'a', oldLine: 3, newLine: 3 },
    { kind: '-', text: 'b', oldLine: 4, newLine: null },
    { kind: '+', text: 'B', oldLine: null, newLine: 4 },
    { kind: ' ', text: 'c', oldLine: 5, newLine: 5 },
  ])
  expect(countLines([hunk!])).toEqual({ additions: 1, deletions: 1 })
  expect(countLines(wholeText('a\nb\n', '+'))).toEqual({ additions: 2, deletions: 0 })
})

test('secrets go from both sides, keys over many lines too, and lines stay where they are', async () => {
  const key = ['-----BEGIN RSA PRIVATE KEY-----', ...Array.from({ length: 8 }, (_, at) => `MIIEowIBAAKCAQEA${at}${'qT3vZx9Lk2Wm7Rb4'.repeat(2)}`), '-----END RSA PRIVATE KEY-----']
  const token = 'AKIAQYLPMN5HFIQR7XYA'
  const patch = [`@@ -1,${key.length + 1} +1,3 @@`, ...key.map((text) => `-${text}`), ' const a = 1', `+const b = '${token}'`, '+const c = 2'].join('\n')
  const { hunks, secrets } = await redactHunks(parseHunks(patch))
  const shown = JSON.stringify(hunks)
  expect(shown).not.toContain(token)
  expect(shown).not.toContain('MIIEowIB')
  expect(secrets).toEqual([{ kind: 'AWS', line: 2 }])
  expect(hunks[0]!.lines.map(({ kind, newLine }) => [kind, newLine])).toEqual(parseHunks(patch)[0]!.lines.map(({ kind, newLine }) => [kind, newLine]))
})
