import { setTimeout as sleep } from 'node:timers/promises'
import { DelayedError, UnrecoverableError } from 'bullmq'
import type { Job as QueuedJob, Worker } from 'bullmq'
import type { QueueConnection } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import type { Logger } from '#server/log.ts'
import type { Metrics } from '#server/metrics.ts'
import { inSpan, isTracing } from '#server/tracing/span.ts'
import type { Span } from '#server/tracing/span.ts'
import { inTrace } from '#server/tracing/traceparent.ts'
import type { JobsConfig } from './config.ts'
import type { JobContext } from './job.ts'
import { checkJobs, tenantOf } from './job-list.ts'
import type { AnyJob, PartsFor } from './job-list.ts'
import type { JobSigner } from './job-signer.ts'
import { openQueueStore } from './queue-store.ts'
import { createSeats } from './seats.ts'
import type { Seat } from './seats.ts'
import { startClock } from './clock.ts'

/** A job whose worker was killed runs again within lock + stalled check: six to nine seconds. */
const timing = { lockDuration: 6_000, stalledInterval: 3_000, maxStalledCount: 1, runRetryDelay: 1_000, drainDelay: 5 }

/** Least wait of a job that asked for one: a moment that has passed by the time it is read must not make a busy loop. */
const leastWaitMs = 100

/** Time between the abort of what still runs and the end of `close`, milliseconds. */
const lastWordsMs = 3_000

export type Workers = {
  /** Takes no new job, lets running ones end, aborts them shortly before `deadlineMs`, and returns by then whatever happens. */
  close(deadlineMs?: number): Promise<void>
}

export type WorkerRig = {
  config: JobsConfig
  queueConnection: () => QueueConnection
  signer: JobSigner
  log: Logger
  metrics: Metrics
  /** The span that accepted an inbox row: the run of a job about it goes on with its trace. */
  traceparentOf?(inboxId: string): Promise<string | null>
}

/**
 * Runs jobs: one worker a job, and one clock for each job with `every`. Does not wait for the queue's store: it may be
 * down, and come later.
 * @throws NuraError `bad-job-list`
 */
export async function startWorkers<const Jobs extends readonly AnyJob[]>(jobs: Jobs, parts: PartsFor<Jobs[number]>, rig: WorkerRig): Promise<Workers> {
  checkJobs(jobs)
  const { log } = rig
  const onError = (error: unknown) => log.debug({ err: error }, 'queue connection')
  const closing = new AbortController()
  const stop = new AbortController()
  const clocks = jobs.filter((job) => job.options.every).map((job) => startClock(job, (context) => job.run({} as never, parts as never, context), rig))
  const store = openQueueStore(rig.config, 'worker', rig.queueConnection, onError)
  const opening = jobs.filter((job) => !job.options.every).map(openPatiently)

  async function openPatiently(job: AnyJob): Promise<Worker | null> {
    const seats = createSeats(job.options.perTenant ?? job.options.concurrency)
    const run = async (entry: QueuedJob, token?: string, lost?: AbortSignal) => {
      const payload = readPayload(job, entry, rig)
      await seated(seats.take(tenantOf(payload)), entry, token, () => runJob(job, payload, parts, entry, token, lost, stop.signal, rig))
    }
    while (!closing.signal.aborted) {
      try {
        const worker = await store.openWorker(job.name, run, { ...timing, concurrency: job.options.concurrency })
        worker.on('error', onError)
        listen(worker, job, rig)
        return worker
      } catch (error) {
        log.warn({ job: job.name, err: error }, 'the queue is away; trying again')
        await sleep(timing.runRetryDelay, undefined, { signal: closing.signal }).catch(() => undefined)
      }
    }
    return null
  }

  return {
    async close(deadlineMs = 25_000) {
      closing.abort()
      const abort = setTimeout(() => stop.abort(new NuraError('stopping', 'This process is stopping.', { retryable: true })), Math.max(0, deadlineMs - lastWordsMs))
      const late = new AbortController()
      const deadline = sleep(deadlineMs, 'late' as const, { signal: late.signal })
      const ends = [...opening.map((worker) => worker.then((open) => open?.close())), ...clocks.map((clock) => clock.close())]
      const ended = await Promise.race([Promise.allSettled(ends), deadline])
      clearTimeout(abort)
      if (ended === 'late') {
        log.error('jobs did not end in time; they run again elsewhere')
        await Promise.race([Promise.allSettled(opening.map((worker) => worker.then(letGo))), sleep(lastWordsMs)])
      } else {
        deadline.catch(() => undefined)
        late.abort()
      }
      await store.close()
    },
  }
}

function listen(worker: Worker, job: AnyJob, rig: WorkerRig): void {
  worker.on('stalled', (id) => {
    rig.metrics.jobs.inc({ job: job.name, outcome: 'stalled' })
    rig.log.warn({ job: job.name, id }, 'job stalled: its worker died or was blocked; it runs again')
  })
  // The lock is gone, so another worker may have the job: this run must not write any more.
  worker.on('lockRenewalFailed', (ids) => ids.forEach((id) => worker.cancelJob(id, 'the lock of this job was lost')))
  worker.on('failed', (entry, error) => report(job, entry, error, rig))
}

