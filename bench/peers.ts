import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { toSql } from 'pgvector'
import type { TenantDb } from '#db/index.ts'
import { beginBulk, endBulk } from '#db/tenant/bulk.ts'
import { searchBm25, searchVector, toVectorQuery, unlimited } from '#db/tenant/search.ts'
import { writeFiles } from '#db/tenant/write-files.ts'
import { runLegs } from '#server/retrieval/legs.ts'
import { toQuery } from '#server/retrieval/query.ts'
import { lexicalEmbedder } from '#server/models/lexical.ts'
import { tokens } from '#server/tokens.ts'
import { cost, interleave, median, ratioOf } from './measure.ts'
import { withDatabase } from './open-database.ts'
import { compareSides, interleaveSides } from './peers/compare.ts'
import { installPeers } from './peers/install.ts'
import { openLangchain } from './peers/langchain.ts'
import { openLlamaindex } from './peers/llamaindex.ts'
import { openMastra } from './peers/mastra.ts'
import type { OpenPeer, Peer, Row, Statement } from './peers/peer.ts'
import { readRows, recallOf } from './peers/rows.ts'
import type { Question } from './peers/rows.ts'
import type { Result } from './report.ts'

const chunks = 10_000
const batch = 500
const limit = 10
const rounds = 100
const judged = 50
const { space } = lexicalEmbedder
const peersByName: Record<string, OpenPeer> = { 'LangChain.js': openLangchain, 'LlamaIndex.TS': openLlamaindex, Mastra: openMastra }
const filters: [label: string, group: string | null][] = [['all rows', null], ['a filter that keeps 10 %', 'ten'], ['a filter that keeps 1 %', 'one']]
const planner = { random_page_cost: '1.1', 'hnsw.ef_search': '40', 'hnsw.iterative_scan': 'relaxed_order' }

/** What one searches: Nura, a peer, or SQL by hand. */
type Store = Pick<Peer, 'name' | 'search' | 'lastStatement'>

/** Nura's search and write against those of other libraries, on one PostgreSQL, with the same rows and settings. */
export async function measurePeers(): Promise<Result[]> {
  return withDatabase(async ({ tenant, url }) => {
    const { rows, questions } = await readRows(chunks, rounds)
    const raw = new Client({ connectionString: toUrl(url, `${tenant.schema},extensions`) })
    await raw.connect()
    const { peers, absent } = await openPeers(toUrl(url, 'public,extensions'))
    try {
      const repositories = await addGroups(tenant)
      const ingest = await measureWrites(tenant, raw, peers, rows, repositories)
      await raw.query('analyze')
      const { rows: keys } = await raw.query<{ id: string; key: string }>('select id, chunk_key as key from knowledge_base')
      const keyOf = new Map(keys.map(({ id, key }) => [id, key]))
      const nura = toNura(tenant, repositories, keyOf)
      const stores = [nura, toRaw(raw, repositories, keyOf), ...peers]
      const results: Result[] = []
      for (const [label, group] of filters) results.push(...(await measureSearch(raw, stores, questions, rows, label, group)))
      return [...results, await measureHybrid(tenant, questions, [...repositories.values()]), ...ingest, ...absent]
    } finally {
      for (const peer of peers) await peer.close()
      await raw.end()
    }
  })
}

/** Planner settings travel with the connection: a library's own statements then run under them as everybody's do. */
function toUrl(url: string, searchPath: string): string {
  const options = Object.entries({ ...planner, search_path: searchPath }).map(([name, value]) => `-c ${name}=${value}`)
  return `${url}${url.includes('?') ? '&' : '?'}options=${encodeURIComponent(options.join(' '))}`
}

async function openPeers(url: string): Promise<{ peers: Peer[]; absent: Result[] }> {
  const peers: Peer[] = []
  const absent: Result[] = []
  const installed = installPeers()
  for (const [name, open] of Object.entries(peersByName)) {
    try {
      await installed
      peers.push(await open(url))
    } catch (error) {
      absent.push({ measure: `${name} cannot be compared`, nura: '', numbers: { why: String(error).slice(0, 400) } })
    }
  }
  return { peers, absent }
}

async function addGroups(tenant: TenantDb): Promise<Map<string, string>> {
  const groups = ['one', 'ten', 'rest']
  const ids = groups.map(() => randomUUID())
  await tenant.transaction((tx) =>
    tx.query(`insert into repository (id, name, source, location) select id, name, 'git', name from unnest($1::uuid[], $2::text[]) as given (id, name)`, [ids, groups]),
  )
  return new Map(groups.map((group, at) => [group, ids[at]!]))
}

