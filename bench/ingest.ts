import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import type { TenantDb } from '#db/index.ts'
import { addRepository } from '#db/tenant/repositories.ts'
import { indexSource } from '#server/indexing/index-changes.ts'
import { createLog } from '#server/log.ts'
import type { Embedders } from '#server/models/embedder.ts'
import { lexicalEmbedders } from '#server/models/lexical.ts'
import { createGitSource } from '#server/sources/git.ts'
import { generateRepository } from './generate-repository.ts'
import { interleave, median, ratioOf } from './measure.ts'
import type { Pair } from './measure.ts'
import { withDatabase } from './open-database.ts'
import type { Result } from './report.ts'

const files = 1_000
const rounds = 3
const batch = 256

/**
 * The first index of a repository, from its git tree to a searchable tenant, against the insert of the rows that come of it:
 * bound `unnest`, the same batches, everything computed beforehand. Once into tables with the same indexes, which is what
 * any index of a repository has to pay at least, and once into tables without any.
 */
export async function measureIngest(): Promise<Result[]> {
  return withDatabase(async ({ url, freshTenant }) => {
    await using repository = await generateRepository(files)
    const raw = new Client({ connectionString: url })
    await raw.connect()
    try {
      const first = await freshTenant()
      const { chunks } = await indexRepository(first, repository.dir)
      await raw.query(`set search_path to "${first.schema}", extensions; set maintenance_work_mem to '256MB'`)
      const tables: Table[] = []
      for (const name of ['knowledge_base', 'file', 'symbol', 'edge', 'term']) tables.push(await readTable(raw, name))
      const tenants: TenantDb[] = []
      for (let round = 0; round < 2 * rounds; round++) tenants.push(await freshTenant())
      const index = () => indexRepository(tenants.pop()!, repository.dir)
      const indexed = await interleave(rounds, index, () => insertTables(raw, tables, true))
      const bare = await interleave(rounds, index, () => insertTables(raw, tables, false))
      return [
        toResult(`first index of ${files} files, ${chunks} chunks; insert into tables with the same indexes`, indexed, chunks, true),
        toResult('the same; insert into tables without any index', bare, chunks, false),
        ...(await measureMemory(url)),
      ]
    } finally {
      await raw.end()
    }
  })
}

export async function indexRepository(tenant: TenantDb, dir: string, embedders: Embedders = lexicalEmbedders) {
  const repository = await addRepository(tenant, { name: 'generated', source: 'git', location: dir })
  return syncRepository(tenant, repository, dir, embedders)
}

/** Brings the index of a repository to its head, as a push does. */
export function syncRepository(tenant: TenantDb, repository: { id: string }, dir: string, embedders: Embedders) {
  return indexSource({ embedders, log: createLog({ level: 'silent', process: 'bench' }) }, tenant, repository, createGitSource(dir))
}

type Table = { name: string; columns: { name: string; type: string }[]; rows: Record<string, string>[] }

async function readTable(raw: Client, name: string): Promise<Table> {
  const { rows: columns } = await raw.query<Table['columns'][0]>(
    `select attname as name, format_type(atttypid, -1) as type from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
    [name],
  )
  const { rows } = await raw.query<Record<string, string>>(`select ${columns.map((column) => `"${column.name}"::text`).join(', ')} from ${name}`)
  return { name, columns, rows }
}

/** The HNSW index, where there is one, is built after the rows, as Nura does it. */
async function insertTables(raw: Client, tables: Table[], withIndexes: boolean): Promise<void> {
  for (const { name, columns, rows } of tables) {
    await raw.query(`drop table if exists bare; create table bare (like ${name} including defaults ${withIndexes ? 'including indexes' : ''})`)
    const { rows: hnsw } = await raw.query<{ name: string; sql: string }>(
      `select indexname as name, indexdef as sql from pg_indexes where schemaname = current_schema() and tablename = 'bare' and indexdef like '%USING hnsw%'`,
    )
    for (const index of hnsw) await raw.query(`drop index "${index.name}"`)
    const names = columns.map((column) => `"${column.name}"`).join(', ')
    const casts = columns.map((column) => `"${column.name}"::${column.type}`).join(', ')
    const insert = `insert into bare (${names}) select ${casts} from unnest(${columns.map((_, at) => `$${at + 1}::text[]`).join(', ')}) as given (${names})`
    for (let at = 0; at < rows.length; at += batch) {
      const some = rows.slice(at, at + batch)
      await raw.query(insert, columns.map((column) => some.map((row) => row[column.name])))
    }
    for (const index of hnsw) await raw.query(index.sql)
  }
}

/** A process of its own for each size: what it holds at its height, and what is left after a collection. */
async function measureMemory(url: string): Promise<Result[]> {
  const results: { size: number; peak: number; after: number; live: number }[] = []
  for (const size of [500, 1_000, 2_000]) {
    await using repository = await generateRepository(size, size)
    const script = join(import.meta.dirname, 'index-once', 'main.ts')
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script, repository.dir, url, `memory-${size}`])
    results.push({ size, ...(JSON.parse(stdout) as { peak: number; after: number; live: number }) })
  }
  const [small, , large] = results as [(typeof results)[0], (typeof results)[0], (typeof results)[0]]
  // What the collector has not yet given back to the system says more of the machine than of Nura; what is live says it.
  const growth = large.live / small.live
  return [
    {
      measure: 'live memory after indexing 500, 1000, 2000 files',
      nura: results.map(({ live }) => `${live} MB`).join(', '),
      baseline: `resident at its height ${results.map(({ peak }) => `${peak} MB`).join(', ')}`,
      bound: 'four times the files ≤ 1.25 × the memory',
      holds: growth <= 1.25,
      numbers: { growth, peakGrowth: large.peak / small.peak, residentAfter: results.map(({ after }) => after).join(', ') },
    },
  ]
}

function toResult(measure: string, pairs: Pair[], chunks: number, held: boolean): Result {
  const ratio = ratioOf(pairs)
  const rate = (ms: number[]) => `${Math.round((chunks / median(ms)) * 1000)} chunks/s`
  return {
    measure,
    nura: rate(pairs.map(({ nura }) => nura.wallMs)),
    baseline: rate(pairs.map(({ baseline }) => baseline.wallMs)),
    ratio,
    ...(held ? { bound: 'rate ≥ 0.5 × (time ≤ 2 ×)', holds: ratio.median <= 2 } : {}),
    numbers: { rounds: pairs.length, nuraCpuMs: median(pairs.map(({ nura }) => nura.cpuMs)), baselineCpuMs: median(pairs.map(({ baseline }) => baseline.cpuMs)) },
  }
}
