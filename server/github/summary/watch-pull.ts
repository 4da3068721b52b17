import { setTimeout as sleep } from 'node:timers/promises'
import { NuraError } from '#db/nura-error.ts'
import type { TenantDb } from '#db/index.ts'
import { findPullRequest, savePullRequest } from '#db/tenant/pull-requests.ts'
import type { Logger } from '../../log.ts'
import { isWanted } from './pull.ts'
import type { Pull } from './pull.ts'

export type Watched = {
  repositoryId: string
  number: number
  headSha: string
  /** The pull request as GitHub has it now. */
  readPull(signal: AbortSignal): Promise<Pull>
  everyMs: number
  signal: AbortSignal
  log: Logger
}

/**
 * Looks, while a run is at work, for what makes it vain: another head, or that nobody wants a summary any more. Deliveries
 * leave hints in the row, whichever process took them; a hint may be late or wrong, so GitHub is asked before the run ends.
 */
export function watchPull(tenant: TenantDb, watched: Watched): { signal: AbortSignal; isSuperseded(): boolean; end(): void } {
  const { repositoryId, number, headSha } = watched
  const ended = new AbortController()
  const called = new AbortController()

  async function look(): Promise<void> {
    for (;;) {
      await sleep(watched.everyMs, undefined, { signal: ended.signal })
      const row = await findPullRequest(tenant, repositoryId, number)
      if (!row || (row.headSha === headSha && row.state === 'open' && !row.draft && !row.skipped)) continue
      const pull = await watched.readPull(ended.signal)
      if (ended.signal.aborted) return
      if (pull.headSha !== headSha || !isWanted(pull)) {
        called.abort(new NuraError('superseded', 'The pull request has moved on.'))
        return
      }
      await savePullRequest(tenant, { repositoryId, number, ...toRow(pull) })
    }
  }
  look().catch((error: unknown) => {
    if (!ended.signal.aborted) watched.log.warn({ err: error }, 'pull request is no longer watched')
  })

  return { signal: AbortSignal.any([called.signal, watched.signal]), isSuperseded: () => called.signal.aborted, end: () => ended.abort() }
}

/** What the row keeps of a pull request that was read. */
export function toRow(pull: Pull) {
  return {
    headSha: pull.headSha,
    state: pull.isOpen ? ('open' as const) : ('closed' as const),
    draft: pull.draft,
    skipped: pull.skipped,
    author: pull.author,
  }
}
