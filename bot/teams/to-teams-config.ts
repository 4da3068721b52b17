import { z } from 'zod'
import { NuraError } from '#db/nura-error.ts'
import { isLoopback } from '#server/config.ts'
import { mayBePublic } from '#server/sources/public-address.ts'
import type { IdentityOverrides } from './identity.ts'

const address = (what: string) => z.url({ protocol: /^https?$/, error: `must be the address of ${what}` }).optional()

/** The Bot Framework's own keys for another identity provider. */
const overrideEnv = {
  ToChannelFromBotLoginUrl: address('where tokens are given, such as https://login.example.com/tenant'),
  ToChannelFromBotOAuthScope: z.string().optional(),
  ToBotFromChannelTokenIssuer: z.string().optional(),
  OAuthUrl: address('its OAuth endpoint'),
  ToBotFromChannelOpenIdMetadataUrl: address('the OpenID metadata of the connector'),
  ToBotFromEmulatorOpenIdMetadataUrl: address('the OpenID metadata of the emulator'),
  CallerId: z.string().optional(),
}

/** The environment keys of Teams. */
export const teamsEnv = {
  MicrosoftAppId: z.guid('must be the application (client) id of the bot, a GUID; copy it from its page in the Azure portal').optional(),
  MicrosoftAppPassword: z.string().min(8, 'is too short to be a client secret; make one under Certificates & secrets and copy its value').optional(),
  MicrosoftAppType: z.enum(['SingleTenant', 'MultiTenant'], { error: 'must be SingleTenant (your own directory) or MultiTenant (any directory)' }).optional(),
  MicrosoftAppTenantId: z.guid('must be the id of your directory (tenant), a GUID').optional(),
  MicrosoftGraphUrl: address('Microsoft Graph, such as https://graph.microsoft.com/v1.0'),
  ...overrideEnv,
}

export type TeamsConfig = {
  appId: string
  appPassword: string
  /** The one directory that is served; null where any may install Nura. */
  directoryId: string | null
  overrides: IdentityOverrides | null
  /** Null where another identity provider is used and no Graph is named: then no thread is read. */
  graphUrl: string | null
}

const microsoftGraph = 'https://graph.microsoft.com/v1.0'

/** Null when Teams is not configured. @throws NuraError `bad-environment` when it is by halves */
export function toTeamsConfig(given: z.output<z.ZodObject<typeof teamsEnv>>): TeamsConfig | null {
  const { MicrosoftAppId: appId, MicrosoftAppPassword: appPassword, MicrosoftAppType: type, MicrosoftAppTenantId: directoryId } = given
  const keys = Object.keys(overrideEnv) as (keyof typeof overrideEnv)[]
  const overridden = keys.filter((key) => given[key] !== undefined)
  if (!appId && !appPassword && !type && !directoryId && overridden.length === 0 && !given.MicrosoftGraphUrl) return null
  const missing = overridden.length === 0 ? [] : keys.filter((key) => given[key] === undefined)
  const plain = (['MicrosoftGraphUrl', 'ToChannelFromBotLoginUrl', 'ToBotFromChannelOpenIdMetadataUrl', 'ToBotFromEmulatorOpenIdMetadataUrl', 'OAuthUrl'] as const).filter((key) => given[key] !== undefined && !isSafe(given[key]))
  const faults = [
    !appId && 'MicrosoftAppId: is missing; copy the application (client) id of the bot from its page in the Azure portal',
    !appPassword && 'MicrosoftAppPassword: is missing; make a client secret for the app and copy its value',
    !type && 'MicrosoftAppType: is missing; SingleTenant for your own directory, MultiTenant for any',
    type === 'SingleTenant' && !directoryId && 'MicrosoftAppTenantId: is missing; SingleTenant needs the id of your directory',
    type === 'MultiTenant' && directoryId && 'MicrosoftAppTenantId: contradicts MultiTenant; remove it, or set MicrosoftAppType to SingleTenant',
    ...missing.map((key) => `${key}: is missing; set all keys of another identity provider or none`),
    ...plain.map((key) => `${key}: must begin with https:// unless it is on this machine; tokens and keys go over it`),
  ].filter((fault) => typeof fault === 'string')
  if (faults.length > 0 || !appId || !appPassword) throw new NuraError('bad-environment', `The environment is not usable:\n${faults.map((fault) => `  ${fault}`).join('\n')}`)
  const overrides = overridden.length === 0 ? null : (Object.fromEntries(keys.map((key) => [key, given[key]])) as IdentityOverrides)
  return { appId, appPassword, directoryId: directoryId ?? null, overrides, graphUrl: given.MicrosoftGraphUrl ?? (overrides ? null : microsoftGraph) }
}

/** An address that secrets may go to: encrypted, or on this machine. */
function isSafe(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return protocol === 'https:' || isLoopback(hostname)
}

/** Whether a connector may stand at an address that a verified activity names: on the internet, or on this machine with another identity provider. */
export function isConnectorUrl(serviceUrl: string, config: Pick<TeamsConfig, 'overrides'>): boolean {
  const url = URL.parse(serviceUrl)
  if (!url || url.username !== '' || url.password !== '') return false
  return isLoopback(url.hostname) ? config.overrides !== null && /^https?:$/.test(url.protocol) : url.protocol === 'https:' && mayBePublic(url.hostname)
}
