import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hasOpenCode, splitCodeSpans } from './code-spans.ts'

test.each([
  ['see `a` and ``b ` c``.', ['`a`', '``b ` c``'], 'see  and .'],
  ['``a`b` c', ['`b`'], 'a c'],
  ['`a``', [], 'a'],
  ['```` x', [], ' x'],
  ['\\`a` b', [], 'a b'],
])('%j holds the code %j', (line, code, text) => {
  const parts = splitCodeSpans(line)
  expect(parts.filter(({ isCode }) => isCode).map((part) => part.text)).toEqual(code)
  expect(parts.filter(({ isCode }) => !isCode).map((part) => part.text).join('')).toBe(text)
})

test('text holds no backtick, code ends as it began, and nothing else is lost', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('`', '``', 'a', ' ', '[1]')).map((pieces) => pieces.join('')), (line) => {
      const parts = splitCodeSpans(line)
      for (const { text, isCode } of parts) expect(text).toMatch(isCode ? /^(`+)(?!`).*[^`]\1$/ : /^[^`]*$/)
      expect(parts.map(({ text }) => text).join('').replaceAll('`', '')).toBe(line.replaceAll('`', ''))
      expect(hasOpenCode(parts.map(({ text }) => text).join(''))).toBe(false)
    }),
  )
})
