import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import { defineJob } from '../job.ts'

/** Kills its whole process when it runs a payload that says so, as a crash in native code would. */
export const poisonable = defineJob({
  name: 'poisonable',
  payload: z.strictObject({ id: z.string() }),
  options: { attempts: 5, backoffMs: 10, concurrency: 1 },
  async run({ id }) {
    process.stdout.write(`run ${id}\n`)
    if (id === 'poison') process.kill(process.pid, 'SIGKILL')
    await wait(0)
  },
})
