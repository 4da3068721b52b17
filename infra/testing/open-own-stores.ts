import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { Client } from 'pg'
import { readTestServer } from '#db/testing/config.ts'
import { testRedisUrl, testWorker } from '#jobs/testing/config.ts'

/** What processes need in their environment to have stores that no other test sees; nothing where they are embedded. */
export type OwnStores = { env: Record<string, string>; close(): Promise<void> }

/** On servers: a database of one's own, and an empty Redis database that no test beside this one uses. */
export async function openOwnStores(): Promise<OwnStores> {
  const [url, redis] = [readTestServer(), testRedisUrl()]
  if (!url || !redis) return { env: {}, close: async () => undefined }
  const database = `nura_processes_${randomUUID().replaceAll('-', '').slice(0, 12)}`
  await administer(url, `create database ${database}`)
  const own = new URL(url)
  own.pathname = `/${database}`
  // As many files run at a time as vitest has workers, and each has its own number of the sixteen.
  const redisUrl = `${redis.replace(/\/\d*$/, '')}/${1 + (testWorker() % 15)}`
  const client = new Redis(redisUrl)
  await client.flushdb()
  client.disconnect()
  return { env: { DATABASE_URL: own.href, REDIS_URL: redisUrl }, close: () => administer(url, `drop database if exists ${database} with (force)`) }
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(statement)
  await client.end()
}
