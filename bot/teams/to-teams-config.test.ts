import { describe, expect, it } from 'vitest'
import { readEnv } from '#db/read-env.ts'
import { isConnectorUrl, teamsEnv, toTeamsConfig } from './to-teams-config.ts'

const app = { MicrosoftAppId: '11111111-2222-3333-4444-555555555555', MicrosoftAppPassword: 'an-app-password' }
const directory = '00000000-aaaa-bbbb-cccc-000000000001'
const single = { ...app, MicrosoftAppType: 'SingleTenant', MicrosoftAppTenantId: directory }
const overrides = {
  ToChannelFromBotLoginUrl: 'http://127.0.0.1:7000/login',
  ToChannelFromBotOAuthScope: 'https://connector.example',
  ToBotFromChannelTokenIssuer: 'https://issuer.example',
  OAuthUrl: 'https://oauth.example',
  ToBotFromChannelOpenIdMetadataUrl: 'https://issuer.example/.well-known/openidconfiguration',
  ToBotFromEmulatorOpenIdMetadataUrl: 'https://issuer.example/.well-known/openidconfiguration',
  CallerId: 'urn:botframework:azure',
}
const read = (env: Record<string, string>) => toTeamsConfig(readEnv(teamsEnv, env))
const faultsOf = (env: Record<string, string>): string[] => {
  try {
    read(env)
    return []
  } catch (error) {
    expect(error).toMatchObject({ code: 'bad-environment' })
    expect(String(error)).not.toContain('an-app-password')
    return String(error).split('\n').slice(1).map((line) => line.trim().split(':')[0]!)
  }
}

describe('the environment of Teams', () => {
  it('is none where nothing is set', () => {
    expect(read({})).toBeNull()
  })

  it('serves one directory, or any', () => {
    expect(read(single)).toEqual({ appId: app.MicrosoftAppId, appPassword: 'an-app-password', directoryId: directory, overrides: null, graphUrl: 'https://graph.microsoft.com/v1.0' })
    expect(read({ ...app, MicrosoftAppType: 'MultiTenant' })).toMatchObject({ directoryId: null })
  })

  it('of another identity provider reads no thread unless its Graph is named', () => {
    expect(read({ ...single, ...overrides })).toMatchObject({ overrides, graphUrl: null })
    expect(read({ ...single, ...overrides, MicrosoftGraphUrl: 'https://graph.example/v1.0' })).toMatchObject({ graphUrl: 'https://graph.example/v1.0' })
  })

  it.each<[string, Record<string, string>, string[]]>([
    ['only an id', { MicrosoftAppId: app.MicrosoftAppId }, ['MicrosoftAppPassword', 'MicrosoftAppType']],
    ['only a password', { MicrosoftAppPassword: app.MicrosoftAppPassword }, ['MicrosoftAppId', 'MicrosoftAppType']],
    ['one directory that is not named', { ...app, MicrosoftAppType: 'SingleTenant' }, ['MicrosoftAppTenantId']],
    ['any directory and one', { ...single, MicrosoftAppType: 'MultiTenant' }, ['MicrosoftAppTenantId']],
    ['no app and one of the overrides', { CallerId: 'x' }, ['MicrosoftAppId', 'MicrosoftAppPassword', 'MicrosoftAppType', ...Object.keys(overrides).filter((key) => key !== 'CallerId')]],
    ['all overrides but one', { ...single, ...overrides, OAuthUrl: '' }, ['OAuthUrl']],
    ['keys that would come unencrypted', { ...single, ...overrides, ToBotFromChannelOpenIdMetadataUrl: 'http://issuer.example/openid' }, ['ToBotFromChannelOpenIdMetadataUrl']],
    ['a Graph that would get tokens unencrypted', { ...single, MicrosoftGraphUrl: 'http://graph.example' }, ['MicrosoftGraphUrl']],
    ['an id that is none and an unknown type', { ...single, MicrosoftAppId: 'nura', MicrosoftAppType: 'Both' }, ['MicrosoftAppId', 'MicrosoftAppType']],
  ])('with %s is refused, all faults at once', (_, env, keys) => {
    expect(faultsOf(env)).toEqual(keys)
  })
})

describe('a connector', () => {
  const overridden = { overrides }
  const real = { overrides: null }
  it.each([
    ['https://smba.trafficmanager.net/emea/', real, true],
    ['https://smba.trafficmanager.net/emea/', overridden, true],
    ['http://smba.trafficmanager.net/emea/', real, false],
    ['http://smba.trafficmanager.net/emea/', overridden, false],
    ['http://127.0.0.1:7000/', overridden, true],
    ['http://127.0.0.1:7000/', real, false],
    ['https://localhost/', real, false],
    ['http://[::1]:7000/', overridden, true],
    ['https://user@smba.example/', real, false],
    ['https://10.0.0.7/', real, false],
    ['https://10.0.0.7/', overridden, false],
    ['https://169.254.169.254/latest/', overridden, false],
    ['https://[fd00::7]/', overridden, false],
    ['https://metadata/', overridden, false],
    ['https://smba.internal./', overridden, false],
    ['https://0xA000007/', overridden, false],
    ['file:///etc/passwd', real, false],
    ['', real, false],
  ])('at %s', (url, config, allowed) => {
    expect(isConnectorUrl(url, config)).toBe(allowed)
  })
})
