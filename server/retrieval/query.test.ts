import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toQuery } from './query.ts'

test.each([
  ['where do we verify webhook signatures?', 'where'],
  ['which file creates the router?', 'where'],
  ['what is Context.config?', 'what'],
  ['how does gin recover from a panic?', 'how'],
  ['how does a request flow through the middleware?', 'flow'],
  ['what happens when the token expires?', 'flow'],
  ['why do we retry twice?', 'why'],
  ['how do I write an app?', 'usage'],
  ['which environment variables does the CLI read?', 'config'],
  ['which tests cover the parser?', 'test'],
  ['fix(cli): turn off strict parsing', 'change'],
  ['Add .svg to select_jinja_autoescape', 'change'],
  ['Provide a configuration option to control responses', 'change'],
  ['Added support for custom JSON mimetypes', 'change'],
  ['Simplified click integration a bit', 'change'],
  ['Untangle what opens a session', 'change'],
  ['tightens the limits of a burst', 'change'],
  ['Skips what was dropped before', 'change'],
  ['The default run method is now accepting the port', 'change'],
  ['login no longer works', 'other'],
  ['scanned paper has no text', 'other'],
  ['documents of a wiki', 'other'],
  ['webhook signatures', 'other'],
  ['Hi! OK, so, please: is the build green', 'what'],
])('%j asks %s', (text, kind) => {
  expect(toQuery(text).kind).toBe(kind)
})

test('T35: a question that greets without end is read at once', () => {
  expect(toQuery(`${'hi, '.repeat(2_000)}webhook signatures`).kind).toBe('other')
})

describe('terms', () => {
  test.each([
    ['where is the parser defined?', ['parser']],
    ['where do we verify webhook signatures?', ['verifi', 'webhook', 'signatur']],
    ['where is it defined?', ['defin']],
    ['see https://example.test/secret and retry', ['see', 'retri']],
  ])('%j', (text, expected) => {
    expect(toQuery(text).tokens).toEqual(expected)
  })

  test('the name of what is searched tells nothing apart, unless it is all there is', () => {
    expect(toQuery('how does shop find the key?', ['acme/shop']).tokens).not.toContain('shop')
    expect(toQuery('what is shop?', ['acme/shop']).tokens).toEqual(['shop'])
  })
})

test.each([
  ['what does `getToken` do', ['gettoken'], []],
  ['call getUserToken() or get_user_token', ['getusertoken', 'get_user_token'], []],
  ['what is Context.config and app::run?', ['config', 'run'], ['context', 'app']],
  ['does HTTPServer close()?', ['httpserver', 'close'], []],
  ['open src/app.ts and main.py', [], []],
  ['where is it?', [], []],
])('names of %j', (text, names, containers) => {
  const query = toQuery(text)
  expect(query.names.sort()).toEqual(names.sort())
  expect(query.containers.sort()).toEqual(containers.sort())
})

test.each([
  ['explain src/server/app.ts please', ['src/server/app.ts']],
  ['what is in docs/?', ['docs/']],
  ['look at ./main.py, go.mod', ['main.py']],
  ['either/or of https://example.test/a/b.ts', ['either/or']],
])('paths of %j', (text, paths) => {
  expect(toQuery(text).paths).toEqual(paths)
})

test('who uses what a question is about is asked for, and not looked for', () => {
  const [alone, asked] = ['Where do we verify signatures?', 'Where do we verify signatures, and who calls it?'].map((text) => toQuery(text))
  expect([asked!.tokens, asked!.likelyNames]).toEqual([alone!.tokens, alone!.likelyNames])
  expect(toQuery('who calls verifySignature?').names).toEqual(['verifysignature'])
})

test('how something comes about is asked of a flow, and no name of what it is about', () => {
  expect(toQuery('how does a push reach the index?')).toMatchObject({ kind: 'flow', tokens: ['push', 'index'] })
  expect(toQuery('how does a question become an answer?').tokens).toEqual(['question', 'answer'])
  expect(toQuery('where is reach computed?').tokens).toContain('reach')
})

test('two words are also tried as one name', () => {
  expect(toQuery('how is the private key loaded?').likelyNames).toEqual(
    expect.arrayContaining(['privatekey', 'private_key', 'private', 'key']),
  )
})

test('any text is a bounded query, the same each time', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      const query = toQuery(text)
      expect(toQuery(text)).toEqual(query)
      expect(query.tokens.length).toBeLessThanOrEqual(120)
    }),
  )
  const long = toQuery('parseForm_x `a.b` src/x.ts '.repeat(5_000))
  expect(long.tokens.length).toBeLessThanOrEqual(120)
  expect(long.text.length).toBeLessThanOrEqual(4_000)
})
