import { createPostgresBackend, Queue, runMigrations, UnrecoverableError, Worker, type Job, type PgPool } from 'bullmq'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Db } from './index.ts'
import { createTestTenant, openTestDb } from './testing/open-test-db.ts'

let db: Db
let connection: PgPool
const open: { close(): Promise<unknown> }[] = []
beforeAll(async () => {
  db = await openTestDb()
  connection = db.queueConnection() as unknown as PgPool
  const client = await connection.connect()
  await runMigrations(client, 'bullmq')
  client.release()
})
afterAll(async () => {
  await Promise.all(open.map((one) => one.close()))
  await db.close()
})

const openQueue = (name: string) => {
  const queue = new Queue(name, { connection }, createPostgresBackend)
  open.push(queue)
  return queue
}
const openWorker = (name: string, run: (job: Job) => Promise<unknown>, concurrency = 1) => {
  const worker = new Worker(name, run, { connection, concurrency }, createPostgresBackend)
  worker.on('error', () => {})
  open.push(worker)
  return worker
}

test('a waiting worker is woken by a job, and jobs run in order beside the tenants\' own transactions', async () => {
  const tenant = await createTestTenant(db)
  const done: number[] = []
  const all = Promise.withResolvers<void>()
  const worker = openWorker('plain', async (job) => {
    await tenant.transaction((tx) => tx.query('select count(*) from repository'))
    done.push(job.data.at)
    if (done.length === 20) all.resolve()
  })
  await worker.waitUntilReady()
  const queue = openQueue('plain')
  for (let at = 0; at < 20; at++) {
    await Promise.all([queue.add('job', { at }), tenant.transaction((tx) => tx.query('select 1'))])
  }
  await all.promise
  expect(done).toEqual(Array.from({ length: 20 }, (_, at) => at))
})

test('a delayed job runs after its delay, not before', async () => {
  const ran = Promise.withResolvers<number>()
  openWorker('delayed', async (job) => ran.resolve(Date.now() - job.timestamp))
  await openQueue('delayed').add('job', {}, { delay: 300 })
  expect(await ran.promise).toBeGreaterThanOrEqual(295)
})

test('a failing job is tried again with its backoff until it succeeds; one that cannot is not', async () => {
  const attempts: number[] = []
  const ended = Promise.withResolvers<void>()
  const worker = openWorker('retried', async (job) => {
    if (job.name === 'hopeless') throw new UnrecoverableError('never')
    attempts.push(job.attemptsMade)
    if (attempts.length < 3) throw new Error('not yet')
  })
  let left = 2
  const end = () => void (--left === 0 && ended.resolve())
  worker.on('completed', end)
  worker.on('failed', (job, error) => void (error instanceof UnrecoverableError && job?.name === 'hopeless' && end()))
  const queue = openQueue('retried')
  await queue.add('flaky', {}, { attempts: 5, backoff: { type: 'exponential', delay: 20 } })
  await queue.add('hopeless', {}, { attempts: 5 })
  await ended.promise
  expect(attempts).toEqual([0, 1, 2])
})

test('a scheduled job comes again and again', async () => {
  let runs = 0
  const thrice = Promise.withResolvers<void>()
  openWorker('scheduled', async () => void (++runs === 3 && thrice.resolve()))
  const queue = openQueue('scheduled')
  await queue.upsertJobScheduler('tick', { every: 100 }, { name: 'tick' })
  await thrice.promise
  await queue.removeJobScheduler('tick')
  expect(runs).toBeGreaterThanOrEqual(3)
})

test('several workers of one queue run each job once', async () => {
  const ran = new Map<number, number>()
  const all = Promise.withResolvers<void>()
  for (let worker = 0; worker < 3; worker++) {
    openWorker('shared', async (job) => {
      ran.set(job.data.at, (ran.get(job.data.at) ?? 0) + 1)
      if (ran.size === 30) all.resolve()
    }, 2)
  }
  await openQueue('shared').addBulk(Array.from({ length: 30 }, (_, at) => ({ name: 'job', data: { at } })))
  await all.promise
  expect([...ran.values()]).toEqual(Array(30).fill(1))
})