/** BullMQ cannot turn a close that waits into a forced one, so stop holding the locks: they run out, and others take the jobs. */
async function letGo(worker: Worker | null): Promise<void> {
  if (worker) await (worker as unknown as { lockManager: { close(): Promise<void> } }).lockManager.close()
}

/** Puts a job off while its tenant has all the seats that it may have: waiting is done by the queue, and is no failed attempt. */
async function seated(seat: Seat, entry: QueuedJob, token: string | undefined, run: () => Promise<void>): Promise<void> {
  if ('retryAt' in seat) {
    await entry.moveToDelayed(seat.retryAt.getTime(), token)
    throw new DelayedError()
  }
  try {
    await run()
  } finally {
    seat.leave()
  }
}

/** Before anything else of a job is looked at: who signed it for whom. */
function readPayload(job: AnyJob, entry: QueuedJob, { signer }: WorkerRig): unknown {
  const given = signer.open(job.name, entry.data)
  if (given === undefined) throw new ForgedJobError('nobody of this deployment queued this job')
  const payload = job.payload.safeParse(given)
  if (!payload.success) throw new UnrecoverableError('the payload does not fit the job')
  return payload.data
}

async function runJob(job: AnyJob, payload: unknown, parts: unknown, entry: QueuedJob, token: string | undefined, lost: AbortSignal | undefined, stop: AbortSignal, rig: WorkerRig) {
  const log = rig.log.child({ job: job.name, jobId: entry.id })
  const attempt = entry.attemptsMade + 1
  const about = { 'nura.job': job.name, 'nura.job_id': entry.id, 'nura.attempt': attempt }
  // A hint that a sweeper left, after the queue was wiped, knows nothing of the trace; the row does.
  const traceparent = isTracing() ? ((await readRowTrace(payload, rig)) ?? entry.opts.telemetry?.metadata) : null
  await inTrace(traceparent, () => inSpan(`job ${job.name}`, about, carryOut, { kind: 'consumer', root: traceparent == null, isFailure: (error) => !(error instanceof DelayedError) }))

  async function carryOut(span: Span): Promise<void> {
    const context: JobContext = { attempt, lastAttempt: attempt >= (entry.opts.attempts ?? 1), signal: lost ? AbortSignal.any([lost, stop]) : stop }
    const ended = rig.metrics.jobSeconds.startTimer({ job: job.name })
    try {
      await job.run(payload as never, parts as never, context)
      rig.metrics.jobs.inc({ job: job.name, outcome: 'done' })
      span.set({ 'nura.outcome': 'done' })
      log.debug({ attempt }, 'job done')
    } catch (error) {
      if (stop.aborted) {
        span.set({ 'nura.outcome': 'given-back' })
        // Not the job's fault, so it costs no attempt: another process takes it at once.
        await entry.moveToDelayed(Date.now(), token)
        throw new DelayedError()
      }
      if (error instanceof NuraError && error.retryAt) {
        span.set({ 'nura.outcome': 'waits' })
        // Waiting is done by the queue, not by a worker, and is no failed attempt.
        log.info({ code: error.code, until: error.retryAt }, 'job waits')
        await entry.moveToDelayed(Math.max(error.retryAt.getTime(), Date.now() + leastWaitMs), token)
        throw new DelayedError()
      }
      if (error instanceof NuraError && error.code === 'unknown-tenant') {
        // Nothing is left to be done for a tenant that is gone.
        span.set({ 'nura.outcome': 'gone' })
        rig.metrics.jobs.inc({ job: job.name, outcome: 'gone' })
        log.info({ attempt }, 'the tenant of the job is gone')
        return
      }
      log.warn({ err: error, attempt }, 'job failed')
      if (error instanceof NuraError && !error.retryable) throw new UnrecoverableError(error.message)
      throw error
    } finally {
      ended()
    }
  }
}

/** Signed by nobody who knows the key, or for another job. */
class ForgedJobError extends UnrecoverableError {}

/** Without a trace rather than not at all: the store may be away, and the job itself finds out. */
async function readRowTrace(payload: unknown, { traceparentOf }: WorkerRig): Promise<string | null> {
  const isAboutRow = typeof payload === 'object' && payload !== null && 'inboxId' in payload && typeof payload.inboxId === 'string'
  return isAboutRow && traceparentOf ? await traceparentOf(payload.inboxId as string).catch(() => null) : null
}

/** Out of attempts, or never to be tried again: the job stays in the failed set, which is the dead letter box. */
function report(job: AnyJob, entry: QueuedJob | undefined, error: Error, { log, metrics }: WorkerRig): void {
  if (error instanceof ForgedJobError) {
    metrics.jobs.inc({ job: job.name, outcome: 'forged' })
    log.error({ job: job.name, jobId: entry?.id }, 'job was not queued by this deployment: somebody else writes to the queue, or its processes have different values of NURA_SERVICE_SECRET. Nothing was done')
    return
  }
  const isDead = !entry || entry.finishedOn !== undefined
  metrics.jobs.inc({ job: job.name, outcome: isDead ? 'dead' : 'retried' })
  if (isDead) log.error({ job: job.name, jobId: entry?.id, err: error }, 'job is dead: nobody will run it again')
}
