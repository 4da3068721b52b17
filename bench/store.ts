import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { toSql } from 'pgvector'
import type { TenantDb } from '#db/index.ts'
import { beginBulk, endBulk } from '#db/tenant/bulk.ts'
import { searchVector, toVectorQuery } from '#db/tenant/search.ts'
import { toDistance } from '#db/tenant/vector-index.ts'
import { writeFiles } from '#db/tenant/write-files.ts'
import type { FileWrite } from '#db/tenant/write-files.ts'
import { createRandom } from '#infra/testing/create-random.ts'
import { interleave, median, quantile, ratioOf } from './measure.ts'
import type { Cost, Pair } from './measure.ts'
import { withDatabase } from './open-database.ts'
import { toSet } from './peers/peer.ts'
import { clusteredVector } from './clustered-vector.ts'
import type { Result } from './report.ts'

const space = 'bench:clustered'
const chunks = 10_000
const chunksOfFile = 20
const questions = 300
const batch = 10
const limit = 10

/** The vector leg of a search against the same query written by hand: prepared, on a connection of its own, no roles. */
export async function measureStore(): Promise<Result[]> {
  return withDatabase(async ({ tenant, url }) => {
    const [open, other] = [randomUUID(), randomUUID()]
    await tenant.transaction((tx) =>
      tx.query(`insert into repository (id, name, source, location) select id, name, 'git', name from unnest($1::uuid[], $2::text[]) as given (id, name)`, [
        [open, other],
        ['open', 'other'],
      ]),
    )
    const random = createRandom(7)
    await beginBulk(tenant, space)
    for (const repositoryId of [open, other]) await fill(tenant, repositoryId, random)
    await endBulk(tenant, space)

    const raw = new Client({ connectionString: url })
    await raw.connect()
    try {
      await raw.query(
        `set search_path to "${tenant.schema}", extensions; set random_page_cost to 1.1`,
      )
      const vectors = Array.from({ length: questions }, () => clusteredVector(random))
      const compare = async (repositoryIds: string[]): Promise<Pair[]> => {
        const nura = (vector: number[]) => searchVector(tenant, { space, vector, limit, repositoryIds })
        const baseline = toRaw(raw, repositoryIds.length === 2 ? null : repositoryIds)
        const { settings } = toVectorQuery(tenant, { space, vector: vectors[0]!, limit, repositoryIds }, repositoryIds.length === 2 ? 'all' : 'filtered')
        await raw.query(toSet(settings))
        // Once over everything first: what is measured is the way to the index, not who finds it in memory.
        for (const vector of vectors) await baseline(vector)
        for (const vector of vectors.slice(0, batch)) await nura(vector)
        return interleaveBatches(vectors, nura, baseline)
      }
      const all = await compare([open, other])
      const some = await compare([open])
      const expected = 2 * (3 * questions + batch)
      const scans = await indexScans(raw, tenant, expected)
      if (scans < expected) throw new Error(`The HNSW index was scanned ${scans} times in ${expected} searches: the plan is not the one this measures.`)
      const control = await interleaveBatches(vectors, toRaw(raw, null), toRaw(raw, null))
      return [
        toResult(`vector leg, ${chunks} chunks, all repositories`, all, scans),
        toResult(`vector leg, ${chunks} chunks, one of two repositories`, some, scans),
        { measure: 'noise: the raw query against itself', nura: milliseconds(control.map(({ nura }) => nura.wallMs)), ratio: ratioOf(control) },
      ]
    } finally {
      await raw.end()
    }
  })
}

async function fill(tenant: TenantDb, repositoryId: string, random: () => number): Promise<void> {
  const files = Array.from({ length: chunks / 2 / chunksOfFile }, (_, file): FileWrite => {
    const words = Array.from({ length: 30 }, () => `word${Math.floor(random() * 5000)}`)
    return {
      path: `src/file-${file}.ts`,
      stem: `src/file-${file}`,
      blobSha: randomUUID().replaceAll('-', '').padEnd(40, '0'),
      size: 4000,
      language: 'typescript',
      contentType: 'code',
      skipReason: null,
      tokens: words,
      symbols: [],
      edges: [],
      chunks: Array.from({ length: chunksOfFile }, (_, ordinal) => ({
        key: randomUUID(),
        content: words.join(' ').repeat(5),
        ordinal,
        startLine: ordinal * 50 + 1,
        endLine: ordinal * 50 + 50,
        scope: [],
        tokens: words,
        embedding: clusteredVector(random),
      })),
    }
  })
  for (let at = 0; at < files.length; at += 25) {
    await writeFiles(tenant, { repositoryId, sha: '0'.repeat(40), space, chunkerVersion: 1 }, files.slice(at, at + 25))
  }
}

/** Scans of this tenant's HNSW index by the server's own count, once there are `expected`, or after 12 s without. */
async function indexScans(raw: Client, tenant: TenantDb, expected: number): Promise<number> {
  for (let tries = 0; ; tries++) {
    const { rows } = await raw.query<{ scans: number }>(
      `select coalesce(sum(s.idx_scan), 0)::int as scans from pg_stat_user_indexes s join pg_class c on c.oid = s.indexrelid
       join pg_am a on a.oid = c.relam where s.schemaname = $1 and a.amname = 'hnsw'`,
      [tenant.schema],
    )
    // An idle backend reports what it counted after 10 s.
    if (rows[0]!.scans >= expected || tries === 24) return rows[0]!.scans
    await sleep(500)
  }
}

/** The query as one would write it by hand, with pgvector's own client, prepared once. */
function toRaw(raw: Client, repositoryIds: string[] | null): Search {
  const distance = toDistance('postgres')
  const query = {
    name: repositoryIds ? 'some' : 'all',
    text: `select id, 1 - (${distance}) as score from knowledge_base where embedding_model = '${space}' and gone_at is null
      ${repositoryIds ? 'and repository_id = any($2::uuid[])' : ''} order by ${distance} limit ${limit}`,
  }
  return (vector) => raw.query({ ...query, values: [toSql(vector), ...(repositoryIds ? [repositoryIds] : [])] })
}

type Search = (vector: number[]) => Promise<unknown>

/** Pairs of batches, each side going through the same vectors; costs are those of one search. */
async function interleaveBatches(vectors: number[][], nura: Search, baseline: Search): Promise<Pair[]> {
  const inTurn = (search: Search) => async (round: number) => {
    for (const vector of vectors.slice(round * batch, (round + 1) * batch)) await search(vector)
  }
  const pairs = await interleave(vectors.length / batch, inTurn(nura), inTurn(baseline))
  const one = ({ wallMs, cpuMs }: Cost): Cost => ({ wallMs: wallMs / batch, cpuMs: cpuMs / batch })
  return pairs.map((pair) => ({ nura: one(pair.nura), baseline: one(pair.baseline) }))
}

const milliseconds = (values: number[]) => `${median(values).toFixed(2)} ms p50, ${quantile(values, 0.95).toFixed(2)} ms p95`

function toResult(measure: string, pairs: Pair[], scans: number): Result {
  const ratio = ratioOf(pairs)
  return {
    measure,
    nura: milliseconds(pairs.map(({ nura }) => nura.wallMs)),
    baseline: milliseconds(pairs.map(({ baseline }) => baseline.wallMs)),
    ratio,
    bound: '≤ 1.5 ×',
    holds: ratio.median <= 1.5,
    numbers: {
      pairs: pairs.length,
      hnswScans: scans,
      nuraCpuMs: median(pairs.map(({ nura }) => nura.cpuMs)),
      baselineCpuMs: median(pairs.map(({ baseline }) => baseline.cpuMs)),
    },
  }
}
