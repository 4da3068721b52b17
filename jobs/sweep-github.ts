import { z } from 'zod'
import { defineJob } from './job.ts'

export type SweepGithubParts = {
  /** Catches up with what no webhook told; see `createSweep`. Null where no App is configured. */
  sweepGithub: ((signal: AbortSignal) => Promise<void>) | null
}

/** Catches up with what GitHub's webhooks did not tell. It is called often, and finds out itself what is due. */
export const sweepGithub = defineJob({
  name: 'sweep-github',
  payload: z.strictObject({}),
  options: { attempts: 1, backoffMs: 0, concurrency: 1, every: { ms: 5_000 } },
  async run(_, parts: SweepGithubParts, { signal }) {
    signal.throwIfAborted()
    await parts.sweepGithub?.(signal)
  },
})
