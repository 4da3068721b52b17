import type { Db } from '../index.ts'
import { NuraError } from '../nura-error.ts'
import { renew } from './inbox.ts'

/** A claim that nobody renews for this long is free, milliseconds; a live run renews it several times as often. */
export const staleMs = 5_000
const renewMs = 1_500

/**
 * Renews a claim while its run takes time, so that a run whose process died is taken over within seconds and one that
 * lives is not. The signal ends when `stopped` does or, with `stale-attempt`, when somebody else has the row.
 */
export function holdClaim(db: Db, inboxId: string, attempt: number, stopped: AbortSignal): { signal: AbortSignal; end(): void } {
  const lost = new AbortController()
  const timer = setInterval(() => {
    renew(db, inboxId, attempt).catch((error: unknown) => {
      if (error instanceof NuraError && error.code === 'stale-attempt') lost.abort(error)
    })
  }, renewMs)
  return { signal: AbortSignal.any([stopped, lost.signal]), end: () => clearInterval(timer) }
}
