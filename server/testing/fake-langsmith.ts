import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { listenOnLoopback } from './listen-on-loopback.ts'

/** A run as it came in, put together from what was told when it began and when it ended. */
export type FakeRun = { id: string; trace_id: string; parent_run_id?: string; name: string; run_type: string; session_name: string; end_time?: unknown } & Record<string, unknown>

export type FakeLangsmith = {
  /** What `LANGSMITH_ENDPOINT` names. */
  readonly url: string
  readonly runs: Map<string, FakeRun>
  readonly requests: { path: string; key: string | undefined; body: string }[]
  /** `hang`: takes requests and never answers. */
  mode: 'take' | 'hang' | 'refuse'
  /** Every byte that was ever sent, as one text: where tests look for what must not be there. */
  seen(): string
  close(): Promise<void>
}

/** LangSmith's ingestion over loopback: `GET /info`, then runs as multipart. */
export async function startFakeLangsmith(): Promise<FakeLangsmith> {
  const fake: Omit<FakeLangsmith, 'url' | 'close' | 'seen'> = { runs: new Map(), requests: [], mode: 'take' }
  const server = createServer((request, response) => {
    void buffer(request).then(async (raw) => {
      const bytes = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw
      fake.requests.push({ path: request.url ?? '', key: request.headers['x-api-key']?.toString(), body: bytes.toString('utf8') })
      if (fake.mode === 'hang') return
      if (fake.mode === 'refuse') return void response.writeHead(503).end('{}')
      if (request.url === '/runs/multipart') await keep(fake.runs, request, bytes)
      response.writeHead(request.url === '/runs/multipart' ? 202 : 200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(request.url === '/info' ? { version: '0.12.0', batch_ingest_config: { use_multipart_endpoint: true, size_limit: 100, size_limit_bytes: 20_971_520 } } : {}))
      // Whoever sent it may have given up half way.
    }).catch(() => response.destroy())
  })
  return Object.assign(fake, {
    ...(await listenOnLoopback(server)),
    seen: () => fake.requests.map(({ path, body }) => `${path}\n${body}`).join('\n'),
  })
}

/** Parts are named `post.ID`, `patch.ID`, and `post.ID.inputs` and such for fields that are sent apart. */
async function keep(runs: FakeLangsmith['runs'], request: IncomingMessage, bytes: Buffer): Promise<void> {
  const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': request.headers['content-type'] ?? '' } }).formData()
  for (const [name, value] of form) {
    const [, id = '', field] = name.split('.')
    const told = JSON.parse(typeof value === 'string' ? value : await value.text()) as object
    runs.set(id, { ...runs.get(id), ...(field ? { [field]: told } : told), id } as FakeRun)
  }
}
