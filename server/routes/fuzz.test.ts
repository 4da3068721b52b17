import { createServer } from 'node:http'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Db, TenantDb } from '#db/index.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { createOpenSource } from '../sources/index.ts'
import { createOpenSite } from '../sources/site.ts'
import type { OpenSite } from '../sources/site.ts'
import { listenOnLoopback } from '../testing/listen-on-loopback.ts'
import { openTestServer, signToken } from '../testing/open-test-server.ts'
import type { TestServer } from '../testing/open-test-server.ts'
import { requestsTo } from '../testing/requests-to.ts'
import { sendJson } from '../testing/send-json.ts'
import { routes } from './index.ts'

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

const fuzzed = routes.filter((route) => route.params ?? route.query ?? route.body)

describe('any input', () => {
  it.each(fuzzed.map((route) => [`${route.method} ${route.path}`, route] as const))('%s answers it, never with 5xx, and a refusal writes nothing', async (_, route) => {
    await fc.assert(
      fc.asyncProperty(requestsTo(route), async ({ path, body }) => {
        const before = await picture()
        const response = await fetch(`${server.url}${path}`, {
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
