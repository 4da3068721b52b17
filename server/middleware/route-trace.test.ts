import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Db, TenantDb } from '#db/index.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { startFakeCollector } from '../testing/fake-collector.ts'
import type { FakeCollector, FakeSpan } from '../testing/fake-collector.ts'
import { openGithubRig } from '../testing/open-github-rig.ts'
import { openTestServer, signToken } from '../testing/open-test-server.ts'
import type { TestServer } from '../testing/open-test-server.ts'
import { readTracingConfig } from '../tracing/config.ts'
import { openTracing } from '../tracing/open-tracing.ts'
import type { Tracing } from '../tracing/open-tracing.ts'

const traceId = 'a'.repeat(32)
const traceparent = `00-${traceId}-${'b'.repeat(16)}-01`
let db: Db
let tenant: TenantDb
let server: TestServer
let collector: FakeCollector
let tracing: Tracing

beforeAll(async () => {
  db = await openTestDb()
  tenant = await createTestTenant(db)
  server = await openTestServer(db)
})
afterAll(async () => {
  await server.close()
  await db.close()
})
beforeEach(async () => {
  collector = await startFakeCollector()
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url)
  vi.stubEnv('OTEL_BSP_SCHEDULE_DELAY', '20')
  tracing = await openTracing(readTracingConfig(), { process: 'server', log: server.parts.log })
})
afterEach(async () => {
  await tracing.close()
  await collector.close()
  vi.unstubAllEnvs()
})

/** What the collector has when it has this one: a route's span ends a moment after the answer was read. */
async function spansWith(name: string, of = ''): Promise<FakeSpan[]> {
  const ofTrace = () => collector.spans.filter((span) => of.includes(span.traceId) || of === '')
  await expect.poll(() => ofTrace().map((span) => span.name)).toContain(name)
  return ofTrace()
}

async function ask(headers: Record<string, string>, body: object = { question: 'canary?' }) {
  const response = await fetch(`${server.url}/v1/ask`, { method: 'POST', headers: { 'content-type': 'application/json', traceparent, ...headers }, body: JSON.stringify(body) })
  await response.text()
  return response
}

describe('a route', () => {
  it('goes on with the trace of a caller who has proved who they are, and names it in log and answer', async () => {
    const from = server.lines.length
    const response = await ask({ authorization: `Bearer ${await signToken(tenant)}`, accept: 'text/event-stream' })
    expect(response.headers.get('x-nura-trace')).toBe(traceId)
    const lines = server.lines.slice(from).map((line) => JSON.parse(line) as { msg: string; trace?: string })
    expect(lines.map(({ msg, trace }) => `${msg} ${trace}`).sort()).toEqual([`answered ${traceId}`, `request ${traceId}`])
    expect(await spansWith('POST /v1/ask')).toMatchObject([{ name: 'POST /v1/ask', traceId, parentSpanId: 'b'.repeat(16), kind: 2, status: 0, attributes: { 'nura.tenant': tenant.id, 'http.route': '/v1/ask', 'http.response.status_code': expect.anything() } }])
    expect(collector.seen()).not.toContain('canary')
  })

  it.each([{}, { authorization: 'Bearer nonsense' }])('joins no trace of a stranger: %j', async (headers) => {
    const response = await ask(headers as Record<string, string>)
    expect(response.status).toBe(401)
    expect(response.headers.get('x-nura-trace')).not.toBe(traceId)
    await ask({ authorization: `Bearer ${await signToken(tenant)}` })
    expect((await spansWith('POST /v1/ask')).length).toBe(1)
  })

  it('does not call a refusal a failure', async () => {
    await ask({ authorization: `Bearer ${await signToken(tenant)}` }, { question: '' })
    expect(await spansWith('POST /v1/ask')).toMatchObject([{ status: 0, attributes: { 'error.type': 'bad-input' } }])
  })

  it('keeps the trace that a caller asked for in words when nothing is traced', async () => {
    await tracing.close()
    const response = await ask({ authorization: `Bearer ${await signToken(tenant)}`, 'x-nura-trace': 'trace-of-the-caller' })
    expect(response.headers.get('x-nura-trace')).toBe('trace-of-the-caller')
    expect(collector.requests).toEqual([])
  })
})

describe('a delivery of GitHub’s', () => {
  it('begins a trace, which its row keeps and its run goes on with', async () => {
    const rig = await openGithubRig(db)
    const app = await rig.fake.addRepository({ installation: rig.installation, name: 'app', files: { 'a.ts': 'const canary = 1\n' } })
    await rig.settle()
    rig.fake.deliveries.auto = false
    const event = rig.fake.event('push', await rig.fake.payloads.push(app, { ref: 'refs/heads/main', before: '0'.repeat(40), after: await app.git('rev-parse', 'main') }))
    expect(await rig.fake.deliver(rig.hookUrl, event, { headers: { traceparent } })).toBe(202)
    const row = await rig.rowOf(event.guid)
    await rig.settle()
    await rig.close()

    const mine = await spansWith('delivery', row!.traceparent!)
    expect(row!.traceparent).not.toContain(traceId)
    const receive = mine.find(({ name }) => name === 'receive')!
    expect(receive).toMatchObject({ attributes: { 'nura.surface': 'github', 'nura.kind': 'push' } })
    expect(receive.parentSpanId).toBeUndefined()
    expect(mine.find(({ name }) => name === 'delivery')).toMatchObject({ parentSpanId: receive.spanId, attributes: { 'nura.inbox_id': row!.id } })
    expect(collector.seen()).not.toContain('canary')
  })
})
