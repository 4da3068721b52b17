import type { z } from 'zod'

/**
 * A job: data, and a `run` that gets what it needs as arguments. A job carries ids only, may run more than once, and
 * finds in the database what is still to be done.
 *
 * `Parts` is what the process that runs it must provide.
 */
export type Job<Name extends string = string, Payload extends z.ZodType = z.ZodType, Parts = never> = {
  readonly name: Name
  readonly payload: Payload
  readonly options: {
    /** Runs before the job is given up and reported. */
    attempts: number
    /** First delay between attempts, milliseconds; doubles each time. */
    backoffMs: number
    /** Jobs of this name that one process runs at a time. */
    concurrency: number
    /** Of those, at most this many for one tenant, which its payload names as `tenantId`; others then find one free. */
    perTenant?: number
    /** Cron or interval for a job that runs by itself. */
    every?: { ms: number }
  }
  run(payload: z.output<Payload>, parts: Parts, context: JobContext): Promise<void>
}

export type JobContext = { attempt: number; lastAttempt: boolean; signal: AbortSignal }

/** Declares a job; the types of name, payload and parts are inferred. */
export function defineJob<const Name extends string, Payload extends z.ZodType, Parts>(job: Job<Name, Payload, Parts>): Job<Name, Payload, Parts> {
  return job
}
