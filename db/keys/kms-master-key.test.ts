import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { startFakeKms, type FakeKms } from '../testing/fake-kms.ts'
import { createKmsMasterKey } from './kms-master-key.ts'

let fake: FakeKms
beforeAll(async () => {
  fake = await startFakeKms()
  for (const [key, value] of Object.entries({ AWS_ENDPOINT_URL_KMS: fake.url, AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' })) vi.stubEnv(key, value)
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await fake.close()
})
beforeEach(() => void (fake.fault = null))

const dataKey = Buffer.alloc(32, 5)
const name = { tenantId: 'acme', keyId: 'k1' }

test('wraps for one tenant and one key, whose names KMS authenticates', async () => {
  const master = createKmsMasterKey(fake.addKey())
  const wrapped = await master.wrap(dataKey, name)
  expect(wrapped.includes(dataKey)).toBe(false)
  expect(fake.requests.at(-1)).toMatchObject({ action: 'Encrypt', EncryptionContext: { tenant: 'acme', key: 'k1' } })
  expect(await master.unwrap(wrapped, name)).toEqual(dataKey)
  for (const other of [{ ...name, tenantId: 'globex' }, { ...name, keyId: 'k2' }]) await expect(master.unwrap(wrapped, other)).rejects.toMatchObject({ code: 'secret-unreadable' })
  await expect(createKmsMasterKey(fake.addKey()).unwrap(wrapped, name)).rejects.toMatchObject({ code: 'secret-unreadable' })
})

test('says what must be done about a key that is refused, and waits for KMS when it is away', async () => {
  const master = createKmsMasterKey(fake.addKey())
  await expect(createKmsMasterKey('arn:aws:kms:eu-central-1:111122223333:key/none').wrap(dataKey, name)).rejects.toMatchObject({ code: 'key-store-refused', retryable: false, message: expect.stringContaining('check NURA_KMS_KEY') })
  fake.fault = { status: 400, name: 'AccessDeniedException' }
  await expect(master.wrap(dataKey, name)).rejects.toMatchObject({ code: 'key-store-refused', message: expect.stringContaining('kms:Decrypt') })
  for (const fault of [{ status: 503, name: 'KMSInternalException' }, 'hang-up'] as const) {
    fake.fault = fault
    await expect(master.wrap(dataKey, name)).rejects.toMatchObject({ code: 'key-store-away', retryable: true })
  }
  fake.fault = null
  expect(await master.unwrap(await master.wrap(dataKey, name), name)).toEqual(dataKey)
})
