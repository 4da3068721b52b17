import { trace } from '@opentelemetry/api'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { NuraError } from '#db/nura-error.ts'
import { createLog } from '../log.ts'
import { startFakeCollector } from '../testing/fake-collector.ts'
import type { FakeCollector } from '../testing/fake-collector.ts'
import { toAttributes } from './attributes.ts'
import { readTracingConfig } from './config.ts'
import { openTracing } from './open-tracing.ts'
import type { Tracing } from './open-tracing.ts'
import { inSpan, inSpanStream, noteMoment, openSpan } from './span.ts'
import { currentTraceId, currentTraceparent, inTrace, keepTrace } from './traceparent.ts'

let collector: FakeCollector
let tracing: Tracing
let lines: string[] = []
const log = createLog({ level: 'debug', process: 'test', destination: { write: (line: string) => void lines.push(line) } })

beforeEach(async () => {
  lines = []
  collector = await startFakeCollector()
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.url)
})
afterEach(async () => {
  await tracing.close()
  vi.unstubAllEnvs()
  await collector.close()
})

const open = async (env: Record<string, string> = {}) => {
  for (const [key, value] of Object.entries(env)) vi.stubEnv(key, value)
  tracing = await openTracing(readTracingConfig(), { process: 'test', log })
}
/** What came to the collector once everything was sent, by name. */
async function sent() {
  await tracing.close()
  return new Map(collector.spans.map((span) => [span.name, span]))
}
async function* numbers(...all: number[]): AsyncGenerator<number, string> {
  for (const each of all) {
    noteMoment(`at ${each}`)
    yield each
  }
  return 'done'
}

describe('spans', () => {
  test('lie within each other, carry what is allowed, and name the process', async () => {
    await open()
    const value = await inSpan('outer', { 'nura.surface': 'slack' }, async (span) => {
      span.set({ 'nura.passages': 3, 'nura.outcome': 'canary with spaces', ['question' as never]: 'canary' })
      return inSpan('inner', {}, () => 42)
    })
    expect(value).toBe(42)
    const spans = await sent()
    expect(spans.get('inner')).toMatchObject({ parentSpanId: spans.get('outer')!.spanId, traceId: spans.get('outer')!.traceId })
    expect(spans.get('outer')).toMatchObject({ service: 'nura-test', attributes: { 'nura.surface': 'slack', 'nura.passages': 3 } })
    expect(collector.seen()).not.toContain('canary')
  })

  test.each([
    [new NuraError('model-away', 'canary'), 'model-away'],
    [new TypeError('canary'), 'TypeError'],
    [Object.assign(new Error('canary'), { name: 'canary with spaces' }), 'unknown'],
    ['canary', 'unknown'],
  ])('that fail tell the kind of error and not its words', async (error, type) => {
    await open()
    await expect(inSpan('fails', {}, () => Promise.reject(error))).rejects.toBe(error)
    expect((await sent()).get('fails')).toMatchObject({ status: 2, attributes: { 'error.type': type } })
    expect(collector.seen()).not.toContain('canary')
  })

  test('of a stream belong where it was made, hold what it does, and return what it returns', async () => {
    await open()
    const streams = await inSpan('maker', {}, () => [inSpanStream('whole', {}, () => numbers(1, 2)), inSpanStream('left', {}, () => numbers(1, 2)), inSpanStream('unread', {}, () => numbers(1))] as const)
    const [whole, left] = streams
    expect([await whole.next(), await whole.next(), await whole.next()]).toEqual([{ value: 1, done: false }, { value: 2, done: false }, { value: 'done', done: true }])
    for await (const _ of left) break
    const spans = await sent()
    expect(spans.get('whole')).toMatchObject({ parentSpanId: spans.get('maker')!.spanId, events: [{ name: 'at 1' }, { name: 'at 2' }], status: 0 })
    expect(spans.get('left')).toMatchObject({ parentSpanId: spans.get('maker')!.spanId, events: [{ name: 'at 1' }], status: 0 })
    expect(spans.has('unread')).toBe(false)
  })

  test('of a library do not leave the process', async () => {
    await open()
    trace.getTracer('some-library').startSpan('canary', { attributes: { question: 'canary' } }).end()
    await inSpan('ours', {}, () => undefined)
    expect([...(await sent()).keys()]).toEqual(['ours'])
    expect(collector.seen()).not.toContain('canary')
  })

  test('are none without an endpoint, and everything runs as it would', async () => {
    await open({ OTEL_EXPORTER_OTLP_ENDPOINT: '' })
    expect(await inSpan('none', {}, () => [currentTraceId(), currentTraceparent()])).toEqual([null, null])
    const stream = inSpanStream('none', {}, () => numbers(7))
    expect([await stream.next(), await stream.next()]).toEqual([{ value: 7, done: false }, { value: 'done', done: true }])
    await tracing.close()
    expect(collector.requests).toEqual([])
  })

  test('are none when the sampler takes none, while the trace still has its id', async () => {
    await open({ OTEL_TRACES_SAMPLER: 'always_off' })
    expect(await inSpan('none', {}, () => currentTraceparent())).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-00$/)
    expect((await sent()).size).toBe(0)
  })
})

