import { setTimeout as sleep } from 'node:timers/promises'
import { RequestError } from 'octokit'
import { NuraError } from '#db/nura-error.ts'

/** What of octokit's options the rules look at. */
export type CallOptions = { method: string; url: string; headers: Record<string, string | number | undefined>; request?: { signal?: AbortSignal } }
export type Send<Result> = (options: CallOptions) => Promise<Result>

const pauseMs = 250

/**
 * Sends a call and gives it up after a time. A read that met a fault of GitHub's or of the network is sent once more;
 * anything else never: it may have been carried out.
 *
 * @throws the signal's reason on abort; NuraError `github-unavailable` after the time; octokit's RequestError
 */
export async function sendCall<Result>(send: Send<Result>, options: CallOptions, timeoutMs: number, mayRepeat: boolean): Promise<Result> {
  const signal = options.request?.signal
  signal?.throwIfAborted()
  const timeout = new AbortController()
  const late = new NuraError('github-unavailable', `GitHub did not answer within ${Math.round(timeoutMs / 1000)} s. Try again in a moment.`, { retryable: true })
  // Not `AbortSignal.timeout`: an archive may flow for longer than its answer took to begin.
  const timer = setTimeout(() => timeout.abort(late), timeoutMs)
  try {
    return await send({ ...options, request: { ...options.request, signal: signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal } })
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    if (timeout.signal.aborted) throw late
    if (!mayRepeat || !(error instanceof RequestError) || error.status < 500) throw error
    await sleep(pauseMs, undefined, { signal }).catch(() => signal?.throwIfAborted())
    return await sendCall(send, options, timeoutMs, false)
  } finally {
    clearTimeout(timer)
  }
}
