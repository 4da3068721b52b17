import { ConfigurationBotFrameworkAuthentication } from 'botbuilder'
import type { Activity } from 'botbuilder'
import { within } from '#server/within.ts'

/** Another identity provider than Microsoft's, in the Bot Framework's own names. */
export type IdentityOverrides = {
  ToChannelFromBotLoginUrl: string
  ToChannelFromBotOAuthScope: string
  ToBotFromChannelTokenIssuer: string
  OAuthUrl: string
  ToBotFromChannelOpenIdMetadataUrl: string
  ToBotFromEmulatorOpenIdMetadataUrl: string
  CallerId: string
}

export type IdentityConfig = { appId: string; overrides: IdentityOverrides | null }

/** The parts of an activity that its token speaks for. */
export type Claimed = { channelId: string; serviceUrl: string }

/** `unready`: the keys of the identity provider could not be had, so nothing can be told yet. */
export type Verdict = 'verified' | 'refused' | 'unready'

/** Longest that the keys of the identity provider are waited for, milliseconds: the SDK itself sets no end. */
const keysMs = 10_000
const defaultIssuer = 'https://api.botframework.com'

/**
 * Tells whether the connector of Teams sent an activity: its token is signed by a key of the identity provider, in time, for
 * Nura's app, endorsed for Teams, and names the very connector that the activity does. An activity of any other channel is
 * refused, and so is a token of an emulator or of another bot, which the SDK would take: those name no connector.
 */
export function createVerify(config: IdentityConfig): (activity: Claimed, authorization: string) => Promise<Verdict> {
  const { appId, overrides } = config
  const issuer = overrides?.ToBotFromChannelTokenIssuer ?? defaultIssuer
  const authentication = new ConfigurationBotFrameworkAuthentication(
    { MicrosoftAppId: appId, ...(overrides ? { ...overrides, ValidateAuthority: false } : {}) },
    {
      isValidAppId: async (id) => id === appId,
      isAuthenticationDisabled: async () => false,
      createCredentials: () => Promise.reject(new Error('what Nura sends does not go through the SDK\'s adapter')),
    },
  )
  return async function verify(activity, authorization) {
    if (activity.channelId !== 'msteams' || activity.serviceUrl === '' || !/^Bearer [\w-]+\.[\w-]+\.[\w-]+$/.test(authorization)) return 'refused'
    try {
      const result = await within(authentication.authenticateRequest(activity as Activity, authorization), keysMs)
      if (result === null) return 'unready'
      const { claimsIdentity } = result
      // The SDK takes a token of its emulator for whatever connector, and the issuer that is configured here may be the emulator's.
      const isOurs = claimsIdentity.isAuthenticated && claimsIdentity.getClaimValue('iss') === issuer
      return isOurs && claimsIdentity.getClaimValue('serviceurl') === activity.serviceUrl ? 'verified' : 'refused'
    } catch (error) {
      // The SDK reports a forged signature, like a crash of its own, as anything but a refusal.
      return isProviderAway(error) ? 'unready' : 'refused'
    }
  }
}

function isProviderAway(error: unknown): boolean {
  const { name, statusCode } = (error ?? {}) as { name?: unknown; statusCode?: unknown }
  return name === 'FetchError' || statusCode === 500
}
