import { setTimeout as sleep } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import type { Db } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { blockGithubInstallation, findGithubInstallation } from '#db/shared/github-installations.ts'
import { findExhausted, toGithubError, toLimitError, toNotInstalled } from './api-error.ts'
import type { InstallationTokens } from './installation-tokens.ts'
import { createLane } from './lane.ts'
import type { Lane } from './lane.ts'
import { sendCall } from './send-call.ts'
import type { CallOptions, Send } from './send-call.ts'

export type CallRules = { db: Db; tokens: InstallationTokens; writeIntervalMs: number; timeoutMs: number; now: () => number }

/** What one process remembers of one installation. `strikes`: limits since the last good answer. */
type Line = { reads: Lane; writes: Lane; lastWrite: number; strikes: number }

/** Makes one call of an installation, when it is allowed, by the rules that GitHub asks its Apps to keep. */
export type InstallationCalls = <Result extends Answer>(installationId: number, options: CallOptions, send: Send<Result>) => Promise<Result>
type Answer = { headers: Record<string, string | number | undefined> }

/**
 * Reads of an installation go one after another, and so do its writes, spaced; neither waits for the other. A limit is
 * written down for every process to honour and thrown with its end: nobody waits for it here.
 *
 * @throws NuraError `github-rate-limited` with `retryAt`, `github-not-installed`, and those of `toGithubError`
 */
export function createInstallationCalls({ db, tokens, writeIntervalMs, timeoutMs, now }: CallRules): InstallationCalls {
  const lines = new LRUCache<number, Line>({ max: 10_000 })
  function lineOf(installationId: number): Line {
    const line = lines.get(installationId) ?? { reads: createLane(), writes: createLane(), lastWrite: -Infinity, strikes: 0 }
    lines.set(installationId, line)
    return line
  }

  async function assertOpen(installationId: number): Promise<void> {
    const installation = await findGithubInstallation(db, installationId)
    if (installation?.state !== 'active') throw toNotInstalled()
    if (installation.blockedUntil && installation.blockedUntil.getTime() > now()) throw toLimitError(installation.blockedUntil)
  }

  return <Result extends Answer>(installationId: number, options: CallOptions, send: Send<Result>): Promise<Result> => {
    const line = lineOf(installationId)
    const isRead = options.method === 'GET' || options.method === 'HEAD'
    const signal = options.request?.signal

    async function authorized(stale?: string): Promise<Result> {
      const token = await tokens(installationId, stale)
      try {
        return await sendCall(send, { ...options, headers: { ...options.headers, authorization: `token ${token}` } }, timeoutMs, isRead)
      } catch (error) {
        // A token that expired or was revoked; what is refused for it was not carried out, so a write may be made again too.
        if (!hasStatus(error, 401)) throw error
        if (stale === undefined) return authorized(token)
        throw new NuraError('github-unauthorized', 'GitHub does not accept a token that it has just made. Try again in a moment.', { retryable: true, cause: error })
      }
    }

    async function call() {
      if (!isRead) await space(line, signal)
      await assertOpen(installationId)
      try {
        const answer = await authorized()
        line.strikes = 0
        const until = findExhausted(answer.headers, now())
        if (until) await blockGithubInstallation(db, installationId, until)
        return answer
      } catch (error) {
        const told = toGithubError(error, `${options.method} ${options.url}`, now(), line.strikes)
        if (told instanceof NuraError && told.retryAt) {
          line.strikes++
          await blockGithubInstallation(db, installationId, told.retryAt)
        }
        throw told
      } finally {
        if (!isRead) line.lastWrite = performance.now()
      }
    }

    return (isRead ? line.reads : line.writes)(call, signal)
  }

  async function space(line: Line, signal: AbortSignal | undefined): Promise<void> {
    const left = line.lastWrite + writeIntervalMs - performance.now()
    if (left > 0) await sleep(left, undefined, { signal })
  }
}

function hasStatus(error: unknown, status: number): boolean {
  return error instanceof Error && 'status' in error && error.status === status
}
