import { z } from 'zod'
import { NuraError } from '#db/nura-error.ts'
import type { GithubConfig } from '../config.ts'

/** GitHub answers 200 to a code that it refuses, too. */
const Exchanged = z.union([z.object({ access_token: z.string().min(1) }), z.object({ error: z.string() })])

/** Milliseconds that a browser waits for each of the two calls. */
const patienceMs = 10_000

type SignIn = Pick<GithubConfig, 'webUrl' | 'apiUrl'> & { client: { id: string; secret: string } }

/**
 * Lets `run` call GitHub as the person whose browser brought `code` back. The token that the code is exchanged for is kept
 * and logged nowhere, and is revoked when `run` has ended.
 *
 * @param back.verifier of the PKCE challenge that the browser was sent with; null when GitHub sent it by itself
 * @throws NuraError `github-code-refused`, `github-unavailable`
 */
export async function asSignedIn<T>(config: SignIn, back: { code: string; verifier: string | null }, signal: AbortSignal, run: (token: string) => Promise<T>): Promise<T> {
  const token = await exchange(config, back, signal)
  try {
    return await run(token)
  } finally {
    await revoke(config, token)
  }
}

async function exchange({ webUrl, client }: SignIn, { code, verifier }: { code: string; verifier: string | null }, signal: AbortSignal): Promise<string> {
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

/** Best effort: a token that is not revoked ends by itself, and nobody has it. */
async function revoke({ apiUrl, client }: SignIn, token: string): Promise<void> {
  const proof = Buffer.from(`${client.id}:${client.secret}`).toString('base64')
  const revoked = await fetch(`${apiUrl}/applications/${encodeURIComponent(client.id)}/token`, {
    method: 'DELETE',
    headers: { accept: 'application/vnd.github+json', authorization: `Basic ${proof}`, 'content-type': 'application/json', 'user-agent': 'nura' },
    body: JSON.stringify({ access_token: token }),
    redirect: 'error',
    signal: AbortSignal.timeout(patienceMs),
  }).catch(() => null)
  await revoked?.body?.cancel()
}

function unavailable(cause: unknown): NuraError {
  return new NuraError('github-unavailable', 'GitHub does not answer just now. Start again in Slack in a moment.', { retryable: true, cause })
}
