import { createServer } from 'node:http'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Db, TenantDb } from '#db/index.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { createOpenSource } from '../sources/index.ts'
import { createOpenSite } from '../sources/site.ts'
import type { OpenSite } from '../sources/site.ts'
import { arbitraryOf, nastyJson } from '../testing/arbitrary-of.ts'
import { listenOnLoopback } from '../testing/listen-on-loopback.ts'
import { openTestServer, signToken } from '../testing/open-test-server.ts'
import type { TestServer } from '../testing/open-test-server.ts'
import { sendJson } from '../testing/send-json.ts'
import { routes } from './index.ts'
import type { AnyRoute } from './route.ts'

let db: Db
let tenant: TenantDb
let server: TestServer
let token: string
let site: Awaited<ReturnType<typeof listenOnLoopback>>

beforeAll(async () => {
  db = await openTestDb()
  tenant = await createTestTenant(db)
  // Whatever site is named, nobody outside is asked: this one knows no token.
  site = await listenOnLoopback(createServer((_, response) => sendJson(response, 401, {})))
  const openSite: OpenSite = (address) => createOpenSite({ hosts: [new URL(site.url).host] })({ ...address, base: site.url })
  server = await openTestServer(db, { openSource: createOpenSource({ github: null, openSite }) })
  token = await signToken(tenant, { expiresIn: 500 })
})
afterAll(async () => {
  await server.close()
  await site.close()
  await db.close()
})

/** Every row that a route may write, and every job it may queue. */
async function picture(): Promise<unknown> {
  const tables = ['repository', 'document', 'thread', 'answer', 'feedback', 'model_call', 'source_grant']
  const counts = tables.map((table) => `(select count(*)::int from ${table}) as ${table}`)
  const [rows] = await tenant.transaction((tx) => tx.query(`select ${counts.join(', ')}`))
  return { rows, queued: server.queued.length }
}

type Request = { path: string; query: Record<string, unknown>; body: string | undefined }

function requestsTo(route: AnyRoute): fc.Arbitrary<Request> {
  const param = fc.oneof(fc.uuid(), fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }), fc.constantFrom('..', '%', '%00', '%zz', 'a'.repeat(400), 'slack:T1:C1:1.2'))
  const names = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => name as string)
  const body = route.body === undefined ? fc.constant(undefined) : fc.oneof({ weight: 6, arbitrary: arbitraryOf(route.body) }, { weight: 1, arbitrary: nastyJson })
  const query = route.query === undefined ? fc.constant({}) : arbitraryOf(route.query)
  return fc.tuple(fc.tuple(...names.map(() => param)), query, body).map(([params, queried, sent]) => ({
    path: names.reduce((path, name, at) => path.replace(`:${name}`, encode(params[at] as string)), route.path),
    query: typeof queried === 'object' && queried !== null ? (queried as Record<string, unknown>) : {},
    body: sent === undefined ? undefined : JSON.stringify(sent),
  }))
}

function encode(text: string): string {
  return text.startsWith('%') ? text : encodeURIComponent(text.toWellFormed())
}

/** As a form would send it; of what has no text of its own, the JSON. */
function toQueryText(value: unknown): string {
  return (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).toWellFormed()
}

const fuzzed = routes.filter((route) => route.params ?? route.query ?? route.body)

describe('any input', () => {
  it.each(fuzzed.map((route) => [`${route.method} ${route.path}`, route] as const))('%s answers it, never with 5xx, and a refusal writes nothing', async (_, route) => {
    await fc.assert(
      fc.asyncProperty(requestsTo(route), async ({ path, query, body }) => {
        const before = await picture()
        const search = new URLSearchParams(Object.entries(query).map(([key, value]): [string, string] => [key, toQueryText(value)]))
        const response = await fetch(`${server.url}${path}?${search.toString()}`, {
          method: route.method,
          headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
          ...(body === undefined ? {} : { body }),
        })
        const text = await response.text()
        expect({ status: response.status, isOurs: response.status < 500, text }).toMatchObject({ isOurs: true })
        // 431 is Node's own answer to an address longer than its limit, before any route.
        if (response.status < 400 || response.status === 431) return
        expect(JSON.parse(text).error).toMatchObject({ code: expect.any(String), message: expect.any(String), ref: expect.any(String) })
        expect(text).not.toMatch(/\bat .*\.(ts|js):\d+/)
        expect(await picture()).toEqual(before)
      }),
      { numRuns: 40 },
    )
  })
})
