import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { checkJobs } from '../job-list.ts'
import type { Job } from '../job.ts'

/** One prepared situation: a payload with work to do, the parts to do it with, and a picture of everything it may change. */
export type JobCase<Payload, Parts> = {
  payload: Payload
  parts: Parts
  /** What the job leaves behind, as data: rows, files, jobs queued. */
  picture(): Promise<unknown>
  close?(): Promise<void>
}

/**
 * The whole test of a job: it can be listed, refuses a payload that is not its own, does its work, does nothing the second
 * time, and stops when told to.
 * @param prepare makes a fresh situation with work to do.
 */
export function jobContract<P extends z.ZodType, Parts>(job: Job<string, P, Parts>, prepare: () => Promise<JobCase<z.input<P>, Parts>>): void {
  const never = new AbortController().signal

  async function within<T>(run: (at: JobCase<z.input<P>, Parts>) => Promise<T>): Promise<T> {
    const at = await prepare()
    try {
      return await run(at)
    } finally {
      await at.close?.()
    }
  }

  describe(`job ${job.name}`, () => {
    it('can be listed, by the clock or by the queue', () => {
      expect(() => checkJobs([job as never])).not.toThrow()
      expect(job.options.attempts).toBeGreaterThan(0)
    })

    it('takes its own payload and refuses any other', () =>
      within(async ({ payload }) => {
        expect(job.payload.safeParse(payload).success).toBe(true)
        expect(job.payload.safeParse({ ...(payload as object), tenant: 'somebody else' }).success).toBe(false)
        expect(job.payload.safeParse(null).success).toBe(false)
      }))

    it('does its work, and nothing the second time', () =>
      within(async ({ payload, parts, picture }) => {
        const before = await picture()
        const data = job.payload.parse(payload)
        await job.run(data, parts, { attempt: 1, lastAttempt: false, signal: never })
        const after = await picture()
        expect(after).not.toEqual(before)
        await job.run(data, parts, { attempt: 2, lastAttempt: true, signal: never })
        expect(await picture()).toEqual(after)
      }))

    it('stops when told to, and the work can still be done', () =>
      within(async ({ payload, parts, picture }) => {
        const data = job.payload.parse(payload)
        const stopped = AbortSignal.abort(new Error('stopping'))
        await expect(job.run(data, parts, { attempt: 1, lastAttempt: true, signal: stopped })).rejects.toThrow('stopping')
        const before = await picture()
        await job.run(data, parts, { attempt: 2, lastAttempt: true, signal: never })
        expect(await picture()).not.toEqual(before)
      }))
  })
}
