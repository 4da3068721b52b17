import { NuraError } from '#db/nura-error.ts'

/** The tokens by which Nura's app speaks for itself. */
export type Tokens = {
  /** For the connector of Teams. */
  connectorToken(): Promise<string>
  /** For Microsoft Graph, in a directory. */
  graphToken(directoryId: string): Promise<string>
}

export type TokensConfig = {
  appId: string
  appPassword: string
  /** Where tokens for the connector are given, such as `https://login.microsoftonline.com/botframework.com`. Graph's are given beside it, by directory. */
  loginUrl: string
  connectorScope: string
  graphScope: string
}

/** A token is renewed this long before it ends, milliseconds: it must outlive the request it goes with. */
const marginMs = 5 * 60_000
/** After a refusal nobody asks again for so long, milliseconds: a wrong secret does not mend itself. */
const refusedMs = 5_000
const timeoutMs = 10_000
const mostDirectories = 2000

type Kept = { token: Promise<string>; until: number }

/**
 * Fetches tokens by client credentials and keeps each until shortly before it ends.
 *
 * @throws NuraError `teams-credentials-refused` when the identity provider does not take the app's credentials,
 * `teams-identity-away` when it does not answer
 */
export function createTokens(config: TokensConfig, now: () => number = Date.now): Tokens {
  const kept = new Map<string, Kept>()

  function take(loginUrl: string, scope: string): Promise<string> {
    const key = `${loginUrl} ${scope}`
    const known = kept.get(key)
    if (known && known.until > now()) return known.token
    if (kept.size >= mostDirectories) kept.clear()
    // Those who come meanwhile wait for the same answer.
    const entry: Kept = { token: fetchToken(config, loginUrl, scope).then(settle), until: Number.POSITIVE_INFINITY }
    function settle({ token, seconds }: { token: string; seconds: number }): string {
      entry.until = now() + Math.max(seconds * 1000 - marginMs, (seconds * 1000) / 2)
      return token
    }
    entry.token.catch((error: unknown) => {
      if (error instanceof NuraError && error.code === 'teams-credentials-refused') entry.until = now() + refusedMs
      else if (kept.get(key) === entry) kept.delete(key)
    })
    kept.set(key, entry)
    return entry.token
  }

  return {
    connectorToken: () => take(config.loginUrl, config.connectorScope),
    graphToken: (directoryId) => take(new URL(`/${encodeURIComponent(directoryId)}`, config.loginUrl).href, config.graphScope),
  }
}

async function fetchToken(config: TokensConfig, loginUrl: string, scope: string): Promise<{ token: string; seconds: number }> {
  const form = { grant_type: 'client_credentials', client_id: config.appId, client_secret: config.appPassword, scope }
  const away = (cause: unknown) => new NuraError('teams-identity-away', 'The identity provider of Teams gives no token just now.', { retryable: true, cause })
  const response = await fetch(`${loginUrl.replace(/\/+$/, '')}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((error: unknown) => {
    throw away(error)
  })
  const body = (await response.json().catch(() => ({}))) as { access_token?: unknown; expires_in?: unknown; error?: unknown }
  if (response.status === 429 || response.status >= 500) throw away(new Error(`status ${response.status}`))
  if (!response.ok || typeof body.access_token !== 'string') {
    throw new NuraError('teams-credentials-refused', 'The identity provider refuses Nura\'s app: check MicrosoftAppId, MicrosoftAppPassword (has it run out?) and MicrosoftAppTenantId.', {
      retryable: true,
      cause: new Error(`status ${response.status}, ${typeof body.error === 'string' ? body.error : 'no token'}`),
    })
  }
  const seconds = Number(body.expires_in)
  return { token: body.access_token, seconds: seconds > 0 ? seconds : 300 }
}
