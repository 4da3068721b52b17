import type { Client } from 'pg'
import { openDb } from '#db/index.ts'
import type { TenantDb } from '#db/index.ts'
import { storeOf } from '#db/store.ts'
import { readMemory } from '../process-usage.ts'
import { openSubject } from './subject.ts'
import type { TestRepository } from '#server/testing/create-repository.ts'

export type Catalogue = { relations: number; columns: number; bytes: number }

/** What a database knows of its tables, and what that takes on disk with its indexes. */
export async function readCatalogue(raw: Client): Promise<Catalogue> {
  const { rows } = await raw.query<Catalogue>(
    `select (select count(*) from pg_class)::int as relations, (select count(*) from pg_attribute)::int as columns,
       (select sum(pg_total_relation_size(oid)) from pg_class where relnamespace = 'pg_catalog'::regnamespace and relkind = 'r')::float8 as bytes`,
  )
  return rows[0]!
}

export type Visited = { tenants: number; ownBytes: number; cacheBytes: number }

/**
 * What one connection holds for itself after a search in each tenant, and how much of it PostgreSQL says is for what it knows
 * of tables and plans.
 */
export async function visitTenants(url: string, tenants: TenantDb[], repository: TestRepository, question: string): Promise<Visited[]> {
  const db = await openDb({ url, dataDir: 'memory://', encryptionKey: Buffer.alloc(32, 1), poolSize: 1 })
  try {
    const visited: Visited[] = []
    for (const [at, { id }] of tenants.entries()) {
      await (await openSubject(db, await db.tenant(id), repository)).hybrid(question)
      if (at === 0 || at === tenants.length - 1) visited.push({ tenants: at + 1, ...(await readConnection(db)) })
    }
    return visited
  } finally {
    await db.close()
  }
}

async function readConnection(db: object): Promise<Omit<Visited, 'tenants'>> {
  const client = await storeOf(db).pool.connect()
  try {
    const { rows } = await client.query<{ pid: number; cacheBytes: number }>(
      `select pg_backend_pid() as pid, sum(total_bytes) filter (where name like 'Cache%' or name like 'relation%' or name like 'index info' or name like 'CachedPlan%')::float8 as "cacheBytes" from pg_backend_memory_contexts`,
    )
    const { pid, cacheBytes } = rows[0]!
    return { cacheBytes, ownBytes: (await readMemory(pid)).own }
  } finally {
    client.release()
  }
}
