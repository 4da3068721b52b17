import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decrypt, encrypt } from './encryption.ts'

const key = Buffer.alloc(32, 1)
const secret = Buffer.from('xoxb-1234-secret')

test('opens with the same key and context only, and never looks the same twice', () => {
  const sealed = encrypt(key, secret, 'acme:slack')
  expect(decrypt(key, sealed, 'acme:slack')).toEqual(secret)
  expect(encrypt(key, secret, 'acme:slack').equals(sealed)).toBe(false)
  expect(() => decrypt(key, sealed, 'globex:slack')).toThrow()
  expect(() => decrypt(Buffer.alloc(32, 2), sealed, 'acme:slack')).toThrow()
})

test('any flipped bit, and any cut, of nonce, text or tag is noticed', () => {
  const bytes = fc.uint8Array({ maxLength: 200 })
  fc.assert(
    fc.property(bytes, fc.string(), fc.nat(), fc.nat(), (plain, context, flip, cut) => {
      const sealed = encrypt(key, Buffer.from(plain), context)
      const flipped = Buffer.from(sealed)
      const bit = flip % (sealed.length * 8)
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(() => decrypt(key, flipped, context)).toThrow()
      expect(() => decrypt(key, sealed.subarray(0, cut % sealed.length), context)).toThrow()
      expect(decrypt(key, sealed, context).equals(plain)).toBe(true)
    }),
    { numRuns: 500 },
  )
})
