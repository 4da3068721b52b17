import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { toSql } from 'pgvector'
import type { TenantDb } from '#db/index.ts'
import { beginBulk, endBulk } from '#db/tenant/bulk.ts'
import { searchBm25, searchVector, toVectorQuery } from '#db/tenant/search.ts'
import { countTerms, scoreTerms } from '#db/tenant/terms.ts'
import type { TermCounts } from '#db/tenant/terms.ts'
import { buildSettings, toDistance, toVectorIndex } from '#db/tenant/vector-index.ts'
import { writeFiles } from '#db/tenant/write-files.ts'
import type { FileWrite } from '#db/tenant/write-files.ts'
import { runLegs } from '#server/retrieval/legs.ts'
import { toQuery } from '#server/retrieval/query.ts'
import { lexicalEmbedder } from '#server/models/lexical.ts'
import { tokens } from '#server/tokens.ts'
import { cost, interleave, median, ratioOf } from './measure.ts'
import { withDatabase } from './open-database.ts'
import { compareSides, interleaveSides, questionOf } from './peers/compare.ts'
import { installPeers } from './peers/install.ts'
import { openLangchain } from './peers/langchain.ts'
import { openLlamaindex } from './peers/llamaindex.ts'
import { openMastra } from './peers/mastra.ts'
import { toSet } from './peers/peer.ts'
import type { OpenPeer, Peer, Row, Statement } from './peers/peer.ts'
import { createJudge, readRows } from './peers/rows.ts'
import type { Question } from './peers/rows.ts'
import type { Result } from './report.ts'

const chunks = 10_000
const batch = 500
const limit = 10
const chunksOfFile = 20
const rounds = 200
const leastRecall = 0.99
const { space } = lexicalEmbedder
const peersByName: Record<string, OpenPeer> = { 'LangChain.js': openLangchain, 'LlamaIndex.TS': openLlamaindex, Mastra: openMastra }
const filters: [label: string, group: string | null][] = [['all rows', null], ['a filter that keeps 10 %', 'ten'], ['a filter that keeps 1 %', 'one']]
/** As they are where a search sets nothing else. */
const defaults = { enable_sort: 'on', enable_seqscan: 'on' }
const shared = { random_page_cost: '1.1', 'hnsw.iterative_scan': 'relaxed_order' }

/** What one searches: Nura, a peer, or SQL by hand. */
type Store = Pick<Peer, 'name' | 'search' | 'set' | 'lastStatement'>

/** Nura's search and write against those of other libraries, on one PostgreSQL, with the same rows and settings. */
export async function measurePeers(): Promise<Result[]> {
  return withDatabase(async ({ tenant, url }) => {
    const { rows, questions } = await readRows(chunks, rounds)
    // Where Nura builds with one process, as parallel builds of that pgvector overflow a buffer, so does everybody.
    const building = (await tenant.transaction((tx) => buildSettings(tx, 'postgres'))).filter((setting) => setting.startsWith('max_parallel'))
    const options = { ...shared, ...Object.fromEntries(building.map((setting) => setting.split(' to '))) }
    const raw = new Client({ connectionString: toUrl(url, { ...options, search_path: `${tenant.schema},extensions` }) })
    await raw.connect()
    const { peers, absent } = await openPeers(toUrl(url, { ...options, search_path: 'public,extensions' }))
    try {
      const repositories = await addGroups(tenant)
      const ingest = await measureWrites(tenant, raw, peers, rows, repositories)
      await raw.query('analyze')
      const { rows: keys } = await raw.query<{ id: string; key: string }>('select id, chunk_key as key from knowledge_base')
      const keyOf = new Map(keys.map(({ id, key }) => [id, key]))
      const nura = toNura(tenant, repositories, keyOf)
      await raw.query(`create index whole_by_hand ${toVectorIndex('embedded', space, { vector: 'embedding', model: 'embedding_model' })}`)
      const byHand = Object.keys(distances).map((plan) => toRaw(raw, repositories, keyOf, plan as Plan))
      const judge = createJudge(rows, questions)
      const results: Result[] = []
      for (const [label, group] of filters) results.push(...(await measureSearch(raw, { tenant, nura, byHand: group === null ? byHand.slice(0, 2) : byHand, peers }, questions, judge, label, group)))
      return [...results, await measureHybrid(tenant, questions, [...repositories.values()]), ...ingest, ...absent]
    } finally {
      for (const peer of peers) await peer.close()
      await raw.end()
    }
  })
}