function toNura(tenant: TenantDb, repositories: Map<string, string>, keyOf: Map<string, string>): Store {
  let last: Statement | null = null
  return {
    name: 'Nura',
    search: async (vector, most, group) => {
      const repositoryIds = group === null ? [...repositories.values()] : [repositories.get(group)!]
      const search = { space, vector, limit: most, repositoryIds }
      const { text, values } = toVectorQuery(search)
      const scope = group === null ? unlimited : { and: (at: number) => `and repository_id = any($${at}::uuid[])`, values: [repositoryIds] }
      last = { text: text(scope), values: [...values, ...scope.values] }
      return (await searchVector(tenant, search)).map(({ chunkId }) => keyOf.get(chunkId)!)
    },
    lastStatement: () => last,
  }
}

/** The query as one would write it by hand, prepared once. */
function toRaw(raw: Client, repositories: Map<string, string>, keyOf: Map<string, string>): Store {
  let last: Statement | null = null
  return {
    name: 'prepared SQL',
    search: async (vector, most, group) => {
      const text = `select id, 1 - (embedding <=> $1::vector) as score from knowledge_base where embedding_model = '${space}' and gone_at is null
        ${group === null ? '' : 'and repository_id = any($2::uuid[])'} order by embedding <=> $1::vector limit ${most}`
      last = { text, values: [toSql(vector), ...(group === null ? [] : [[repositories.get(group)!]])] }
      const { rows } = await raw.query<{ id: string }>({ name: group === null ? 'all' : 'some', ...last })
      return rows.map(({ id }) => keyOf.get(id)!)
    },
    lastStatement: () => last,
  }
}

async function measureSearch(raw: Client, stores: Store[], questions: Question[], rows: Row[], label: string, group: string | null): Promise<Result[]> {
  const sides = stores.map(({ name, search }) => ({ name, run: (round: number) => search(questions[round]!.vector, limit, group) }))
  // Once over everything first: what is measured is the way to the index, not who finds it in memory.
  for (const { run } of sides) for (let round = 0; round < rounds; round++) await run(round)
  const costs = await interleaveSides(rounds, sides)
  const results: Result[] = []
  for (const store of stores) {
    const recall = await measureRecall(store, questions, rows, group)
    const { ratio, interval, ms, baselineMs } = compareSides(costs, store.name, 'prepared SQL')
    const own = store.name === 'Nura'
    results.push({
      measure: `${store.name}: vector leg, ${label}`,
      nura: `${ms.toFixed(2)} ms, recall@10 ${recall.toFixed(3)}`,
      baseline: `${baselineMs.toFixed(2)} ms prepared SQL`,
      ratio,
      ...(own ? { bound: 'time ≤ 1.3 ×, recall ≥ .99', holds: ratio.median <= 1.3 && recall >= 0.99 } : {}),
      numbers: { recall, interval, plan: await explain(raw, store) },
    })
  }
  return results
}

async function measureRecall({ search }: Store, questions: Question[], rows: Row[], group: string | null): Promise<number> {
  let sum = 0
  for (const { vector } of questions.slice(0, judged)) sum += recallOf(rows, vector, group, await search(vector, limit, group), limit)
  return sum / judged
}

