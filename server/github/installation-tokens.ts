import { LRUCache } from 'lru-cache'
import type { Octokit } from 'octokit'
import { NuraError } from '#db/nura-error.ts'
import { toNotInstalled } from './api-error.ts'

/** GitHub's tokens live an hour; they are given up a minute earlier. */
const marginMs = 60_000

/**
 * Tokens of installations, kept for their time.
 * @param stale a token that GitHub has just refused, which is not given again
 */
export type InstallationTokens = (installationId: number, stale?: string) => Promise<string>

/** @throws NuraError `github-not-installed`, `github-unauthorized` when GitHub does not know the App's key, and what every call throws */
export function createInstallationTokens(asApp: () => Octokit, now: () => number): InstallationTokens {
  const kept = new LRUCache<number, { token: string; until: number }>({ max: 10_000 })
  const minting = new Map<number, Promise<string>>()

  async function mint(installationId: number): Promise<string> {
    try {
      const { data } = await asApp().rest.apps.createInstallationAccessToken({ installation_id: installationId })
      kept.set(installationId, { token: data.token, until: Date.parse(data.expires_at) - marginMs })
      return data.token
    } catch (error) {
      const isGone = error instanceof NuraError && (error.code === 'github-not-found' || error.code === 'github-forbidden')
      throw isGone ? toNotInstalled(error) : error
    }
  }

  // Asked for by several at once, one token is made for all of them; so it does not end when one of them gives up.
  return async (installationId, stale) => {
    const known = kept.get(installationId)
    if (known && known.token !== stale && known.until > now()) return known.token
    const made = minting.get(installationId) ?? mint(installationId).finally(() => minting.delete(installationId))
    minting.set(installationId, made)
    return await made
  }
}
