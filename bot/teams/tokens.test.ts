import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startFakeIdentityProvider } from '../testing/fake-identity-provider.ts'
import type { FakeIdentityProvider } from '../testing/fake-identity-provider.ts'
import { createTokens } from './tokens.ts'

let identity: FakeIdentityProvider
beforeAll(async () => {
  identity = await startFakeIdentityProvider()
})
afterAll(() => identity?.close())

const open = (given: { password?: string; now?: () => number } = {}) =>
  createTokens({ appId: identity.app.id, appPassword: given.password ?? identity.app.password, loginUrl: `${identity.url}/botframework.example/`, connectorScope: 'https://connector.example/.default', graphScope: 'https://graph.example/.default' }, given.now)

describe('tokens', () => {
  it('are asked for with the credentials of the app, once for all who come at the same time', async () => {
    const before = identity.tokenRequests.length
    const tokens = open()
    const [one, two] = await Promise.all([tokens.connectorToken(), tokens.connectorToken()])
    expect(one).toMatch(/^botframework\.example https:\/\/connector\.example\/\.default \d+$/)
    expect(two).toBe(one)
    expect(await tokens.connectorToken()).toBe(one)
    expect(identity.tokenRequests.slice(before)).toEqual([
      { path: '/botframework.example/oauth2/v2.0/token', form: { grant_type: 'client_credentials', client_id: identity.app.id, client_secret: identity.app.password, scope: 'https://connector.example/.default' } },
    ])
  })

  it('of Graph are those of one directory', async () => {
    const tokens = open()
    const [first, second] = [await tokens.graphToken('dir-1'), await tokens.graphToken('dir-2')]
    expect(first).toMatch(/^dir-1 https:\/\/graph\.example\/\.default/)
    expect(second).toMatch(/^dir-2 /)
    expect(await tokens.graphToken('dir-1')).toBe(first)
  })

  it('are renewed before they end', async () => {
    let now = Date.now()
    const tokens = open({ now: () => now })
    const first = await tokens.connectorToken()
    now += 54 * 60_000
    expect(await tokens.connectorToken()).toBe(first)
    now += 2 * 60_000
    expect(await tokens.connectorToken()).not.toBe(first)
  })

  it('that live shortly are kept for half their time, not renewed with each call', async () => {
    let now = Date.now()
    identity.expiresIn = 120
    const tokens = open({ now: () => now })
    const first = await tokens.connectorToken()
    identity.expiresIn = 3600
    now += 50_000
    expect(await tokens.connectorToken()).toBe(first)
    now += 20_000
    expect(await tokens.connectorToken()).not.toBe(first)
  })

  it('are asked for again at once after an outage', async () => {
    const tokens = open()
    identity.fail('token', { kind: 'status', status: 503 })
    await expect(tokens.connectorToken()).rejects.toMatchObject({ code: 'teams-identity-away', retryable: true })
    identity.fail('token', { kind: 'status', status: 429 })
    await expect(tokens.connectorToken()).rejects.toMatchObject({ code: 'teams-identity-away', retryable: true })
    expect(await tokens.connectorToken()).toContain('botframework.example')
  })

  it('refused for a wrong password are not asked for again at once, and the password is nowhere in the error', async () => {
    let now = Date.now()
    const tokens = open({ password: 'not-the-password', now: () => now })
    const failed = tokens.connectorToken()
    await expect(failed).rejects.toMatchObject({ code: 'teams-credentials-refused' })
    expect(JSON.stringify(await failed.catch((error: Error) => [error.message, String(error.cause)]))).not.toContain('not-the-password')
    const before = identity.tokenRequests.length
    await expect(tokens.connectorToken()).rejects.toMatchObject({ code: 'teams-credentials-refused' })
    expect(identity.tokenRequests).toHaveLength(before)
    now += 6_000
    await expect(tokens.connectorToken()).rejects.toMatchObject({ code: 'teams-credentials-refused' })
    expect(identity.tokenRequests).toHaveLength(before + 1)
  })
})
