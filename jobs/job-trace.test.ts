import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import type { Db } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { accept, readTraceparent } from '#db/shared/inbox.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { until } from '#infra/testing/until.ts'
import { startFakeCollector } from '#server/testing/fake-collector.ts'
import type { FakeCollector } from '#server/testing/fake-collector.ts'
import { readTracingConfig } from '#server/tracing/config.ts'
import { openTracing } from '#server/tracing/open-tracing.ts'
import type { Tracing } from '#server/tracing/open-tracing.ts'
import { inSpan } from '#server/tracing/span.ts'
import { currentTraceparent } from '#server/tracing/traceparent.ts'
import { openQueues } from './enqueue.ts'
import { defineJob } from './job.ts'
import { testRedisUrl } from './testing/config.ts'
import { createTestRig } from './testing/open-test-queue.ts'
import { startWorkers } from './worker.ts'

const kinds = testRedisUrl() === null ? (['postgres'] as const) : (['postgres', 'redis'] as const)

describe.each(kinds)('the trace of a job, on %s', (kind) => {
  let db: Db
  let collector: FakeCollector
  let tracing: Tracing
  beforeEach(async () => {
    db = await openTestDb()
    collector = await startFakeCollector()
    vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url)
    vi.stubEnv('OTEL_BSP_SCHEDULE_DELAY', '20')
  })
  afterEach(async () => {
    await tracing.close()
    await collector.close()
    await db.close()
    vi.unstubAllEnvs()
  })

  /** Runs a job once for each payload that `leave` queues, and gives the spans. */
  async function run(leave: (enqueue: (inboxId: string) => Promise<void>) => Promise<void>, work: () => Promise<void> = async () => undefined) {
    const rig = createTestRig(db, kind)
    tracing = await openTracing(readTracingConfig(), { process: 'test', log: rig.log })
    const job = defineJob({ name: `toy-${randomUUID().slice(0, 8)}`, payload: z.strictObject({ inboxId: z.string() }), options: { attempts: 1, backoffMs: 1, concurrency: 1 }, run: async (_, parts: { work: () => Promise<void> }) => parts.work() })
    const queues = openQueues([job] as const, rig)
    const workers = await startWorkers([job] as const, { work }, { ...rig, traceparentOf: (id) => readTraceparent(db, id) })
    try {
      await leave((inboxId) => queues.enqueue(job.name, { inboxId }))
      const ran = await until('the span of the job', () => collector.spans.find(({ name }) => name === `job ${job.name}`))
      return { ran, span: (name: string) => collector.spans.find((span) => span.name === name)! }
    } finally {
      await workers.close()
      await queues.close()
    }
  }

  it('goes on from what queued it, which is carried beside the payload', async () => {
    const { ran, span } = await run((enqueue) => inSpan('cause', {}, () => enqueue(randomUUID())))
    expect(ran).toMatchObject({ traceId: span('cause').traceId, parentSpanId: span('cause').spanId, attributes: { 'nura.outcome': 'done', 'nura.attempt': 1 } })
  })

  it('goes on from its row before anything else: whoever queued it again had another reason', async () => {
    const { id: tenantId } = await createTestTenant(db)
    const { ran, span } = await run(async (enqueue) => {
      const row = await inSpan('receive', {}, () => accept(db, { tenantId, surface: 'slack', kind: 'message', eventKey: randomUUID(), threadKey: 't', payload: {}, traceparent: currentTraceparent() }))
      await inSpan('sweep', {}, () => enqueue(row.id))
    })
    expect(ran).toMatchObject({ traceId: span('receive').traceId, parentSpanId: span('receive').spanId })
  })

  it('is one of its own when nothing led to it', async () => {
    const { ran } = await run((enqueue) => enqueue(randomUUID()))
    expect(ran.parentSpanId).toBeUndefined()
  })

  it('does not call waiting a failure', async () => {
    const later = new NuraError('busy', 'Busy.', { retryable: true, retryAt: new Date(Date.now() + 60_000) })
    const { ran } = await run((enqueue) => enqueue(randomUUID()), () => Promise.reject(later))
    expect(ran).toMatchObject({ status: 0, attributes: { 'nura.outcome': 'waits' } })
  })

  it('tells of a failure its code alone', async () => {
    const { ran } = await run((enqueue) => enqueue(randomUUID()), () => Promise.reject(new NuraError('broken', 'canary', { retryable: true })))
    expect(ran).toMatchObject({ status: 2, attributes: { 'error.type': 'broken' } })
    expect(collector.seen()).not.toContain('canary')
  })
})
