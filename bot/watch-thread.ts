import { NuraError } from '#db/nura-error.ts'
import { wait } from './ask.ts'
import { interruptionOf } from './burst.ts'
import { waitingBeside } from './claimed-turn.ts'
import type { Turn, TurnParts } from './claimed-turn.ts'

/** A running turn was called off by something its thread brought: the row `by`. */
export class Interruption extends Error {
  readonly reason: 'revised' | 'stopped'
  readonly by: string

  constructor(reason: 'revised' | 'stopped', by: string) {
    super(`turn ${reason}`)
    this.reason = reason
    this.by = by
  }
}

/**
 * Looks, while a turn runs, for what ends it: its question edited or deleted, or «stop». Works across processes: it looks
 * at the rows alone.
 */
export function watchThread(parts: TurnParts, turn: Turn): { signal: AbortSignal; interruption(): Interruption | null; end(): void } {
  const ended = new AbortController()
  const called = new AbortController()
  const burst = turn.delivery.burst ?? { messages: [], taken: [] }
  let interruption: Interruption | null = null

  async function look(): Promise<void> {
    while (interruption === null) {
      await wait(parts.watchMs ?? 700, ended.signal)
      const found = interruptionOf(burst, await waitingBeside(parts.db, turn))
      if (ended.signal.aborted) return
      if (!found) continue
      interruption = new Interruption(found.reason, found.by)
      called.abort(new NuraError(found.reason, `The turn was ${found.reason}.`))
    }
  }
  look().catch((error: unknown) => {
    if (!ended.signal.aborted) turn.log.warn({ err: error }, 'thread is no longer watched')
  })

  return { signal: AbortSignal.any([called.signal, turn.signal]), interruption: () => interruption, end: () => ended.abort() }
}
