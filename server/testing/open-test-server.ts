import { SignJWT } from 'jose'
import type { Db, TenantDb } from '#db/index.ts'
import type { AnswerPart } from '../answer-part.ts'
import { createServer } from '../app.ts'
import type { ServerParts } from '../app.ts'
import { readServerConfig } from '../config.ts'
import { listen } from '../listen.ts'
import { createLog } from '../log.ts'
import { createMetrics } from '../metrics.ts'
import { createOpenSource } from '../sources/index.ts'
import { createOpenSite } from '../sources/site.ts'
import { createTellSettings } from '../tell-settings.ts'

export const testSecret = 'a-service-secret-of-more-than-32-bytes'

export type TestServer = {
  url: string
  /** Every log line, in order. */
  lines: string[]
  /** Every job that was queued. */
  queued: { name: string; payload: object }[]
  parts: ServerParts
  close(): Promise<void>
}

/** The whole HTTP service over loopback on a real database; only the answer itself is given by the test. */
export async function openTestServer(db: Db, overrides: Partial<ServerParts> = {}): Promise<TestServer> {
  const lines: string[] = []
  const queued: TestServer['queued'] = []
  const config = readServerConfig({})
  const parts: ServerParts = {
    config: { ...config, serviceSecret: testSecret },
    db,
    log: createLog({ level: 'debug', process: 'server', destination: { write: (line: string) => void lines.push(line) } }),
    metrics: createMetrics(),
    enqueue: async (name, payload) => void queued.push({ name, payload }),
    answer: () => answerOf(doneParts),
    search: async () => ({ passages: [], timings: { total: 1 } }),
    openSource: createOpenSource({ github: null, openSite: createOpenSite() }),
    tellSettings: createTellSettings({ config, db }),
    version: '0.0.0-test',
    readiness: { database: () => db.ready() },
    ...overrides,
  }
  const listening = await listen(createServer(parts).callback(), { host: '127.0.0.1', port: 0 })
  return { url: listening.url, lines, queued, parts, close: () => listening.close(0) }
}

/** A service token as another process of ours would sign it; any claim can be spoilt. */
export function signToken(tenant: Pick<TenantDb, 'id'>, spoil: { aud?: string; sub?: string; expiresIn?: number; secret?: string; alg?: string; tenant?: unknown } = {}): Promise<string> {
  return new SignJWT({ tenant: 'tenant' in spoil ? spoil.tenant : tenant.id })
    .setProtectedHeader({ alg: spoil.alg ?? 'HS256' })
    .setAudience(spoil.aud ?? 'nura')
    .setSubject(spoil.sub ?? 'person-1')
    .setExpirationTime(Math.floor(Date.now() / 1000) + (spoil.expiresIn ?? 60))
    .sign(Buffer.from(spoil.secret ?? testSecret))
}

export const doneParts: AnswerPart[] = [
  { kind: 'status', text: 'Searching' },
  { kind: 'citation', citation: { n: 1, repository: 'acme/app', path: 'src/a.ts', startLine: 3, endLine: 9, sha: 'a'.repeat(40), url: null } },
  { kind: 'text', markdown: 'It is in `verify` [1].' },
  {
    kind: 'done',
    answerId: '0b5c3a52-6c4b-4c51-9d8f-0f8d3b3b3b3b',
    agent: 'dev',
    abstained: false,
    freshness: [],
    usage: { models: ['extractive:default'], tokens: 0, costUsd: 0 },
    timings: { total: 5 },
    trace: 'trace-of-the-answer',
  },
]

export async function* answerOf(parts: AnswerPart[]): AsyncGenerator<AnswerPart> {
  yield* parts
}
