import fc from 'fast-check'
import { expect, test } from 'vitest'
import { findMention } from './find-mention.ts'

const question = (body: string) => findMention(body, 'nura-acme')?.question

test.each([
  ['@nura where is it?', 'where is it?'],
  ['Hi @Nura, where is it?', 'Hi where is it?'],
  ['@nura-acme where?', 'where?'],
  ['@nura-acme[bot] where?', 'where?'],
  ['**@nura** why?', 'why?'],
  ['@nura: why?', 'why?'],
  ['> the old way\n\n@nura why?', 'why?'],
  ['@nura why?\n> lines that\nwent before', 'why?'],
  ['<!-- template -->\n@nura why `x`?', 'why `x`?'],
  ['@nura what does this do?\n\n```ts\nconst a = 1\n```', 'what does this do?\n\n```ts\nconst a = 1\n```'],
  ['@nura', 'What is this about?'],
  ['@nura ?!', 'What is this about?'],
])('%j asks %j', (body, expected) => {
  expect(question(body)).toBe(expected)
})

test.each([
  '`@nura` is our bot',
  '```\n@nura where?\n```',
  '    @nura where?',
  '~~~\n@nura where?',
  '> @nura where?',
  '- > @nura where?',
  '<!-- @nura where? -->',
  '<code>@nura</code> is a name',
  '<blockquote>\n\n@nura where?\n\n</blockquote>',
  'mail nura@nura.dev',
  'mail me at someone@nura',
  '<nura@nura.dev>',
  '@nurabot where?',
  '@nura_ where?',
  '@nura-other where?',
  '@nura/team where?',
  '@acme/nura where?',
  'see https://example.com/@nura',
  '[x](https://example.com/@nura)',
  '[@nura](https://example.com)',
  '![@nura](https://example.com/a.png)',
  '[x]: https://example.com/@nura',
  'nura where?',
  '',
])('%j asks nothing', (body) => {
  expect(findMention(body, 'nura-acme')).toBeNull()
})

test('arbitrary text is read without fault, and a question never repeats the call', () => {
  const piece = fc.constantFrom('@nura', '@nura ', '`', '```', '\n', '> ', '<!--', '-->', '[', '](', ')', '<b>', '</b>', '*', '|', '\t', '\\', 'word ', '@other ', 'é', '\u0000', '😀')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const found = findMention(pieces.join(''), 'nura')
      expect(found === null || found.question.length > 0).toBe(true)
    }),
  )
})

test('what a person would never nest so deep is not read', () => {
  expect(findMention(`@nura where?\n${'> '.repeat(2_000)}x`, 'nura')).toBeNull()
})
