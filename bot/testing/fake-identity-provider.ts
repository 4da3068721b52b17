import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { SignJWT, exportJWK, exportSPKI, generateKeyPair } from 'jose'
import type { CryptoKey } from 'jose'
import { listenOnLoopback } from '#server/testing/listen-on-loopback.ts'
import { sendJson } from '#server/testing/send-json.ts'

/** One request of the token endpoint as it came in. */
export type TokenRequest = { path: string; form: Record<string, string> }

/** What goes wrong with a request. `hang` answers never. */
export type IdentityFault = { kind: 'status'; status: number; error?: string } | { kind: 'hang' }

export type FakeIdentityProvider = {
  readonly url: string
  /** What an app must name to get tokens. */
  readonly app: { id: string; password: string }
  /** `iss` of the connector's tokens. */
  readonly issuer: string
  /** Every request of the token endpoint, in order. */
  readonly tokenRequests: TokenRequest[]
  /** Paths of every request, in order. */
  readonly paths: string[]
  /** Seconds that the next tokens live. */
  expiresIn: number
  /** The public key of the connector's tokens as PEM text. */
  publicKey(): Promise<string>
  /** Signs claims as the connector of Teams does; `kid` names another key than the one that signs. */
  sign(claims: Record<string, unknown>, options?: { key?: CryptoKey; kid?: string }): Promise<string>
  /** The next `times` requests of a kind end so. */
  fail(what: 'token' | 'metadata' | 'keys', fault: IdentityFault, times?: number): void
  /** The Bot Framework's keys that point at it. */
  overrides(): Record<string, string>
  close(): Promise<void>
}

const kid = 'fake-key'

/**
 * An identity provider over loopback: OpenID metadata, the keys that the connector of Teams signs with, and tokens by client
 * credentials. Tokens of `/TENANT/oauth2/v2.0/token` read `TENANT SCOPE NUMBER`, so that a fake can tell what they are for.
 */
export async function startFakeIdentityProvider(app = { id: '11111111-2222-3333-4444-555555555555', password: 'an-app-password' }): Promise<FakeIdentityProvider> {
  const pair = await generateKeyPair('RS256', { extractable: true })
  // One for skills and other channels: a key of the same provider that does not speak for Teams.
  const other = await generateKeyPair('RS256', { extractable: true })
  const tokenRequests: TokenRequest[] = []
  const paths: string[] = []
  const faults: { token: IdentityFault[]; metadata: IdentityFault[]; keys: IdentityFault[] } = { token: [], metadata: [], keys: [] }
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  const { url, close } = await listenOnLoopback(server)
  const issuer = `${url}/issuer`
  let expiresIn = 3600

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', url).pathname
    const body = await text(request)
    paths.push(path)
    const what = path.endsWith('/oauth2/v2.0/token') ? 'token' : path === '/keys' ? 'keys' : 'metadata'
    if (what === 'token') tokenRequests.push({ path, form: Object.fromEntries(new URLSearchParams(body)) })
    const fault = faults[what].shift()
    if (fault?.kind === 'hang') return
    if (fault) return sendJson(response, fault.status, { error: fault.error ?? 'server_error' })
    if (what === 'keys') return sendJson(response, 200, { keys: [await toKey(pair.publicKey, kid, ['msteams']), await toKey(other.publicKey, 'webchat-key', ['webchat'])] })
    if (path === '/.well-known/openidconfiguration') return sendJson(response, 200, { issuer, jwks_uri: `${url}/keys`, id_token_signing_alg_values_supported: ['RS256'] })
    if (what !== 'token') return sendJson(response, 404, {})
    const { form } = tokenRequests.at(-1)!
    if (form.grant_type !== 'client_credentials') return sendJson(response, 400, { error: 'unsupported_grant_type' })
    if (form.client_id !== app.id || form.client_secret !== app.password) return sendJson(response, 401, { error: 'invalid_client' })
    sendJson(response, 200, { token_type: 'Bearer', expires_in: expiresIn, access_token: `${path.split('/')[1]} ${form.scope} ${tokenRequests.length}` })
  }

  return {
    url,
    app,
    issuer,
    tokenRequests,
    paths,
    get expiresIn() {
      return expiresIn
    },
    set expiresIn(seconds) {
      expiresIn = seconds
    },
    publicKey: () => exportSPKI(pair.publicKey),
    async sign(claims, options = {}) {
      const key = options.key ?? (options.kid === 'webchat-key' ? other.privateKey : pair.privateKey)
      const now = Math.floor(Date.now() / 1000)
      return await new SignJWT({ iss: issuer, aud: app.id, nbf: now - 60, exp: now + 3600, ...claims }).setProtectedHeader({ alg: 'RS256', kid: options.kid ?? kid }).sign(key)
    },
    fail: (what, fault, times = 1) => void faults[what].push(...Array.from({ length: times }, () => fault)),
    overrides: () => ({
      ToChannelFromBotLoginUrl: `${url}/botframework.example`,
      ToChannelFromBotOAuthScope: 'https://connector.example',
      ToBotFromChannelTokenIssuer: issuer,
      OAuthUrl: `${url}/oauth`,
      ToBotFromChannelOpenIdMetadataUrl: `${url}/.well-known/openidconfiguration`,
      ToBotFromEmulatorOpenIdMetadataUrl: `${url}/.well-known/openidconfiguration`,
      CallerId: 'urn:botframework:azure',
    }),
    close,
  }
}

async function toKey(key: CryptoKey, id: string, endorsements: string[]): Promise<Record<string, unknown>> {
  return { ...(await exportJWK(key)), kid: id, use: 'sig', alg: 'RS256', endorsements }
}
