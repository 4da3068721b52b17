import { z } from 'zod'
import { NuraError } from '#db/nura-error.ts'
import type { GithubConfig } from '../config.ts'

/** GitHub answers 200 to a code that it refuses, too. */
const Exchanged = z.union([z.object({ access_token: z.string().min(1) }), z.object({ error: z.string() })])

/** Milliseconds that a browser waits for it. */
const patienceMs = 10_000

/**
 * Exchanges the code that a browser brought back from GitHub for a token of its person. The token is for the calls that
 * follow at once; it is kept and logged nowhere.
 *
 * @param verifier of the PKCE challenge that the browser was sent with; null when GitHub sent it by itself
 * @throws NuraError `github-code-refused`, `github-unavailable`
 */
export async function exchangeCode({ webUrl, client }: Pick<GithubConfig, 'webUrl'> & { client: { id: string; secret: string } }, code: string, verifier: string | null, signal: AbortSignal): Promise<string> {
  const response = await fetch(`${webUrl}/login/oauth/access_token`, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json', 'user-agent': 'nura' },
    body: JSON.stringify({ client_id: client.id, client_secret: client.secret, code, ...(verifier === null ? {} : { code_verifier: verifier }) }),
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]),
  }).catch((cause: unknown) => {
    throw unavailable(cause)
  })
  if (response.status >= 500) throw unavailable(await response.body?.cancel())
  const said = Exchanged.safeParse(await response.json().catch(() => null))
  if (said.success && 'access_token' in said.data) return said.data.access_token
  throw new NuraError('github-code-refused', 'GitHub did not confirm who you are. Start again in Slack.', {
    cause: new Error(`status ${response.status}, ${said.success && 'error' in said.data ? said.data.error.slice(0, 60) : 'no token'}`),
  })
}

function unavailable(cause: unknown): NuraError {
  return new NuraError('github-unavailable', 'GitHub does not answer just now. Start again in Slack in a moment.', { retryable: true, cause })
}
