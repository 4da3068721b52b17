import { setTimeout as wait } from 'node:timers/promises'
import type { PgPool } from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { openTestDb } from '#db/testing/open-test-db.ts'
import { NuraError } from '#db/nura-error.ts'
import { openQueues } from './enqueue.ts'
import type { EnqueueOptions } from './enqueue.ts'
import { defineJob } from './job.ts'
import type { JobContext } from './job.ts'
import { createJobSigner } from './job-signer.ts'
import { openQueueStore } from './queue-store.ts'
import { testRedisUrl } from './testing/config.ts'
import { createTestRig } from './testing/open-test-queue.ts'
import { startWorkers } from './worker.ts'

type Run = (id: string, context: JobContext) => Promise<void> | void

/** A job whose runs are what the test says. */
function toyJob(options: { attempts?: number; backoffMs?: number; concurrency?: number; perTenant?: number } = {}) {
  return defineJob({
    name: 'toy',
    payload: z.strictObject({ id: z.string(), tenantId: z.string().optional() }),
    options: { attempts: 3, backoffMs: 20, concurrency: 4, ...options },
    async run(payload, parts: { run: Run }, context) {
      await parts.run(payload.id, context)
    },
  })
}

/** Waits for what must become true; the limit only ends a test that has already failed. */
async function until<T>(read: () => T | Promise<T>, limitMs = 20_000): Promise<NonNullable<T>> {
  for (const end = Date.now() + limitMs; ; ) {
    const found = await read()
    if (found) return found as NonNullable<T>
    if (Date.now() > end) throw new Error('did not happen')
    await wait(15)
  }
}

const kinds = testRedisUrl() === null ? (['postgres'] as const) : (['postgres', 'redis'] as const)

