import type { z } from 'zod'
import { NuraError } from '#db/nura-error.ts'
import type { Job, JobContext } from './job.ts'

/** Any job, as a list holds it. */
export type AnyJob = {
  readonly name: string
  readonly payload: z.ZodType
  readonly options: Job['options']
  run(payload: never, parts: never, context: JobContext): Promise<void>
}

/** Names that can be queued: a job with `every` runs by the clock of each worker process instead. */
export type QueuedJobName<J extends AnyJob> = J extends { options: { every: object } } ? never : J['name']
export type PayloadFor<J extends AnyJob, N> = J extends { name: N; payload: infer P extends z.ZodType } ? z.input<P> : never

/** What a process must provide to run all of these jobs. */
export type PartsFor<J extends AnyJob> = (
  J extends { run(payload: never, parts: infer P, context: never): unknown } ? (parts: P) => void : never
) extends (parts: infer All) => void
  ? All
  : never

/** Whose job it is; '' where the payload does not say, as if that were a tenant too. */
export function tenantOf(payload: unknown): string {
  return typeof payload === 'object' && payload !== null && 'tenantId' in payload && typeof payload.tenantId === 'string' ? payload.tenantId : ''
}

/**
 * Refuses a list that could lose work without a word.
 * @throws NuraError `bad-job-list` that names every duplicate and every entry without a run, payload or options
 */
export function checkJobs(jobs: readonly AnyJob[]): void {
  const faults: string[] = []
  const seen = new Set<string>()
  for (const [at, job] of jobs.entries()) {
    const name = job?.name
    if (typeof name !== 'string' || !/^[a-z][a-z0-9-]*$/.test(name)) faults.push(`entry ${at + 1} has no usable name`)
    else if (seen.has(name)) faults.push(`"${name}" is listed twice`)
    seen.add(name)
    if (typeof job?.run !== 'function') faults.push(`"${name}" has no run`)
    if (typeof job?.payload?.safeParse !== 'function') faults.push(`"${name}" has no payload schema`)
    if (!job?.options || job.options.attempts < 1 || job.options.concurrency < 1 || (job.options.perTenant ?? 1) < 1) faults.push(`"${name}" has no usable options`)
  }
  if (faults.length > 0) throw new NuraError('bad-job-list', `The list of jobs cannot be run: ${faults.join('; ')}. See jobs/index.ts.`)
}