/** Settings travel with the connection: a library's own statements then run under them as everybody's do. */
function toUrl(url: string, given: Record<string, string>): string {
  const options = Object.entries(given).map(([name, value]) => `-c ${name}=${value}`)
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
      const search = { space, vector, limit: most, repositoryIds: group === null ? [...repositories.values()] : [repositories.get(group)!] }
      last = toVectorQuery(tenant, search, group === null ? 'all' : 'filtered')
      return (await searchVector(tenant, search)).map(({ chunkId }) => keyOf.get(chunkId)!)
    },
    // They are its own.
    set: async () => {},
    lastStatement: () => last,
  }
}

/**
 * Ways to ask by hand, prepared once: by an index of whole vectors, by Nura's own of their halves, or so that it cannot but look at all
 * rows that a filter keeps, which is quicker where they are few and which the planner does not always see.
 */
const distances = {
  'whole vectors': toDistance('embedded'),
  'halves of vectors': toDistance('postgres'),
  'nearest of the allowed': '(embedding <=> $1::vector) + 0',
}
type Plan = keyof typeof distances

function toRaw(raw: Client, repositories: Map<string, string>, keyOf: Map<string, string>, plan: Plan): Store {
  let last: Statement | null = null
  return {
    name: `prepared SQL, ${plan}`,
    search: async (vector, most, group) => {
      const text = `select id, 1 - (${distances[plan]}) as score from knowledge_base where embedding_model = '${space}' and gone_at is null
        ${group === null ? '' : 'and repository_id = any($2::uuid[])'} order by ${distances[plan]} limit ${most}`
      last = { text, values: [toSql(vector), ...(group === null ? [] : [[repositories.get(group)!]])] }
      const { rows } = await raw.query<{ id: string }>({ name: `${plan} ${group === null ? 'all' : 'some'}`, ...last })
      return rows.map(({ id }) => keyOf.get(id)!)
    },
    set: async (settings) => void (await raw.query(toSet(settings))),
    lastStatement: () => last,
  }
}

type Sides = { tenant: TenantDb; nura: Store; byHand: Store[]; peers: Store[] }

async function measureSearch(raw: Client, { tenant, nura, byHand, peers }: Sides, questions: Question[], judge: ReturnType<typeof createJudge>, label: string, group: string | null): Promise<Result[]> {
  const stores = [nura, ...byHand, ...peers]
  const { settings } = toVectorQuery(tenant, { space, vector: questions[0]!.vector, limit, repositoryIds: [] }, group === null ? 'all' : 'filtered')
  // What Nura sets for its searches, all run under.
  for (const { set } of stores) await set({ ...defaults, ...settings })
  const recalls = new Map<string, number>()
  // Once over everything first: what is measured is the way to the index, not who finds it in memory.
  for (const { name, search } of stores) {
    let sum = 0
    for (let at = 0; at < rounds; at++) sum += judge(at, group, await search(questions[at]!.vector, limit, group))
    recalls.set(name, sum / rounds)
  }
  const sides = stores.map(({ name, search }, side) => ({ name, run: (round: number) => search(questions[questionOf(round, side, stores.length, rounds)]!.vector, limit, group) }))
  const costs = await interleaveSides(rounds, sides)
  const timeOf = ({ name }: Store) => median(costs.get(name)!.map(({ wallMs }) => wallMs))
  // The quickest way by hand that finds what it should.
  const good = byHand.filter(({ name }) => recalls.get(name)! >= leastRecall)
  const [best] = (good.length > 0 ? good : byHand).toSorted((left, right) => timeOf(left) - timeOf(right))
  const results: Result[] = []
  for (const store of stores) {
    const recall = recalls.get(store.name)!
    const { ratio, interval, ms, baselineMs } = compareSides(costs, store.name, best!.name)
    results.push({
      measure: `${store.name}: vector leg, ${label}`,
      nura: `${ms.toFixed(2)} ms, recall@10 ${recall.toFixed(3)}`,
      baseline: `${baselineMs.toFixed(2)} ms ${best!.name}`,
      ratio,
      ...(store === nura ? { bound: `time ≤ 1.3 ×, recall ≥ ${leastRecall}`, holds: ratio.median <= 1.3 && recall >= leastRecall } : {}),
      numbers: { recall, interval, cpuMs: median(costs.get(store.name)!.map(({ cpuMs }) => cpuMs)), efSearch: settings['hnsw.ef_search']!, plan: await explain(raw, store) },
    })
  }
  return results
}

