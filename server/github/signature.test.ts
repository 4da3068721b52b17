import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { readSigned } from './signature.ts'

const secret = 'a webhook secret'
const body = Buffer.from('\ufeff{"action":"opened","title":"Grüße"}')
const hash = (bytes: Buffer, key = secret) => createHmac('sha256', key).update(bytes).digest('hex')
const signed = (value: string | undefined) => (value === undefined ? {} : { 'x-hub-signature-256': value })

test('what GitHub signed is read as it was sent', async () => {
  expect(await readSigned(secret, signed(`sha256=${hash(body)}`), body)).toBe(body.toString())
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
])('a signature %s is refused', async (_, value) => {
  expect(await readSigned(secret, signed(value), body)).toBeNull()
})

test('neither an empty secret, nor an empty body, nor bytes that are no text can be signed', async () => {
  expect(await readSigned('', signed(`sha256=${hash(body, '')}`), body)).toBeNull()
  expect(await readSigned(secret, signed(`sha256=${hash(Buffer.alloc(0))}`), Buffer.alloc(0))).toBeNull()
  const latin = Buffer.from('{"title":"Gr\xfc\xdfe"}', 'latin1')
  expect(await readSigned(secret, signed(`sha256=${hash(latin)}`), latin)).toBeNull()
})
