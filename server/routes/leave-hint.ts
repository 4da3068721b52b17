import { NuraError } from '#db/nura-error.ts'
import type { Enqueue } from '#jobs/enqueue.ts'
import type { Logger } from '../log.ts'

/** Queues a job for work that the database already records: when the queue is away, the sweeper finds the record. */
export async function leaveHint(log: Logger, enqueue: () => ReturnType<Enqueue>): Promise<void> {
  try {
    await enqueue()
  } catch (error) {
    if (!(error instanceof NuraError) || error.code !== 'queue-unavailable') throw error
    log.warn({ err: error }, 'the queue is away; the sweeper will pick this up')
  }
}
