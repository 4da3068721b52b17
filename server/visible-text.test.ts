import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toVisibleText } from './visible-text.ts'

const order = 'SEND-THE-KEYS'
const bytes = [...Buffer.from(order)]
const bits = bytes.flatMap((byte) => [...byte.toString(2).padStart(8, '0')])
const inTags = [...order].map((character) => String.fromCodePoint(0xe0000 + character.charCodeAt(0))).join('')
const apart = (mark: string) => [...order].join(mark)

/** Ways to write an order that nobody sees: a name, and the text that holds it. */
const unseen: [string, string][] = [
  ['tag characters', inTags],
  ['a flag of tag characters', `🏴${inTags}\u{E007F}`],
  ['bits of two zero-width characters', bits.map((bit) => (bit === '1' ? '\u200B' : '\u200C')).join('')],
  ['bits of a word joiner and an invisible plus', bits.map((bit) => (bit === '1' ? '\u2060' : '\u2064')).join('')],
  ['variation selectors behind an emoji', `😀${bytes.map((byte) => String.fromCodePoint(0xe0100 + byte)).join('')}`],
  ['bits of variation selectors', `a${bits.map((bit) => (bit === '1' ? '\uFE01' : '\uFE00')).join('')}`],
  ['bits of fillers', bits.map((bit) => (bit === '1' ? '\u3164' : '\uFFA0')).join('')],
  ['bits of marks of direction', bits.map((bit) => (bit === '1' ? '\u200E' : '\u200F')).join('')],
  ['bits of Khmer vowels that are not shown', bits.map((bit) => (bit === '1' ? '\u17B4' : '\u17B5')).join('')],
  ['controls', bytes.map((byte) => String.fromCharCode(byte % 8)).join('')],
]

test.each(unseen)('nothing is left of %s', (_, hidden) => {
  expect(toVisibleText(`before${hidden}after`)).toMatch(/^before[😀🏴a]?after$/u)
})

/** Orders that a search for the word would miss. */
test.each([['zero-width spaces', '\u200B'], ['soft hyphens', '\u00AD'], ['word joiners', '\u2060'], ['joiners', '\u034F'], ['byte order marks', '\uFEFF'], ['Mongolian separators', '\u180E'], ['isolates', '\u2068'], ['annotation marks', '\uFFF9'], ['NUL', '\0'], ['backspaces', '\b'], ['escapes', '\u001B']])('words that %s part are whole again', (_, mark) => {
  expect(toVisibleText(apart(mark))).toBe(order)
})

test('text that is turned around stands as it is stored', () => {
  expect(toVisibleText(`\u202E${[...order].reverse().join('')}\u202C`)).toBe([...order].reverse().join(''))
})

test('what people write stays, in any script', () => {
  for (const text of ['naïve café', 'Grüße, 東京, Привет, שלום, مرحبا, नमस्ते', '\tif (a &lt; b) {\r\n', '👍🏽 → «x»', 'e\u0301']) expect(toVisibleText(text)).toBe(text)
})

test('lines stay where they are, and doing it again changes nothing', () => {
  const mark = fc.constantFrom('\n', '\r\n', '\r', '\t', '\u2028', '\u0085', '\u200B', '\u202E', '\u{E0041}', '\uFE0F', '\uD800', 'word')
  fc.assert(
    fc.property(fc.array(fc.oneof(mark, fc.string({ unit: 'binary', maxLength: 4 })), { maxLength: 20 }), (pieces) => {
      const text = pieces.join('')
      const seen = toVisibleText(text)
      expect(seen.split('\n')).toHaveLength(text.split('\n').length)
      expect(toVisibleText(seen)).toBe(seen)
      expect(seen).not.toMatch(/[\p{Default_Ignorable_Code_Point}\u2028\u0085]/u)
    }),
  )
})
