import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { isSignedByGithub } from './signature.ts'

const secret = 'a webhook secret'
const body = Buffer.from('\ufeff{"action":"opened","title":"Grüße"}')
const hash = (bytes: Buffer, key = secret) => createHmac('sha256', key).update(bytes).digest('hex')
const signed = (value: string | undefined) => (value === undefined ? {} : { 'x-hub-signature-256': value })

test('what GitHub signed is taken', () => {
  expect(isSignedByGithub(secret, signed(`sha256=${hash(body)}`), body)).toBe(true)
})

test.each([
  ['none', undefined],
  ['of another secret', `sha256=${hash(body, 'another')}`],
  ['of another body', `sha256=${hash(Buffer.concat([body, Buffer.from(' ')]))}`],
  ['without its kind', hash(body)],
  ['of another kind', `sha1=${createHmac('sha1', secret).update(body).digest('hex')}`],
  ['of another kind by name', `sha1=${hash(body)}`],
  ['too short', `sha256=${hash(body).slice(1)}`],
  ['too long', `sha256=${hash(body)}0`],
  ['with something before it', ` sha256=${hash(body)}`],
  ['in upper case', `sha256=${hash(body).toUpperCase()}`],
  ['twice', `sha256=${hash(body)}, sha256=${hash(body)}`],
])('a signature %s is refused', (_, value) => {
  expect(isSignedByGithub(secret, signed(value), body)).toBe(false)
})

test('neither an empty secret nor an empty body can be signed', () => {
  expect(isSignedByGithub('', signed(`sha256=${hash(body, '')}`), body)).toBe(false)
  expect(isSignedByGithub(secret, signed(`sha256=${hash(Buffer.alloc(0))}`), Buffer.alloc(0))).toBe(false)
})
