import type { Queue } from 'bullmq'
import type { QueueConnection } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import type { Logger } from '#server/log.ts'
import { currentTraceparent } from '#server/tracing/traceparent.ts'
import type { JobsConfig } from './config.ts'
import { checkJobs, tenantOf } from './job-list.ts'
import type { AnyJob, QueuedJobName, PayloadFor } from './job-list.ts'
import type { JobSigner } from './job-signer.ts'
import type { jobs } from './index.ts'
import { openQueueStore, unavailable } from './queue-store.ts'
import { createTurnTaking } from './turn-taking.ts'

export type JobName = QueuedJobName<(typeof jobs)[number]>
export type PayloadOf<N extends JobName> = PayloadFor<(typeof jobs)[number], N>

export type EnqueueOptions = {
  /** Earliest start, milliseconds from now. */
  delayMs?: number
  /** Of one key, at most one job waits and one runs; a job added while one waits is that one. */
  dedupe?: string
}

/**
 * Leaves a hint that there is work. The payload holds ids only; what is to be done is in the database.
 * @throws NuraError `queue-unavailable` within about a second when the queue's store is away: the sweeper brings the hint again
 */
export type EnqueueFor<J extends AnyJob> = <N extends QueuedJobName<J>>(name: N, payload: PayloadFor<J, N>, options?: EnqueueOptions) => Promise<void>
export type Enqueue = EnqueueFor<(typeof jobs)[number]>

export type Queues<J extends AnyJob = (typeof jobs)[number]> = {
  enqueue: EnqueueFor<J>
  /** Jobs that wait, are delayed or run, by name. */
  depth(): Promise<Record<string, number>>
  /** Resolves when jobs would be accepted and kept. @throws NuraError `queue-unavailable`, `queue-evicts` */
  ready(): Promise<void>
  close(): Promise<void>
}

/** Finished jobs are kept a while for people to look at; dead ones longer. Counts bound the memory. */
const kept = { removeOnComplete: { age: 3600, count: 1_000 }, removeOnFail: { age: 14 * 24 * 3600, count: 5_000 } }

/** A job a second is what a tenant may leave at its ease; who floods is at the end after a thousand, and no further. */
const pace = { paceMs: 1_000, last: 1_000 }

export type QueueRig = {
  config: JobsConfig
  queueConnection: () => QueueConnection
  signer: JobSigner
  log: Logger
  /** Longest wait for the queue's store, milliseconds: a second, for whoever waits for us has two or three. */
  patienceMs?: number
}

/** Opens the producing side of every queue. Does not wait for the store: it may be down, and come later. */
export function openQueues<const Jobs extends readonly AnyJob[]>(list: Jobs, rig: QueueRig): Queues<Jobs[number]> {
  checkJobs(list)
  const byName = new Map<string, AnyJob>(list.filter((job) => !job.options.every).map((job) => [job.name, job]))
  const onError = (error: unknown) => rig.log.debug({ err: error }, 'queue connection')
  const store = openQueueStore(rig.config, 'producer', rig.queueConnection, onError)
  const open = new Map<string, Promise<Queue>>()
  const within = <T>(work: Promise<T>) => withinMs(work, rig.patienceMs ?? 1_000)
  const priorities = new Map([...byName.keys()].map((name) => [name, createTurnTaking(pace)]))

  /** A queue whose first contact failed never heals by itself (BullMQ keeps the rejection): the next call opens it anew. */
  function queueOf(name: string): Promise<Queue> {
    const known = open.get(name)
    if (known) return known
    const opening = store.openQueue(name).then(async (queue) => {
      queue.on('error', onError)
      await queue.waitUntilReady()
      return queue
    })
    open.set(name, opening)
    opening.catch(() => open.delete(name))
    return opening
  }

  return {
    async enqueue(name: string, payload: unknown, options: EnqueueOptions = {}) {
      const job = byName.get(name)
      if (!job) throw new NuraError('unknown-job', `There is no job "${name}" to queue.`)
      const parsed = job.payload.parse(payload)
      const data = rig.signer.sign(name, parsed)
      const { attempts, backoffMs } = job.options
      const traceparent = currentTraceparent()
      const adding = queueOf(name).then((queue) =>
        queue.add(name, data, {
          ...kept,
          attempts,
          priority: priorities.get(name)!(tenantOf(parsed)),
          backoff: { type: 'exponential', delay: backoffMs },
          ...(options.delayMs ? { delay: options.delayMs } : {}),
          ...(traceparent ? { telemetry: { metadata: traceparent } } : {}),
          ...(options.dedupe ? { deduplication: { id: options.dedupe, keepLastIfActive: true } } : {}),
        }),
      )
      await within(adding)
    },
    async depth() {
      const counts = [...byName.keys()].map(async (name) => {
        const found = await (await queueOf(name)).getJobCounts('waiting', 'active', 'delayed', 'prioritized')
        return [name, Object.values(found).reduce((sum, count) => sum + count, 0)] as const
      })
      return Object.fromEntries(await within(Promise.all(counts)))
    },
    ready: () => within(store.ready()),
    async close() {
      const closing = [...open.values()].map((opening) => opening.then((queue) => queue.close()))
      await within(Promise.allSettled(closing)).catch(onError)
      await store.close()
    },
  }
}

async function withinMs<T>(work: Promise<T>, patienceMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unavailable(new Error(`no answer within ${patienceMs} ms`))), patienceMs)
  })
  try {
    return await Promise.race([work, late])
  } catch (error) {
    throw error instanceof NuraError ? error : unavailable(error)
  } finally {
    clearTimeout(timer)
  }
}