/** The scans of the last statement's plan, under the settings it ran with. What is prepared may be planned for its values or for any. */
async function explain(raw: Client, { name, lastStatement }: Store): Promise<string> {
  const statement = lastStatement()
  if (!statement) return 'not seen'
  const isPrepared = name.startsWith('prepared SQL')
  const read = async (rows: Promise<{ rows: Record<string, string>[] }>) => {
    const lines = (await rows).rows.map((row) => row['QUERY PLAN']!)
    return lines.filter((line) => / Scan |-> +Sort /.test(line)).map((line) => line.replace(/\(cost.*/, '').replace('->', '').trim()).join('; ')
  }
  await raw.query('begin')
  try {
    await raw.query(`select set_config('search_path', current_setting('search_path') || ', public', true)`)
    const given = await read(raw.query(`explain ${statement.text}`, statement.values))
    if (!isPrepared) return given
    await raw.query(`set local plan_cache_mode to force_generic_plan; prepare explained as ${statement.text}`)
    return `${given}; for any values: ${await read(raw.query(`explain execute explained(${statement.values.map(() => 'null').join(', ')})`))}`
  } catch (error) {
    return `not explained: ${String(error)}`
  } finally {
    await raw.query('rollback')
    // What is prepared outlives its transaction.
    if (isPrepared) await raw.query('deallocate explained').catch(() => {})
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
  const plain = await createByHand(raw, 'by_hand', 'id uuid primary key, content text, metadata jsonb, embedding vector(1024)')
  const same = await createByHand(raw, 'same_by_hand', 'like knowledge_base including all, foreign key (repository_id) references repository')
  await raw.query('create table public.term_by_hand (like term including all)')
  await beginBulk(tenant, space)
  const index = 'built after the rows'
  const writers: Writer[] = [
    { name: 'unnest of text and vector', index, write: (some) => writeUnnest(raw, some), endWrite: plain },
    { name: 'unnest of the same columns', index, write: (some) => writeUnnestOfAll(raw, some, repositories), endWrite: same },
    { name: 'Nura', index, write: (some, at) => writeNura(tenant, some, at, repositories), endWrite: () => endBulk(tenant, space) },
    ...peers,
  ]
  const costs = await interleaveSides(chunks / batch, writers.map(({ name, write }) => ({ name, run: (round) => write(rows.slice(round * batch, (round + 1) * batch), round) })))
  const loads = new Map<string, number>()
  const seconds = new Map<string, number>()
  for (const { name, endWrite } of writers) {
    const load = costs.get(name)!.reduce((sum, { wallMs }) => sum + wallMs, 0)
    loads.set(name, load)
    seconds.set(name, (load + (await cost(endWrite)).wallMs) / 1000)
  }
  const rate = (side: string) => chunks / seconds.get(side)!
  return writers.slice(1).map(({ name, index }) => {
    const own = name === 'Nura'
    const baseline = own ? 'unnest of the same columns' : 'unnest of text and vector'
    return {
      measure: `${name}: write, index ${index}`,
      nura: `${Math.round(rate(name))} rows/s`,
      baseline: `${Math.round(rate(baseline))} rows/s ${baseline}`,
      ...(own ? { bound: 'rate ≥ 0.8 × the same columns, ahead of each peer', holds: rate(name) >= 0.8 * rate(baseline) && peers.every((peer) => rate(name) > rate(peer.name)) } : {}),
      numbers: {
        rateToBaseline: rate(name) / rate(baseline),
        rateToTextAndVector: rate(name) / rate('unnest of text and vector'),
        rowsAlonePerSecond: (chunks * 1000) / loads.get(name)!,
        ...toNumbers(compareSides(costs, name, baseline)),
      },
    }
  })
}

const toNumbers = ({ ratio, interval }: ReturnType<typeof compareSides>) => ({ batchTime: ratio.median, batchTimeLow: ratio.low, batchTimeHigh: ratio.high, batchTimeInterval: interval })

/** Makes a table, without the search indexes that Nura goes without while it loads. @returns what builds those that its columns have */
async function createByHand(raw: Client, name: string, columns: string): Promise<() => Promise<unknown>> {
  await raw.query(`create table public.${name} (${columns})`)
  const { rows } = await raw.query<{ index: string }>(`select indexname as index from pg_indexes where schemaname = 'public' and tablename = $1 and indexdef ~* 'using (gin|hnsw)'`, [name])
  for (const { index } of rows) await raw.query(`drop index public.${index}`)
  const gin = rows.length > 0 ? `create index on public.${name} using gin (lex) with (fastupdate = off) where gone_at is null;` : ''
  return () => raw.query(`${gin} create index on public.${name} using hnsw (embedding vector_cosine_ops) with (m = 16, ef_construction = 64); analyze public.${name}`)
}

function writeUnnest(raw: Client, rows: Row[]): Promise<unknown> {
  return raw.query('insert into public.by_hand select id, content, metadata::jsonb, embedding::vector from unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) as given (id, content, metadata, embedding)', [
    rows.map(({ id }) => id),
    rows.map(({ text }) => text),
    rows.map(({ group }) => JSON.stringify({ group })),
    rows.map(({ vector }) => toSql(vector)),
  ])
}

/** What of Nura's rows a search goes by, as one would write it by hand: the lexical columns and the counts of terms too. */
async function writeUnnestOfAll(raw: Client, rows: Row[], repositories: Map<string, string>): Promise<void> {
  const terms = rows.map(({ text }) => countTerms(tokens(text)))
  const held = new Map<number, number>()
  for (const { frequencies } of terms) for (const hash of frequencies.keys()) held.set(hash, (held.get(hash) ?? 0) + 1)
  await raw.query('begin')
  await raw.query(
    `insert into public.same_by_hand (id, content, content_type, source_path, repository_id, embedding, metadata, embedding_model, file_id, chunk_key, ordinal, start_line, end_line, token_length, mean_length, lex, sparse)
     select id, content, 'code', path, repository_id, embedding::vector, metadata::jsonb, '${space}', id, id, ordinal, 1, 30, token_length, ${meanLength}, lex::tsvector, sparse::sparsevec
     from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::int[], $8::int[], $9::text[], $10::text[])
       as given (id, content, path, repository_id, embedding, metadata, ordinal, token_length, lex, sparse)`,
    [
      rows.map(({ id }) => id),
      rows.map(({ text }) => text),
      rows.map(({ group }) => `src/${group}.ts`),
      rows.map(({ group }) => repositories.get(group)!),
      rows.map(({ vector }) => toSql(vector)),
      rows.map(({ group }) => JSON.stringify({ group })),
      rows.map((_, ordinal) => ordinal),
      terms.map(({ length }) => length),
      terms.map(({ frequencies }) => [...frequencies.keys()].join(' ')),
      terms.map(toSparseText),
    ],
  )
  await raw.query(
    'insert into public.term_by_hand (hash, chunks, files) select hash, chunks, 0 from unnest($1::int[], $2::int[]) as given (hash, chunks) on conflict (hash) do update set chunks = term_by_hand.chunks + excluded.chunks',
    [[...held.keys()], [...held.values()]],
  )
  await raw.query('commit')
}

const meanLength = 230
function toSparseText(counts: TermCounts): string {
  const weights = counts.frequencies.keys().map((hash) => `${hash}:${scoreTerms(counts, new Map([[hash, 1]]), meanLength)}`)
  return `{${[...weights].join(',')}}/1000000000`
}

/** Rows of one group follow each other, so that a batch is of one repository, or of two. */
async function writeNura(tenant: TenantDb, rows: Row[], at: number, repositories: Map<string, string>): Promise<void> {
  for (const [group, some] of Map.groupBy(rows, (row) => row.group)) {
    const files = Array.from({ length: Math.ceil(some.length / chunksOfFile) }, (_, file) => toFile(`src/${group}-${at}-${file}`, some.slice(file * chunksOfFile, (file + 1) * chunksOfFile)))
    await writeFiles(tenant, { repositoryId: repositories.get(group)!, sha: '0'.repeat(40), space, chunkerVersion: 1 }, files)
  }
}

const toFile = (stem: string, rows: Row[]): FileWrite => ({
  path: `${stem}.ts`, stem, blobSha: randomUUID().replaceAll('-', '').padEnd(40, '0'), size: 4000, language: 'typescript', contentType: 'code', skipReason: null, tokens: tokens(stem), symbols: [], edges: [],
  chunks: rows.map(({ id, text, vector, group }, ordinal) => ({
    key: id, content: text, ordinal, startLine: ordinal * 30 + 1, endLine: ordinal * 30 + 30, scope: [], tokens: tokens(text), embedding: vector, metadata: { group },
  })),
})
