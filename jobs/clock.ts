import { NuraError } from '#db/nura-error.ts'
import type { Logger } from '#server/log.ts'
import type { Metrics } from '#server/metrics.ts'
import type { JobContext } from './job.ts'
import type { AnyJob } from './job-list.ts'

/**
 * Runs a job every so often in this process, one run at a time. It does not pass through the queue: what repairs the
 * queue must work while the queue is empty, wiped or away. Several processes may run the same clock; their runs find in
 * the database what is left to do.
 */
export function startClock(job: AnyJob, run: (context: JobContext) => Promise<void>, rig: { log: Logger; metrics: Metrics }): { close(): Promise<void> } {
  const stop = new AbortController()
  const pause = job.options.every?.ms ?? 0
  const ended = tick()

  async function tick(): Promise<void> {
    while (!stop.signal.aborted) {
      const done = rig.metrics.jobSeconds.startTimer({ job: job.name })
      try {
        await run({ attempt: 1, lastAttempt: true, signal: stop.signal })
        rig.metrics.jobs.inc({ job: job.name, outcome: 'done' })
      } catch (error) {
        if (!stop.signal.aborted) {
          rig.metrics.jobs.inc({ job: job.name, outcome: 'retried' })
          rig.log.warn({ job: job.name, err: error }, 'job failed; it runs again by its clock')
        }
      }
      done()
      await sleep(pause, stop.signal)
    }
  }

  return {
    async close() {
      stop.abort(new NuraError('stopping', 'This process is stopping.', { retryable: true }))
      await ended
    },
  }
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const wake = () => {
      clearTimeout(timer)
      resolve()
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', wake)
      resolve()
    }, ms)
    signal.addEventListener('abort', wake, { once: true })
  })
}
