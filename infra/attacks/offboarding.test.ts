import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { SignJWT } from 'jose'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { readTestServer } from '#db/testing/config.ts'
import { createRepository } from '#server/testing/create-repository.ts'
import type { TestRepository } from '#server/testing/create-repository.ts'
import { startSlackDeployment } from '../testing/start-slack-deployment.ts'
import type { SlackDeployment } from '../testing/start-slack-deployment.ts'
import { until } from '../testing/until.ts'

/** Whole processes start and are waited for here, on machines that do other things too. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

/** One word that stands in everything the doomed tenant has, and nowhere else. */
const canary = 'quokkaledger'
const files = (count: number, word: string) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`src/part${at}.ts`, `/** Books ${word} number ${at}. */\nexport function ${word}${at}(): number {\n  return ${at}\n}\n`]))

/** Where it takes stores that other processes share to show anything. */
const isServers = readTestServer() !== null

let nura: SlackDeployment
let large: TestRepository
let beside: TestRepository

beforeAll(async () => {
  if (!isServers) return
  // So many that indexing still goes on when the operator's command, a process of its own, gets to it.
  large = await createRepository(files(3_000, canary))
  beside = await createRepository(files(3, 'wombat'))
  nura = await startSlackDeployment({ files: { 'pay.ts': `/** Charges the ${canary}. */\nexport function charge${canary}(): void {}\n` } })
})
afterAll(async () => {
  await nura?.close()
  await large?.[Symbol.asyncDispose]()
  await beside?.[Symbol.asyncDispose]()
})

async function call(tenant: string, method: string, path: string, body?: object): Promise<{ status: number; json: { repositories?: { state: string }[] } }> {
  const token = await new SignJWT({ tenant }).setProtectedHeader({ alg: 'HS256' }).setAudience('nura').setSubject('operator').setExpirationTime('5 min').sign(new TextEncoder().encode(nura.env.NURA_SERVICE_SECRET))
  const response = await fetch(`${nura.apiUrl}${path}`, { method, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, ...(body && { body: JSON.stringify(body) }) })
  return { status: response.status, json: (await response.json()) as { repositories?: { state: string }[] } }
}

const states = async (tenant: string) => ((await call(tenant, 'GET', '/v1/repositories')).json.repositories ?? []).map(({ state }) => state)

/** `npm run tenant`, as an operator calls it. */
async function operate(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, '..', 'tenant.ts'), ...args], { env: { PATH: process.env.PATH, ...nura.env } })
  return stdout
}

async function sql<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new Client({ connectionString: nura.env.DATABASE_URL })
  await client.connect()
  try {
    return (await client.query(text, values)).rows as Row[]
  } finally {
    await client.end()
  }
}

/** Files of the database that hold the word, as bytes. */
async function filesWith(word: string): Promise<string[]> {
  await sql('checkpoint')
  const [{ folder }] = (await sql<{ folder: string }>(`select current_setting('data_directory') || '/base/' || oid as folder from pg_database where datname = current_database()`)) as [{ folder: string }]
  const found: string[] = []
  for (const name of await readdir(folder)) {
    const bytes = await readFile(join(folder, name)).catch(() => Buffer.alloc(0))
    if (bytes.includes(word)) found.push(name)
  }
  return found
}

/** Keys and values of Redis that hold any of the words. */
async function redisWith(words: string[]): Promise<string[]> {
  const redis = new Redis(nura.env.REDIS_URL!)
  const found: string[] = []
  for (const key of await redis.keys('*')) {
    const readers: Record<string, () => Promise<unknown>> = {
      string: () => redis.get(key), hash: () => redis.hgetall(key), list: () => redis.lrange(key, 0, -1),
      set: () => redis.smembers(key), zset: () => redis.zrange(key, 0, '-1'), stream: () => redis.xrange(key, '-', '+'),
    }
    const value = JSON.stringify(await readers[await redis.type(key)]?.()) ?? ''
    if (words.some((word) => key.includes(word) || value.includes(word))) found.push(key)
  }
  redis.disconnect()
  return found
}

test.runIf(isServers)('T19: a tenant deleted while it is indexed leaves not a byte in stores and logs, the neighbour untouched, and late events get 200', async () => {
  await operate('create', 'beside')
  await call('beside', 'POST', '/v1/repositories', { path: beside.dir })
  await until('the neighbour to be indexed', async () => (await states('beside')).every((state) => state === 'ready') && (await states('beside')).length === 1)
  const mention = await nura.ask(`how does ${canary} charge?`)
  await nura.finished(mention)
  expect((await filesWith(canary)).length).toBeGreaterThan(0)

  const [{ id, schema }] = (await sql<{ id: string; schema: string }>(`select id, schema_name as schema from nura.tenant where slug = 'local'`)) as [{ id: string; schema: string }]
  await call('local', 'POST', '/v1/repositories', { path: large.dir })
  await until('indexing to be under way', async () => (await states('local')).includes('indexing') && (await sql<{ n: number }>(`select count(*)::int as n from "${schema}".file`))[0]!.n > 20)
  const told = await operate('delete', 'local', '--yes')
  expect(told).toMatch(/knowledge_base +\d+/)

  expect((await call('local', 'GET', '/v1/repositories')).status).toBe(404)
  const late = await nura.ask(`and ${canary} now?`)
  await until(() => `the job to end; ${nura.output().slice(-1500)}`, () => /the tenant of the job is gone/.test(nura.output()))
  expect(await operate('create', 'local')).toContain('created local')
  expect(await states('local')).toEqual([])
  expect(await states('beside')).toEqual(['ready'])
  expect(nura.seen(late)).toEqual([])

  // Rows that were deleted from shared tables lie in their pages until these are written anew, after the last transaction that might
  // still read them: one that a process of Nura happens to have open.
  let left: string[] = []
  await until('the pages to be written anew', async () => {
    await sql('vacuum full')
    left = await filesWith(canary)
    return left.length === 0
  }).catch(() => expect(left, 'files of the database that hold the word').toEqual([]))
  expect(await redisWith([canary])).toEqual([])
  expect(nura.output()).not.toContain(canary)
  expect(nura.output()).not.toMatch(/deadlock|40P01/)
  expect(await sql(`select 1 from pg_roles where rolname in ($1::text, replace($1::text, 't_', 'gone_')) union all select 1 from pg_namespace where nspname = $1::text union all select 1 from nura.inbox where tenant_id = $2`, [schema, id])).toEqual([])
  expect(await sql('select deadlocks::int from pg_stat_database where datname = current_database()')).toEqual([{ deadlocks: 0 }])
  const [receipt] = await sql<{ steps: { step: string }[]; ended: boolean; text: string }>('select steps, ended_at is not null as ended, steps::text as text from nura.offboarding where tenant_id = $1', [id])
  expect(receipt).toMatchObject({ ended: true, steps: [{ step: 'closed' }, { step: 'dropped' }, { step: 'elsewhere' }] })
  expect(receipt!.text).not.toContain(canary)
})