/** The scans of the last statement's plan, under the settings it ran with. What is prepared may be planned for its values or for any. */
async function explain(raw: Client, { name, lastStatement }: Store): Promise<string> {
  const statement = lastStatement()
  if (!statement) return 'not seen'
  const read = async (rows: Promise<{ rows: Record<string, string>[] }>) => {
    const lines = (await rows).rows.map((row) => row['QUERY PLAN']!)
    return lines.filter((line) => / Scan |-> +Sort /.test(line)).map((line) => line.replace(/\(cost.*/, '').replace('->', '').trim()).join('; ')
  }
  await raw.query('begin')
  try {
    if (name === 'Nura') await raw.query('set local enable_seqscan to off')
    await raw.query(`select set_config('search_path', current_setting('search_path') || ', public', true)`)
    const given = await read(raw.query(`explain ${statement.text}`, statement.values))
    if (name !== 'prepared SQL') return given
    await raw.query(`set local plan_cache_mode to force_generic_plan; prepare explained as ${statement.text}`)
    return `${given}; for any values: ${await read(raw.query(`explain execute explained(${statement.values.map(() => 'null').join(', ')})`))}`
  } catch (error) {
    return `not explained: ${String(error)}`
  } finally {
    await raw.query('rollback')
    // What is prepared outlives its transaction.
    if (name === 'prepared SQL') await raw.query('deallocate explained').catch(() => {})
  }
}

async function measureHybrid(tenant: TenantDb, questions: Question[], repositoryIds: string[]): Promise<Result> {
  const queries = questions.map(({ text }) => toQuery(text.replace(/\s+/g, ' ').slice(0, 160)))
  const whole = (round: number) => runLegs(tenant, () => lexicalEmbedder, queries[round]!, repositoryIds)
  const legs = async (round: number) => {
    const [vector] = await lexicalEmbedder.embed([queries[round]!.text], 'query')
    await searchVector(tenant, { space, vector: vector!, limit: 60, repositoryIds })
    await searchBm25(tenant, { tokens: queries[round]!.tokens, limit: 100, repositoryIds })
  }
  for (let round = 0; round < rounds; round++) await whole(round)
  const pairs = await interleave(rounds, whole, legs)
  const ratio = ratioOf(pairs)
  const toMs = (ms: number[]) => `${median(ms).toFixed(2)} ms`
  return {
    measure: 'Nura: hybrid, all five legs, against vector and BM25 one after the other',
    nura: toMs(pairs.map(({ nura }) => nura.wallMs)),
    baseline: toMs(pairs.map(({ baseline }) => baseline.wallMs)),
    ratio,
    bound: '≤ 1.2 ×',
    holds: ratio.median <= 1.2,
  }
}

type Writer = { name: string; index: string; write(rows: Row[], at: number): Promise<unknown>; endWrite(): Promise<unknown> }

/** Batches in turn; then each side's index, where it is built after the rows. Rates are of both together. */
async function measureWrites(tenant: TenantDb, raw: Client, peers: Peer[], rows: Row[], repositories: Map<string, string>): Promise<Result[]> {
  await raw.query('create table public.by_hand (id uuid primary key, content text, metadata jsonb, embedding vector(1024))')
  await beginBulk(tenant, space)
  const writers: Writer[] = [
    { name: 'unnest', index: 'built after the rows', write: (some) => writeUnnest(raw, some), endWrite: () => raw.query('create index on public.by_hand using hnsw (embedding vector_cosine_ops) with (m = 16, ef_construction = 64)') },
    { name: 'Nura', index: 'built after the rows, lexical columns and indexes included', write: (some, at) => writeNura(tenant, some, at, repositories), endWrite: () => endBulk(tenant, space) },
    ...peers,
  ]
  const costs = await interleaveSides(chunks / batch, writers.map(({ name, write }) => ({ name, run: (round) => write(rows.slice(round * batch, (round + 1) * batch), round) })))
  const seconds = new Map<string, number>()
  const loads = new Map<string, number>()
  for (const { name, endWrite } of writers) {
    const load = costs.get(name)!.reduce((sum, { wallMs }) => sum + wallMs, 0)
    loads.set(name, load)
    seconds.set(name, (load + (await cost(endWrite)).wallMs) / 1000)
  }
  return writers.slice(1).map(({ name, index }) => {
    const rate = (side: string) => chunks / seconds.get(side)!
    const own = name === 'Nura'
    return {
      measure: `${name}: write, index ${index}`,
      nura: `${Math.round(rate(name))} rows/s`,
      baseline: `${Math.round(rate('unnest'))} rows/s unnest`,
      ...(own ? { bound: 'rate ≥ 0.8 × unnest, ahead of each peer', holds: rate(name) >= 0.8 * rate('unnest') && peers.every((peer) => rate(name) > rate(peer.name)) } : {}),
      numbers: { rateToUnnest: rate(name) / rate('unnest'), rowsOnlyToUnnest: loads.get('unnest')! / loads.get(name)!, ...toNumbers(compareSides(costs, name, 'unnest')) },
    }
  })
}

const toNumbers = ({ ratio, interval }: ReturnType<typeof compareSides>) => ({ batchTime: ratio.median, batchTimeLow: ratio.low, batchTimeHigh: ratio.high, batchTimeInterval: interval })

function writeUnnest(raw: Client, rows: Row[]): Promise<unknown> {
  return raw.query('insert into public.by_hand select id, content, metadata::jsonb, embedding::vector from unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) as given (id, content, metadata, embedding)', [
    rows.map(({ id }) => id),
    rows.map(({ text }) => text),
    rows.map(({ group }) => JSON.stringify({ group })),
    rows.map(({ vector }) => toSql(vector)),
  ])
}

/** A batch of each group is one file of its repository. */
async function writeNura(tenant: TenantDb, rows: Row[], at: number, repositories: Map<string, string>): Promise<void> {
  for (const [group, repositoryId] of repositories) {
    const some = rows.filter((row) => row.group === group)
    const file = {
      path: `src/${group}-${at}.ts`, stem: `src/${group}-${at}`, blobSha: randomUUID().replaceAll('-', '').padEnd(40, '0'), size: 4000, language: 'typescript', contentType: 'code' as const,
      skipReason: null, tokens: [group], symbols: [], edges: [],
      chunks: some.map(({ id, text, vector }, ordinal) => ({
        key: id, content: text, ordinal, startLine: ordinal * 30 + 1, endLine: ordinal * 30 + 30, scope: [], tokens: tokens(text), embedding: vector, metadata: { group },
      })),
    }
    await writeFiles(tenant, { repositoryId, sha: '0'.repeat(40), space, chunkerVersion: 1 }, [file])
  }
}
