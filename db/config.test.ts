import { expect, test } from 'vitest'
import { readDbConfig } from './config.ts'

const [one, two] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
const arn = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'

test('master keys: one that wraps, several of before, and keys of KMS', () => {
  expect(readDbConfig({})).toMatchObject({ encryptionKey: null, previousKeys: [], kmsKey: null })
  const read = readDbConfig({ NURA_ENCRYPTION_KEY: one.toString('base64'), NURA_ENCRYPTION_KEY_PREVIOUS: `${two.toString('base64')}, ${arn}`, NURA_KMS_KEY: 'alias/nura' })
  expect(read).toMatchObject({ encryptionKey: one, previousKeys: [two, arn], kmsKey: 'alias/nura' })
})

test('names each faulty key with its fix and shows no value', () => {
  const faulty = { NURA_ENCRYPTION_KEY: 'canary', NURA_ENCRYPTION_KEY_PREVIOUS: `${one.toString('base64')},canary`, NURA_KMS_KEY: 'can ary' }
  expect(() => readDbConfig(faulty)).toThrow(/NURA_ENCRYPTION_KEY: .*openssl[^]*NURA_ENCRYPTION_KEY_PREVIOUS: [^]*NURA_KMS_KEY: /)
  expect(() => readDbConfig(faulty)).not.toThrow(/can ?ary/)
})