describe.each(kinds)('queue on %s', (kind) => {
  let db: Awaited<ReturnType<typeof openTestDb>>
  beforeAll(async () => {
    db = await openTestDb()
  })
  afterAll(() => db.close())

  async function open(run: Run, options: Parameters<typeof toyJob>[0] = {}) {
    const rig = createTestRig(db, kind)
    // The database is one queue store for the whole file: each test has its own name there, as it has its own prefix in Redis.
    const job = { ...toyJob(options), name: `toy-${rig.config.prefix.slice(5)}` as const }
    const jobs = [job] as const
    const queues = openQueues(jobs, rig)
    const enqueue = (id: string, { tenantId, ...how }: EnqueueOptions & { tenantId?: string } = {}) => queues.enqueue(job.name, { id, tenantId }, how)
    const start = () => startWorkers(jobs, { run }, rig)
    return { rig, queues, enqueue, start, job }
  }

  /** The rig on a store that can be told to refuse whoever asks for a job, in words, as one does that starts up or is full. */
  async function openRefusing(rig: ReturnType<typeof createTestRig>) {
    if (kind === 'postgres') {
      const pool = db.queueConnection() as unknown as PgPool
      return { rig, refuse: (yes: boolean) => pool.query(`alter schema ${yes ? 'bullmq rename to away' : 'away rename to bullmq'}`), close: async () => undefined }
    }
    const [user, admin] = [rig.config.prefix, new Redis(rig.config.redisUrl!)]
    const allow = (...rules: string[]) => admin.call('ACL', 'SETUSER', user, 'on', '>secret', '~*', '&*', '+@all', ...rules)
    await allow()
    const redisUrl = Object.assign(new URL(rig.config.redisUrl!), { username: user, password: 'secret' }).href
    return {
      rig: { ...rig, config: { ...rig.config, redisUrl } },
      refuse: (yes: boolean) => allow(...(yes ? ['-evalsha', '-eval'] : [])),
      async close() {
        await admin.call('ACL', 'DELUSER', user)
        admin.disconnect()
      },
    }
  }

  async function count(rig: { metrics: { jobs: { get(): Promise<{ values: { labels: object; value: number }[] }> } } }, outcome: string): Promise<number> {
    const { values } = await rig.metrics.jobs.get()
    return values.filter((entry) => (entry.labels as { outcome: string }).outcome === outcome).reduce((sum, entry) => sum + entry.value, 0)
  }

  it('runs what was enqueued before and after the workers start, each once', async () => {
    const seen: string[] = []
    const { queues, enqueue, start } = await open((id) => void seen.push(id))
    await enqueue('early')
    expect(Object.values(await queues.depth())).toEqual([1])
    const workers = await start()
    await enqueue('late')
    await until(() => seen.length === 2)
    await until(async () => Object.values(await queues.depth())[0] === 0)
    expect(seen.toSorted()).toEqual(['early', 'late'])
    await workers.close()
    await queues.close()
  })

  it('asks a store that refuses now and then, not all the time, and goes on once it does not', async () => {
    const seen: string[] = []
    const { rig, queues, enqueue, job } = await open((id) => void seen.push(id))
    const store = await openRefusing(rig)
    const workers = await startWorkers([job] as const, { run: (id: string) => void seen.push(id) }, store.rig)
    await enqueue('before')
    await until(() => seen.length === 1)
    const refusals = () => rig.lines.filter((line) => line.includes('"queue connection"')).length
    await store.refuse(true)
    await until(() => refusals() > 0)
    await wait(2_000)
    expect(refusals()).toBeLessThan(20)
    await store.refuse(false)
    await enqueue('after')
    await until(() => seen.length === 2)
    await workers.close()
    await queues.close()
    await store.close()
  })

  it('holds a delayed job back', async () => {
    const seen: string[] = []
    const { queues, enqueue, start } = await open((id) => void seen.push(id))
    const workers = await start()
    await enqueue('later', { delayMs: 400 })
    await enqueue('now')
    await until(() => seen.length === 2)
    expect(seen).toEqual(['now', 'later'])
    await workers.close()
    await queues.close()
  })

  it('waits out what a job says it must wait for, without a worker and without counting an attempt', async () => {
    const runs: { attempt: number; at: number }[] = []
    const notBefore = Date.now() + 700
    const { queues, enqueue, start, rig } = await open(
      (_, { attempt }) => {
        runs.push({ attempt, at: Date.now() })
        if (runs.length <= 2) throw new NuraError('limited', 'Later.', { retryable: true, retryAt: new Date(notBefore) })
      },
      { attempts: 1 },
    )
    const workers = await start()
    await enqueue('limited')
    await until(() => count(rig, 'done').then((done) => done === 1))
    expect(runs.map(({ attempt }) => attempt)).toEqual([1, 1, 1])
    expect(runs[1]!.at).toBeGreaterThanOrEqual(notBefore - 5)
    expect(await count(rig, 'retried')).toBe(0)
    await workers.close()
    await queues.close()
  })

  it('of one dedupe key lets one wait and one run, and loses no wish that comes while it runs', async () => {
    const seen: string[] = []
    const gate = Promise.withResolvers<void>()
    const { queues, enqueue, start } = await open(async (id) => {
      seen.push(id)
      if (id === 'first') await gate.promise
    })
    const workers = await start()
    await enqueue('first', { dedupe: 'repository:1' })
    await until(() => seen.length === 1)
    for (const id of ['second', 'third', 'fourth']) await enqueue(id, { dedupe: 'repository:1' })
    gate.resolve()
    await until(() => seen.length === 2)
    await until(async () => Object.values(await queues.depth())[0] === 0)
    expect(seen).toEqual(['first', 'fourth'])
    await workers.close()
    await queues.close()
  })

  it('runs again after a failure that may pass, and tells the job which attempt it is', async () => {
    const attempts: [number, boolean][] = []
    const { queues, enqueue, start, rig } = await open((_, context) => {
      attempts.push([context.attempt, context.lastAttempt])
      if (context.attempt < 3) throw new Error('not yet')
    })
    const workers = await start()
    await enqueue('a')
    await until(() => count(rig, 'done'))
    expect(attempts).toEqual([
      [1, false],
      [2, false],
      [3, true],
    ])
    expect(await count(rig, 'dead')).toBe(0)
    await workers.close()
    await queues.close()
  })

  it('buries at once what waiting cannot help, and goes on', async () => {
    const seen: string[] = []
    const { queues, enqueue, start, rig } = await open((id) => {
      seen.push(id)
      if (id === 'bad') throw new NuraError('unknown-repository', 'There is no such repository.')
    })
    const workers = await start()
    await enqueue('bad')
    await until(() => count(rig, 'dead'))
    await enqueue('good')
    await until(() => count(rig, 'done'))
    expect(seen).toEqual(['bad', 'good'])
    expect(rig.lines.some((line) => line.includes('job is dead') && line.includes('unknown-repository') === false)).toBe(true)
    await workers.close()
    await queues.close()
  })

  it('buries a payload that does not fit its job, without running it', async () => {
    const seen: string[] = []
    const { queues, start, rig, job } = await open((id) => void seen.push(id))
    const lax = openQueues([{ ...job, payload: z.looseObject({}) }] as const, rig)
    await lax.enqueue(job.name, { id: 'a', tenant: 'somebody else' })
    const workers = await start()
    await until(() => count(rig, 'dead'))
    expect(seen).toEqual([])
    await workers.close()
    await queues.close()
    await lax.close()
  })

  it('T8: buries what somebody pushed by hand or took from another job, at once and before anything is read, and goes on', async () => {
    const seen: string[] = []
    const traced: string[] = []
    const { queues, enqueue, rig, job } = await open((id) => void seen.push(id))
    const store = openQueueStore(rig.config, 'producer', rig.queueConnection, () => undefined)
    const queue = await until(() => store.openQueue(job.name).catch(() => null))
    await queue.waitUntilReady()
    const stranger = createJobSigner('a secret of somebody else, long enough')
    const payload = { id: 'forged', inboxId: 'forged' }
    for (const data of [payload, { body: JSON.stringify(payload), mac: '' }, stranger.sign(job.name, payload), rig.signer.sign('another-job', payload), null]) {
      await queue.add(job.name, data, { attempts: 5, telemetry: { metadata: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } })
    }
    const workers = await startWorkers([job] as const, { run: (id) => void seen.push(id) }, { ...rig, traceparentOf: async (id) => (traced.push(id), null) })
    await until(async () => (await count(rig, 'forged')) === 5)
    await enqueue('ours')
    await until(() => count(rig, 'done'))
    expect([seen, traced]).toEqual([['ours'], []])
    await until(async () => (await queue.getJobCounts('active')).active === 0)
    expect(await queue.getJobCounts('failed', 'delayed', 'waiting')).toEqual({ failed: 5, delayed: 0, waiting: 0 })
    expect(rig.lines.filter((line) => line.includes('was not queued by this deployment') && line.includes('"level":"error"'))).toHaveLength(5)
    expect(rig.lines.join('')).not.toContain('"forged"')
    await workers.close()
    await queues.close()
    await queue.close()
    await store.close()
  })

  it('gives a job whose worker vanished to another worker', async () => {
    const seen: string[] = []
    const first = Promise.withResolvers<void>()
    const { queues, enqueue, start, rig } = await open(async (id) => {
      seen.push(id)
      if (seen.length === 1) await first.promise
    })
    const doomed = await start()
    await enqueue('a')
    await until(() => seen.length === 1)
    await doomed.close(0)
    const workers = await start()
    await until(() => seen.length === 2)
    // Told by an event of its own, which may come after the run.
    await until(async () => (await count(rig, 'stalled')) === 1)
    first.resolve()
    await workers.close()
    await queues.close()
  }, 300_000)

  it('T34: serves tenants in turn: one job of a tenant waits for one of another that has left many', async () => {
    const seen: string[] = []
    const { queues, enqueue, start } = await open((id) => void seen.push(id), { concurrency: 1 })
    for (let at = 0; at < 30; at++) await enqueue(`flood ${at}`, { tenantId: 'a' })
    await enqueue('one', { tenantId: 'b' })
    const workers = await start()
    await until(() => seen.length === 31)
    expect(seen.indexOf('one')).toBeLessThan(3)
    expect(seen.filter((id) => id !== 'one')).toEqual(Array.from({ length: 30 }, (_, at) => `flood ${at}`))
    await workers.close()
    await queues.close()
  })

  it('T34: keeps a seat free: a tenant whose jobs hang holds no more than it may, and what it waits for costs no attempt', async () => {
    const seen: string[] = []
    const attempts: number[] = []
    const hanging = Promise.withResolvers<void>()
    const { queues, enqueue, start } = await open(
      async (id, { attempt }) => {
        seen.push(id)
        attempts.push(attempt)
        if (id.startsWith('hangs')) await hanging.promise
      },
      { concurrency: 3, perTenant: 2 },
    )
    const workers = await start()
    for (let at = 0; at < 6; at++) await enqueue(`hangs ${at}`, { tenantId: 'a' })
    await until(() => seen.length === 2)
    await enqueue('quick', { tenantId: 'b' })
    await until(() => seen.includes('quick'))
    expect(seen.filter((id) => id.startsWith('hangs'))).toHaveLength(2)
    hanging.resolve()
    await until(() => seen.length === 7)
    expect(new Set(attempts)).toEqual(new Set([1]))
    await workers.close()
    await queues.close()
  })

  it('closes in time, aborts what still runs, and the job costs no attempt', async () => {
    const attempts: number[] = []
    const { queues, enqueue, start } = await open(async (_, { attempt, signal }) => {
      attempts.push(attempt)
      if (attempts.length > 1) return
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    const doomed = await start()
    await enqueue('a')
    await until(() => attempts.length === 1)
    await doomed.close(3_100)
    const workers = await start()
    await until(() => attempts.length === 2)
    expect(attempts).toEqual([1, 1])
    await workers.close()
    await queues.close()
  })
})