describe('a trace goes on', () => {
  test('elsewhere, by its traceparent', async () => {
    await open()
    const traceparent = await inSpan('here', {}, () => currentTraceparent())
    await inTrace(traceparent, () => inSpan('there', {}, () => undefined))
    const spans = await sent()
    expect(spans.get('there')).toMatchObject({ traceId: spans.get('here')!.traceId, parentSpanId: spans.get('here')!.spanId })
  })

  test('below the active span where that is of the same trace', async () => {
    await open()
    await inSpan('root', {}, async () => {
      const traceparent = currentTraceparent()
      await inSpan('middle', {}, () => inTrace(traceparent, () => inSpan('leaf', {}, () => undefined)))
    })
    const spans = await sent()
    expect(spans.get('leaf')!.parentSpanId).toBe(spans.get('middle')!.spanId)
  })

  test('where something lost it, when it was kept', async () => {
    await open()
    const keep = await inSpan('root', {}, () => keepTrace())
    await keep(() => inSpan('leaf', {}, () => undefined))
    const spans = await sent()
    expect(spans.get('leaf')!.parentSpanId).toBe(spans.get('root')!.spanId)
  })

  test('not from anything that is no traceparent', async () => {
    await open()
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constantFrom(null, undefined, `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`, `00-${'1'.repeat(32)}-${'0'.repeat(16)}-01`, `ff-${'1'.repeat(32)}-${'1'.repeat(16)}-01`)), (text) =>
        void inTrace(text, () => expect(currentTraceId()).toBeNull()),
      ),
    )
  })
})

test('no attribute lets a sentence through', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('nura.agent', 'nura.outcome', 'error.type')), fc.oneof(fc.string(), fc.integer(), fc.constant(NaN), fc.constant(null))), (given) => {
      for (const [key, value] of Object.entries(toAttributes(given))) {
        expect(key).toMatch(/^(nura|http|gen_ai|error)\./)
        expect(String(value)).not.toMatch(/\s|["'<>{}]/)
      }
    }),
  )
})

describe('a collector that is away', () => {
  test.each(['hang', 'refuse'] as const)('and does %s has no effect: work goes on, spans are dropped, the end is not kept', async (mode) => {
    collector.mode = mode
    await open({ OTEL_BSP_SCHEDULE_DELAY: '20', OTEL_BSP_MAX_QUEUE_SIZE: '64', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '32', OTEL_EXPORTER_OTLP_TIMEOUT: '200' })
    for (let at = 0; at < 500; at++) expect(await inSpan('work', {}, () => at)).toBe(at)
    await expect.poll(() => collector.requests.length).toBeGreaterThan(0)
    await tracing.close()
    // Of 500 spans at most what one request and the queue hold is ever kept.
    expect(collector.seen().split('"work"').length - 1).toBeLessThan(500)
    expect(openSpan('after the end').within(() => currentTraceId())).toBeNull()
    if (mode === 'refuse') await expect.poll(() => lines.filter((line) => line.includes('"level":"warn"'))).toHaveLength(1)
  })
})

describe('readTracingConfig', () => {
  const none = { OTEL_EXPORTER_OTLP_ENDPOINT: '' }
  test.each([
    [{}, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }, true],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://collector/v1/traces' }, true],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', OTEL_SDK_DISABLED: 'true' }, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', OTEL_TRACES_EXPORTER: 'none' }, false],
  ])('%j is %s', (env, isOn) => {
    tracing = { close: async () => undefined }
    expect(readTracingConfig({ ...none, ...env })).toEqual({ isOn })
  })

  test('names every faulty key at once', () => {
    const faulty = { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_TRACES_SAMPLER: 'some', OTEL_TRACES_SAMPLER_ARG: '2' }
    for (const key of Object.keys(faulty)) expect(() => readTracingConfig(faulty)).toThrow(new RegExp(`  ${key}: must be`))
  })
})
