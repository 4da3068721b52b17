import { SignJWT, UnsecuredJWT, generateKeyPair } from 'jose'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startFakeIdentityProvider } from '../testing/fake-identity-provider.ts'
import type { FakeIdentityProvider } from '../testing/fake-identity-provider.ts'
import { createVerify } from './identity.ts'
import type { IdentityOverrides } from './identity.ts'

let identity: FakeIdentityProvider
let verify: ReturnType<typeof createVerify>
beforeAll(async () => {
  // The SDK tells the console of each token that it refuses.
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
  identity = await startFakeIdentityProvider()
  verify = createVerify({ appId: identity.app.id, overrides: identity.overrides() as IdentityOverrides })
})
afterAll(async () => {
  vi.restoreAllMocks()
  await identity?.close()
})

const serviceUrl = 'https://smba.example/emea/'
const activity = { channelId: 'msteams', serviceUrl }
const claims = { serviceurl: serviceUrl }
const seconds = () => Math.floor(Date.now() / 1000)

it('a token of the connector is verified', async () => {
  expect(await verify(activity, `Bearer ${await identity.sign(claims)}`)).toBe('verified')
})

describe('a token is refused that', () => {
  const cases: [string, () => Promise<string>][] = [
    ['is missing', async () => ''],
    ['is empty', async () => 'Bearer '],
    ['comes by another scheme', async () => `Basic ${await identity.sign(claims)}`],
    ['has something after it', async () => `Bearer ${await identity.sign(claims)} x`],
    ['is no token', async () => 'Bearer a.b.c'],
    ['is signed by a stranger who names the key', async () => `Bearer ${await identity.sign(claims, { key: (await generateKeyPair('RS256')).privateKey })}`],
    ['names a key that is unknown', async () => `Bearer ${await identity.sign(claims, { kid: 'another' })}`],
    ['is changed after it was signed', async () => `Bearer ${changed(await identity.sign({ ...claims, serviceurl: 'https://other.example/' }), { ...claims })}`],
    ['has run out', async () => `Bearer ${await identity.sign({ ...claims, exp: seconds() - 600 })}`],
    ['is not yet valid', async () => `Bearer ${await identity.sign({ ...claims, nbf: seconds() + 600 })}`],
    ['is for another app', async () => `Bearer ${await identity.sign({ ...claims, aud: 'another-app' })}`],
    ['is of another issuer', async () => `Bearer ${await identity.sign({ ...claims, iss: 'https://issuer.example' })}`],
    ['names another connector', async () => `Bearer ${await identity.sign({ serviceurl: 'https://other.example/' })}`],
    ['names no connector', async () => `Bearer ${await identity.sign({})}`],
    ['is endorsed for another channel', async () => `Bearer ${await identity.sign(claims, { kid: 'webchat-key' })}`],
    ['is not signed', async () => `Bearer ${new UnsecuredJWT({ iss: identity.issuer, aud: identity.app.id, exp: seconds() + 600, ...claims }).encode()}`],
    ['is not signed but has some signature', async () => `Bearer ${new UnsecuredJWT({ iss: identity.issuer, aud: identity.app.id, exp: seconds() + 600, ...claims }).encode()}AAAA`],
    ['is signed with the public key as a secret', async () => `Bearer ${await withPublicKey()}`],
    [
      'is one of the emulator',
      async () => `Bearer ${await identity.sign({ iss: 'https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/', ver: '1.0', appid: identity.app.id, ...claims, serviceurl: undefined })}`,
    ],
    [
      'is one of the emulator and names the connector',
      async () => `Bearer ${await identity.sign({ iss: 'https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/', ver: '1.0', appid: identity.app.id, ...claims })}`,
    ],
    [
      'is one of another bot',
      async () => `Bearer ${await identity.sign({ iss: 'https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/', ver: '1.0', appid: 'another-bot', ...claims })}`,
    ],
  ]
  it.each(cases)('%s', async (_, header) => {
    expect(await verify(activity, await header())).toBe('refused')
  })

  it.each([
    ['of another channel', { channelId: 'webchat', serviceUrl }],
    ['of the emulator', { channelId: 'emulator', serviceUrl }],
    ['of the channel that the SDK trusts by a key of its own', { channelId: 'AseChannel', serviceUrl }],
    ['of no channel', { channelId: '', serviceUrl }],
    ['without a connector', { channelId: 'msteams', serviceUrl: '' }],
  ])('comes with an activity %s', async (_, given) => {
    expect(await verify(given, `Bearer ${await identity.sign({ serviceurl: given.serviceUrl })}`)).toBe('refused')
  })

  function changed(token: string, to: Record<string, unknown>): string {
    const [header, payload = '', signature] = token.split('.')
    const read = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
    return [header, Buffer.from(JSON.stringify({ ...read, ...to })).toString('base64url'), signature].join('.')
  }

  async function withPublicKey(): Promise<string> {
    return await new SignJWT({ iss: identity.issuer, aud: identity.app.id, exp: seconds() + 600, ...claims }).setProtectedHeader({ alg: 'HS256', kid: 'fake-key' }).sign(Buffer.from(await identity.publicKey()))
  }
})

it('a token of the emulator is refused also where its issuer is that of the connector, unless it names app and connector', async () => {
  const iss = 'https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/'
  const check = createVerify({ appId: identity.app.id, overrides: { ...(identity.overrides() as IdentityOverrides), ToBotFromChannelTokenIssuer: iss } })
  const emulator = { iss, ver: '1.0', appid: identity.app.id }
  expect(await check(activity, `Bearer ${await identity.sign({ ...emulator, ...claims })}`)).toBe('verified')
  expect(await check(activity, `Bearer ${await identity.sign(emulator)}`)).toBe('refused')
  expect(await check(activity, `Bearer ${await identity.sign({ ...emulator, ...claims, aud: 'https://graph.example' })}`)).toBe('refused')
})

it.each(['metadata', 'keys'] as const)('nothing can be told while the identity provider does not hand out its %s', async (what) => {
  const fresh = await startFakeIdentityProvider()
  try {
    const check = createVerify({ appId: fresh.app.id, overrides: fresh.overrides() as IdentityOverrides })
    const header = `Bearer ${await fresh.sign(claims)}`
    fresh.fail(what, { kind: 'status', status: 500 })
    expect(await check(activity, header)).toBe('unready')
    expect(await check(activity, header)).toBe('verified')
  } finally {
    await fresh.close()
  }
})

it('nothing can be told while the identity provider is away', async () => {
  const gone = await startFakeIdentityProvider()
  const check = createVerify({ appId: gone.app.id, overrides: gone.overrides() as IdentityOverrides })
  const header = `Bearer ${await gone.sign(claims)}`
  await gone.close()
  expect(await check(activity, header)).toBe('unready')
})
