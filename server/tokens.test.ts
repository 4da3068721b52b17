import fc from 'fast-check'
import { expect, test } from 'vitest'
import { tokens } from './tokens.ts'

test.each([
  ['getUserTokens', ['getusertoken', 'get', 'user', 'token']],
  ['get_user_tokens', ['getusertoken', 'get', 'user', 'token']],
  ['HTTPServer', ['httpserver', 'http', 'server']],
  ['WebHooks webhook', ['webhook', 'web', 'hook', 'webhook']],
  ['__init__', ['init']],
  ['sha256', ['sha256', 'sha', '256']],
  ['where do we verify the signature?', ['verifi', 'signatur']],
  ['src/server/http-logger.ts', ['src', 'server', 'http', 'logger', 'ts']],
  ['Café naïve', ['cafe', 'naiv']],
  ['認証トークン', ['認証', '証ト', 'トー', 'ーク', 'クン']],
  ['x'.repeat(101), []],
  ['', []],
])('%j', (text, expected) => {
  expect(tokens(text)).toEqual(expected)
})

test('the case of a plain word does not matter', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z]{2,12}$/), (word) => {
      expect(tokens(word.toUpperCase())).toEqual(tokens(word))
    }),
  )
})

test('a text is the sum of its lines', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 }), (lines) => {
      expect(tokens(lines.join('\n'))).toEqual(lines.flatMap(tokens))
    }),
  )
})

test('a text has the same terms beside another script as alone', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii' }), (text) => {
      expect(tokens(`${text}\n三`)).toEqual([...tokens(text), '三'])
    }),
  )
})

test('every token is lower case and not empty', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      for (const token of tokens(text)) {
        expect(token).not.toBe('')
        expect(token).toBe(token.toLowerCase())
      }
    }),
  )
})
