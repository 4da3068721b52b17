import type { Socket } from 'node:net'
import { SignJWT, UnsecuredJWT } from 'jose'
import type { JWTPayload } from 'jose'
import { expect, test } from 'vitest'
import { checkOperator, readCaller } from './authenticate.ts'
import type { AuthConfig } from './authenticate.ts'

const secret = 'a service secret that is long enough to be one'
const config: AuthConfig = { host: '0.0.0.0', serviceSecret: secret, metricsToken: 'a-token-for-metrics', tenant: 'local' }
const now = () => Math.floor(Date.now() / 1000)
const claims = (): JWTPayload => ({ aud: 'nura', tenant: 'acme', sub: 'U1', exp: now() + 300 })
const without = (name: string) => Object.fromEntries(Object.entries(claims()).filter(([key]) => key !== name))

async function bearer(payload: JWTPayload, { key = secret, alg = 'HS256' } = {}): Promise<string> {
  return `Bearer ${await new SignJWT(payload).setProtectedHeader({ alg }).sign(Buffer.from(key.padEnd(64, '.').slice(0, alg === 'HS256' ? key.length : 64)))}`
}

/** A request as far as `checkOperator` reads it. */
function from(remoteAddress: string, authorization?: string): Parameters<typeof checkOperator>[0] {
  return { socket: { remoteAddress } as Socket, headers: { host: 'localhost:3000', ...(authorization === undefined ? {} : { authorization }) } }
}

const refused = { code: 'unauthorized', message: expect.stringContaining('NURA_SERVICE_SECRET') }

test('the caller is who the token says, by its signature', async () => {
  expect(await readCaller(await bearer(claims()), config)).toEqual({ tenant: 'acme', asker: 'U1' })
  expect(await readCaller((await bearer(claims())).replace('Bearer', 'bearer'), config)).toEqual({ tenant: 'acme', asker: 'U1' })
  // Clocks differ by a minute at most, at either end.
  expect(await readCaller(await bearer({ ...claims(), exp: now() - 50 }), config)).toMatchObject({ tenant: 'acme' })
  expect(await readCaller(await bearer({ ...claims(), exp: now() + 650 }), config)).toMatchObject({ tenant: 'acme' })
  expect(await readCaller(await bearer({ ...claims(), tenant: 'a'.repeat(200), sub: 'b'.repeat(200) }), config)).toEqual({ tenant: 'a'.repeat(200), asker: 'b'.repeat(200) })
})

test('without a secret everyone is the local tenant, whatever they bring', async () => {
  for (const authorization of [undefined, 'Bearer x', await bearer(claims())]) {
    expect(await readCaller(authorization, { ...config, serviceSecret: null })).toEqual({ tenant: 'local', asker: 'local' })
  }
})

test.each<[string, () => Promise<string | undefined>]>([
  ['none', async () => undefined],
  ['an empty one', async () => ''],
  ['one of another kind', async () => (await bearer(claims())).replace('Bearer', 'Basic')],
  ['one with something before it', async () => `x ${await bearer(claims())}`],
  ['one with something after it', async () => `${await bearer(claims())} x`],
  ['one that is too long', async () => `Bearer ${'a'.repeat(8193)}`],
  ['one by another', async () => bearer(claims(), { key: 'another secret that is long enough too' })],
  ['one by nobody', async () => `Bearer ${new UnsecuredJWT(claims()).encode()}`],
  ['one of another algorithm', async () => bearer(claims(), { alg: 'HS512' })],
  ['one for somebody else', async () => bearer({ ...claims(), aud: 'nura-admin' })],
  ['one for nobody', async () => bearer(without('aud'))],
  ['one without end', async () => bearer(without('exp'))],
  ['one of nobody', async () => bearer(without('sub'))],
  ['one of no tenant', async () => bearer(without('tenant'))],
  ['one that has ended', async () => bearer({ ...claims(), exp: now() - 70 })],
  ['one that lasts too long', async () => bearer({ ...claims(), exp: now() + 670 })],
  ['one that is not to be used now', async () => bearer({ ...claims(), nbf: now() + 200 })],
  ['one whose tenant is no text', async () => bearer({ ...claims(), tenant: { $ne: null } as never })],
  ['one whose tenant is empty', async () => bearer({ ...claims(), tenant: '' })],
  ['one whose asker is empty', async () => bearer({ ...claims(), sub: '' })],
  ['one whose tenant is too long', async () => bearer({ ...claims(), tenant: 'a'.repeat(201) })],
  ['one whose asker is too long', async () => bearer({ ...claims(), sub: 'a'.repeat(201) })],
  ['one whose asker holds a zero', async () => bearer({ ...claims(), sub: 'U1\0' })],
])('T28: %s lets nobody in, always with the same sentence', async (_, make) => {
  const authorization = await make()
  await expect(readCaller(authorization, config)).rejects.toMatchObject(refused)
  await expect(checkOperator(from('203.0.113.7', authorization), config)).rejects.toMatchObject(refused)
})

test('operators come in on loopback, with the metrics token, or with a service token', async () => {
  await expect(checkOperator(from('127.0.0.1'), { ...config, host: '127.0.0.1' })).resolves.toBeUndefined()
  for (const token of ['Bearer a-token-for-metrics', await bearer(claims())]) await expect(checkOperator(from('203.0.113.7', token), config)).resolves.toBeUndefined()
})

test('T28: being on this machine opens what listens to this machine alone, and being elsewhere never does', async () => {
  await expect(checkOperator(from('127.0.0.1'), config)).rejects.toMatchObject(refused)
  await expect(checkOperator(from('203.0.113.7'), { ...config, host: '127.0.0.1' })).rejects.toMatchObject(refused)
})

test('T28: the metrics token is that token alone, opens no data, and where there is none nothing is one', async () => {
  for (const token of ['a-token-for-metric', 'a-token-for-metricsx', 'b-token-for-metrics']) await expect(checkOperator(from('203.0.113.7', `Bearer ${token}`), config)).rejects.toMatchObject(refused)
  await expect(readCaller('Bearer a-token-for-metrics', config)).rejects.toMatchObject(refused)
  await expect(checkOperator(from('203.0.113.7', 'Bearer null'), { ...config, metricsToken: null })).rejects.toMatchObject(refused)
})
