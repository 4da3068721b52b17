import { setTimeout as wait } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Db } from '#db/index.ts'
import { accept } from '#db/shared/inbox.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { toFailure } from '#server/errors.ts'
import { openQueues } from './enqueue.ts'
import { defineJob } from './job.ts'
import { sweepInbox } from './sweep-inbox.ts'
import { testRedisUrl } from './testing/config.ts'
import { createTestRig } from './testing/open-test-queue.ts'
import { openTcpProxy } from '#db/testing/open-tcp-proxy.ts'
import type { TcpProxy } from '#db/testing/open-tcp-proxy.ts'
import { startWorkers } from './worker.ts'

const redisUrl = testRedisUrl()

/** Faults of a Redis of its own kind: without one these tests are skipped, and the run says so. */
describe.skipIf(redisUrl === null)('redis that fails', () => {
  let db: Db
  let proxy: TcpProxy
  let admin: Redis
  beforeAll(async () => {
    db = await openTestDb()
    const { hostname, port } = new URL(redisUrl as string)
    proxy = await openTcpProxy({ host: hostname, port: Number(port || 6379) })
    admin = new Redis(redisUrl as string)
  })
  afterAll(async () => {
    admin.disconnect()
    await proxy.close()
    await db.close()
  })

  const answerTurn = defineJob({
    name: 'answer-turn',
    payload: z.strictObject({ inboxId: z.uuid(), tenantId: z.uuid().optional() }),
    options: { attempts: 3, backoffMs: 50, concurrency: 4 },
    async run({ inboxId }, parts: { seen: string[] }) {
      parts.seen.push(inboxId)
    },
  })

  function rigOverProxy() {
    const rig = createTestRig(db, 'redis')
    return { ...rig, patienceMs: 1_000, config: { ...rig.config, redisUrl: `redis://127.0.0.1:${proxy.port}` } }
  }

  async function until(read: () => boolean | Promise<boolean>, withinMs = 20_000): Promise<void> {
    for (const end = Date.now() + withinMs; !(await read()); await wait(20)) if (Date.now() > end) throw new Error('did not happen')
  }

  const works = (enqueue: () => Promise<void>) => () => enqueue().then(() => true, () => false)

  it.each(['dead', 'frozen'] as const)('is %s: enqueue fails soon and says so, and works once it is back', async (mode) => {
    proxy.set('pass')
    const queues = openQueues([answerTurn] as const, rigOverProxy())
    const enqueue = () => queues.enqueue('answer-turn', { inboxId: crypto.randomUUID() })
    await until(works(enqueue))
    proxy.set(mode)
    for (let times = 0; times < 3; times++) await expect(enqueue()).rejects.toMatchObject({ code: 'queue-unavailable', retryable: true })
    await expect(queues.ready()).rejects.toMatchObject({ code: 'queue-unavailable' })
    proxy.set('pass')
    await until(works(enqueue))
    await until(works(queues.ready))
    await queues.close()
  })

  it('garbles what it says for a while: jobs are queued and run again afterwards', async () => {
    proxy.set('pass')
    const rig = rigOverProxy()
    const seen: string[] = []
    const queues = openQueues([answerTurn] as const, rig)
    const workers = await startWorkers([answerTurn] as const, { seen }, rig)
    const enqueue = () => queues.enqueue('answer-turn', { inboxId: crypto.randomUUID() })
    await until(works(enqueue))
    await until(() => seen.length > 0)
    // Of a length that is read wrong, the rest is waited for.
    for (const corruptEvery of [7, 40, 500]) {
      proxy.set({ corruptEvery })
      await Promise.all(Array.from({ length: 20 }, () => enqueue().catch(() => undefined)))
    }
    proxy.set('pass')
    await until(works(enqueue))
    const ran = seen.length
    await enqueue()
    // A job that was handed out in a garbled reply holds its seat until it stalls, and may stall twice.
    await until(() => seen.length > ran, 60_000)
    await workers.close()
    await queues.close()
  }, 300_000)

  it.each(['dead', 'frozen'] as const)('is %s when the process starts: the process lives, and works once it is there', async (mode) => {
    proxy.set(mode)
    const rig = rigOverProxy()
    const seen: string[] = []
    const queues = openQueues([answerTurn] as const, rig)
    const workers = await startWorkers([answerTurn] as const, { seen }, rig)
    const enqueue = () => queues.enqueue('answer-turn', { inboxId: crypto.randomUUID() })
    await expect(enqueue()).rejects.toMatchObject({ code: 'queue-unavailable' })
    proxy.set('pass')
    await until(works(enqueue))
    await until(() => seen.length > 0)
    await workers.close()
    await queues.close()
  })

  it('evicts: readiness is red until it does not', async () => {
    proxy.set('pass')
    const queues = openQueues([answerTurn] as const, rigOverProxy())
    // Other files may share this Redis, so each state is set again until it is seen.
    const seen = async (policy: string, code: string) => {
      await admin.config('SET', 'maxmemory-policy', policy)
      return (await queues.ready().then(() => 'ready', (error: unknown) => toFailure(error).error.code)) === code
    }
    await until(() => seen('allkeys-lru', 'queue-evicts'))
    await until(() => seen('noeviction', 'ready'))
    await queues.close()
  })

  it('is wiped: the sweeper brings every accepted event back', async () => {
    proxy.set('pass')
    const tenant = await createTestTenant(db)
    const rig = rigOverProxy()
    const queues = openQueues([answerTurn] as const, rig)
    const ids: string[] = []
    for (let at = 0; at < 20; at++) {
      const { id } = await accept(db, { tenantId: tenant.id, surface: 'slack', kind: 'message', eventKey: `wipe:${tenant.id}:${at}`, threadKey: 'wipe', payload: {} })
      ids.push(id)
    }
    await until(works(() => queues.enqueue('answer-turn', { inboxId: ids[0] as string }, { dedupe: ids[0] as string })))
    for (const id of ids.slice(1)) await queues.enqueue('answer-turn', { inboxId: id }, { dedupe: id })
    expect(await queues.depth()).toEqual({ 'answer-turn': 20 })
    const keys = await admin.keys(`${rig.config.prefix}:*`)
    await admin.del(...keys)
    expect(await queues.depth()).toEqual({ 'answer-turn': 0 })
    await db.control((tx) => tx.query(`update inbox set updated_at = now() - interval '1 minute' where thread_key = 'wipe'`))
    const seen: string[] = []
    const workers = await startWorkers([answerTurn, sweepInbox] as const, { seen, db, enqueue: queues.enqueue as never, log: rig.log }, rig)
    await until(() => new Set(seen).size === 20)
    expect(new Set(seen)).toEqual(new Set(ids))
    await workers.close()
    await queues.close()
  })
})
