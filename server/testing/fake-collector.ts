import { createServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { listenOnLoopback } from './listen-on-loopback.ts'

/** One span as it came over the wire. */
export type FakeSpan = {
  traceId: string
  spanId: string
  /** Absent at the root of a trace. */
  parentSpanId?: string
  name: string
  kind: number
  attributes: Record<string, unknown>
  events: { name: string; attributes: Record<string, unknown> }[]
  /** 2 when it failed. */
  status: number
  service: string
}

export type FakeCollector = {
  /** What `OTEL_EXPORTER_OTLP_ENDPOINT` names. */
  readonly url: string
  readonly spans: FakeSpan[]
  readonly requests: { path: string; headers: IncomingHttpHeaders; body: string }[]
  /** `hang`: takes requests and never answers. */
  mode: 'take' | 'hang' | 'refuse'
  /** Every byte that was ever sent, as one text: where tests look for what must not be there. */
  seen(): string
  close(): Promise<void>
}

type Attribute = { key: string; value: Record<string, unknown> }
type Wire = { resourceSpans: { resource: { attributes: Attribute[] }; scopeSpans: { spans: WireSpan[] }[] }[] }
type WireSpan = { traceId: string; spanId: string; parentSpanId?: string; name: string; kind: number; attributes?: Attribute[]; events?: { name: string; attributes?: Attribute[] }[]; status?: { code?: number } }

/** A receiver of OTLP over HTTP, in JSON, on loopback. */
export async function startFakeCollector(): Promise<FakeCollector> {
  const fake: Omit<FakeCollector, 'url' | 'close' | 'seen'> = { spans: [], requests: [], mode: 'take' }
  const server = createServer((request, response) => {
    void read(request).then((body) => {
      fake.requests.push({ path: request.url ?? '', headers: request.headers, body })
      if (fake.mode === 'hang') return
      if (fake.mode === 'take' && request.url === '/v1/traces') fake.spans.push(...toSpans(JSON.parse(body) as Wire))
      response.writeHead(fake.mode === 'take' ? 200 : 503, { 'content-type': 'application/json' })
      response.end('{}')
      // Whoever sent it may have given up half way.
    }, () => response.destroy())
  })
  return Object.assign(fake, {
    ...(await listenOnLoopback(server)),
    seen: () => fake.requests.map(({ headers, body }) => JSON.stringify(headers) + body).join('\n'),
  })
}

function toSpans({ resourceSpans }: Wire): FakeSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(toRecord(resource.attributes)['service.name'])
    return scopeSpans.flatMap(({ spans }) =>
      spans.map(({ traceId, spanId, parentSpanId, name, kind, attributes, events, status }) => ({
        traceId, spanId, ...(parentSpanId ? { parentSpanId } : {}), name, kind, service, status: status?.code ?? 0,
        attributes: toRecord(attributes), events: (events ?? []).map((event) => ({ name: event.name, attributes: toRecord(event.attributes) })),
      })),
    )
  })
}

function toRecord(attributes: Attribute[] = []): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
}

async function read(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of request as AsyncIterable<Buffer>) pieces.push(piece)
  return Buffer.concat(pieces).toString('utf8')
}
