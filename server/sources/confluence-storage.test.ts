import fc from 'fast-check'
import { expect, test } from 'vitest'
import { storageToMarkdown } from './confluence-storage.ts'

test('a macro before code does not swallow what is between them', () => {
  const info = '<ac:structured-macro ac:name="info"><ac:rich-text-body><p>Important.</p></ac:rich-text-body></ac:structured-macro>'
  const code = '<ac:structured-macro ac:name="code"><ac:parameter ac:name="language">js</ac:parameter><ac:plain-text-body><![CDATA[a && b < c]]></ac:plain-text-body></ac:structured-macro>'
  expect(storageToMarkdown(`${info}<p>Between.</p>${code}<p>After.</p>`)).toBe('Important.\n\nBetween.\n\n```\na && b < c\n```\n\nAfter.')
})

test('names of HTML for characters are those characters', () => {
  expect(storageToMarkdown('<p>caf&eacute; &ndash; 5&nbsp;&euro; &amp; &lt;b&gt;</p>')).toBe('café – 5 € & <b>')
})

test('any storage is some text', () => {
  const piece = fc.oneof(
    fc.constantFrom('<p>', '</p>', '<ac:structured-macro ac:name="code">', '</ac:structured-macro>', '<ac:plain-text-body>', '<![CDATA[', ']]>', '</ac:plain-text-body>', '<ac:link>', '</ac:link>', '<h1>', '</h1>', '&nope;', '<', '<table><tr><td>', '<ac:task>', '<ri:page ri:content-title="x"/>'),
    fc.string({ maxLength: 10 }),
  )
  fc.assert(fc.property(fc.array(piece, { maxLength: 50 }), (pieces) => typeof storageToMarkdown(pieces.join('')) === 'string'), { numRuns: 300 })
})
