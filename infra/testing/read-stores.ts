import { Redis } from 'ioredis'
import { Client } from 'pg'
import { readDbConfig } from '#db/config.ts'
import { openDb } from '#db/index.ts'
import { storeOf } from '#db/store.ts'

type Row = Record<string, unknown>
type Query = (text: string) => Promise<Row[]>

/** Everything that a deployment with this environment keeps, each table and each key by its name, as text. The processes on an embedded store must have ended. */
export async function readStores(env: Record<string, string>): Promise<Map<string, string>> {
  const stored = env.DATABASE_URL ? await readServer(env.DATABASE_URL) : await readEmbedded(env)
  if (env.REDIS_URL) for (const [key, value] of await readRedis(env.REDIS_URL)) stored.set(key, value)
  return stored
}

async function readServer(url: string): Promise<Map<string, string>> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return await readTables(async (text) => (await client.query<Row>(text)).rows)
  } finally {
    await client.end()
  }
}

async function readEmbedded(env: Record<string, string>): Promise<Map<string, string>> {
  const db = await openDb(readDbConfig(env))
  const connection = await storeOf(db).pool.connect()
  try {
    return await readTables(async (text) => (await connection.query(text)).rows as Row[])
  } finally {
    connection.release()
    await db.close()
  }
}

async function readTables(query: Query): Promise<Map<string, string>> {
  const tables = await query("select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')")
  const stored = new Map<string, string>()
  for (const { name } of tables) {
    const rows = await query(`select row_to_json(each)::text as row from ${String(name)} each`)
    // Bytes are told in hexadecimal: what they say as text is put behind.
    stored.set(String(name), rows.map(({ row }) => String(row)).map((row) => row + (row.match(/\\\\x(?:[0-9a-f]{2})+/g) ?? []).map((bytes) => Buffer.from(bytes.slice(3), 'hex').toString('utf8')).join('\n')).join('\n'))
  }
  return stored
}

async function readRedis(url: string): Promise<Map<string, string>> {
  const redis = new Redis(url)
  const read: Record<string, (key: string) => Promise<unknown>> = {
    string: (key) => redis.get(key),
    hash: (key) => redis.hgetall(key),
    list: (key) => redis.lrange(key, 0, -1),
    set: (key) => redis.smembers(key),
    zset: (key) => redis.zrange(key, '0', '-1'),
    stream: (key) => redis.xrange(key, '-', '+'),
  }
  const stored = new Map<string, string>()
  try {
    for (const key of await redis.keys('*')) stored.set(`redis ${key}`, JSON.stringify(await read[await redis.type(key)]?.(key)))
    return stored
  } finally {
    redis.disconnect()
  }
}
