import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Db, TenantDb } from '../index.ts'
import { storeOf } from '../store.ts'
import { runTransaction, type Transaction } from '../transaction.ts'
import { readTestServer } from '../testing/config.ts'
import { createTestRepository, testSpace } from '../testing/create-repository.ts'
import { makeChunk, makeFile, makeVector, toWords } from '../testing/make-file.ts'
import { createTestTenant, openTestDb } from '../testing/open-test-db.ts'
import { beginBulk, endBulk } from './bulk.ts'
import { filesByStems, searchPaths, searchSymbols } from './lookup.ts'
import { edgesTo } from './graph.ts'
import { searchBm25, searchFiles, searchVector, toVectorQuery } from './search.ts'
import { removeFiles, writeFiles, type WriteContext } from './write-files.ts'

let db: Db
let tenant: TenantDb
let near: WriteContext
let far: WriteContext
const texts = ['alpha beta beta gamma', 'beta delta', 'alpha alpha alpha', 'gamma delta epsilon zeta eta theta', 'beta', 'common word', 'common thing', 'alpha beta common']

beforeAll(async () => {
  db = await openTestDb()
  tenant = await createTestTenant(db)
  near = await createTestRepository(tenant)
  far = await createTestRepository(tenant)
  await writeFiles(tenant, near, [makeFile('src/near.ts', texts, { symbols: [symbol('Verify', 'Hooks'), symbol('verify', null)] })])
  await writeFiles(tenant, far, [
    makeFile('lib/far.ts', ['secret alpha'], { symbols: [symbol('verify', null)], edges: [edge('call', 'verify'), edge('import', 'src/near'), edge('call', 'src/near')] }),
  ])
})
afterAll(() => db.close())

const symbol = (name: string, container: string | null) => ({ name, container, kind: 'function', signature: `${name}()`, doc: null, startLine: 1, endLine: 1 })
const edge = (kind: 'call' | 'import', target: string) => ({ kind, fromSymbol: null, target, line: 1 })
const contents = (ids: string[]) =>
  tenant.transaction(async (tx) => {
    const rows = await tx.query<{ id: string; content: string }>('select id, content from knowledge_base where id = any($1::uuid[])', [ids])
    return ids.map((id) => rows.find((row) => row.id === id)!.content)
  })

/** BM25 by its definition, over documents of words. */
function bm25(documents: string[][], question: string[]): number[] {
  const mean = documents.reduce((sum, words) => sum + words.length, 0) / documents.length
  return documents.map((words) =>
    [...new Set(question)].reduce((score, term) => {
      const df = documents.filter((other) => other.includes(term)).length
      const tf = words.filter((word) => word === term).length
      return score + (Math.log(1 + (documents.length - df + 0.5) / (df + 0.5)) * tf * 2.2) / (tf + 1.2 * (0.25 + (0.75 * words.length) / mean))
    }, 0),
  )
}

describe('BM25', () => {
  test('scores and order are those of the formula', async () => {
    const own = await createTestTenant(db)
    const context = await createTestRepository(own)
    await writeFiles(own, context, [makeFile('a.ts', texts)])
    const question = ['alpha', 'gamma', 'common', 'nowhere']
    const hits = await searchBm25(own, { tokens: [...question, 'alpha'], limit: 10, repositoryIds: [context.repositoryId] })
    const expected = bm25(texts.map(toWords), question).filter((score) => score > 0).sort((left, right) => right - left)
    expect(hits.map(({ score }) => score)).toEqual(expected.map((score) => expect.closeTo(score, 4)))
  })

  test('finds nothing for unknown words, no words, or no repositories', async () => {
    const all = [near.repositoryId, far.repositoryId]
    expect(await searchBm25(tenant, { tokens: ['unheard'], limit: 5, repositoryIds: all })).toEqual([])
    expect(await searchBm25(tenant, { tokens: [], limit: 5, repositoryIds: all })).toEqual([])
    expect(await searchBm25(tenant, { tokens: ['alpha'], limit: 5, repositoryIds: [] })).toEqual([])
    expect(await searchFiles(tenant, { tokens: ['alpha'], limit: 5, repositoryIds: [] })).toEqual([])
  })

  test('whole files are found by their text and by their path', async () => {
    const all = [near.repositoryId, far.repositoryId]
    expect((await searchFiles(tenant, { tokens: ['epsilon'], limit: 5, repositoryIds: all })).map(({ path }) => path)).toEqual(['src/near.ts'])
    expect((await searchFiles(tenant, { tokens: ['lib'], limit: 5, repositoryIds: all })).map(({ path }) => path)).toEqual(['lib/far.ts'])
  })
})

test('no leg finds anything outside the given repositories', async () => {
  const repositoryIds = [near.repositoryId]
  const hits = await searchBm25(tenant, { tokens: ['secret', 'alpha'], limit: 20, repositoryIds })
  expect(hits.length).toBeGreaterThan(0)
  expect(await contents(hits.map(({ chunkId }) => chunkId))).not.toContain('secret alpha')
  const vectors = await searchVector(tenant, { space: testSpace, vector: makeVector('secret alpha'), limit: 20, repositoryIds })
  expect(vectors).toHaveLength(texts.length)
  expect(await contents(vectors.map(({ chunkId }) => chunkId))).not.toContain('secret alpha')
  expect((await searchFiles(tenant, { tokens: ['secret', 'alpha'], limit: 9, repositoryIds })).map(({ path }) => path)).toEqual(['src/near.ts'])
  expect((await searchSymbols(tenant, { names: ['verify'], limit: 9, repositoryIds })).map(({ path }) => path)).toEqual(['src/near.ts', 'src/near.ts'])
  expect(await searchPaths(tenant, { fragments: ['far', '.ts'], limit: 9, repositoryIds })).toMatchObject([{ path: 'src/near.ts' }])
  expect(await edgesTo(tenant, { names: ['verify'], stems: ['src/near'], repositoryIds, limit: 9 })).toEqual([])
  expect(await filesByStems(tenant, { stems: ['lib/far'], repositoryIds })).toEqual([])
})

test('an edge to a name is a call or reference, an edge to a stem an import or test', async () => {
  const repositoryIds = [near.repositoryId, far.repositoryId]
  const kinds = async (to: { names: string[]; stems: string[] }) => (await edgesTo(tenant, { ...to, repositoryIds, limit: 9 })).map(({ kind, target }) => `${kind} ${target}`)
  expect(await kinds({ names: ['verify'], stems: ['src/near'] })).toEqual(['call verify', 'import src/near'])
  expect(await kinds({ names: ['src/near'], stems: [] })).toEqual(['call src/near'])
})

test('paths that hold more of the fragments come first, whatever their case; a percent sign is only itself', async () => {
  const repositoryIds = [near.repositoryId, far.repositoryId]
  expect((await searchPaths(tenant, { fragments: ['LIB/', 'r.ts'], limit: 9, repositoryIds })).map(({ path }) => path)).toEqual(['lib/far.ts', 'src/near.ts'])
  expect(await searchPaths(tenant, { fragments: ['%', ''], limit: 9, repositoryIds })).toEqual([])
})

describe('vectors', () => {
  // A server's planner meets the size at which tables used to lose their index; the embedded store is slower to fill.
  const rows = readTestServer() ? 10_000 : 500
  let large: TenantDb
  let context: WriteContext
  let small: WriteContext

  beforeAll(async () => {
    large = await createTestTenant(db)
    context = await createTestRepository(large)
    small = await createTestRepository(large)
    await beginBulk(large, testSpace)
    for (let at = 0; at < rows; at += 500) {
      const chunks = Array.from({ length: 500 }, (_, offset) => ({ ...makeChunk(`row ${at + offset}`, offset), tokens: ['row', offset % 2 === 0 ? 'even' : 'odd'] }))
      await writeFiles(large, context, [makeFile(`src/${at}.ts`, [], { chunks, tokens: ['row'] })])
    }
    await writeFiles(large, small, [makeFile('one.ts', ['a needle', 'another needle'])])
    await endBulk(large, testSpace)
  }, 300_000)

  for (const ef of [40, 200]) {
    test(`a search at ef_search ${ef} goes by the HNSW index of its space`, async () => {
      const { text, values, settings } = toVectorQuery(large, { space: testSpace, vector: makeVector('row 7'), limit: 10, repositoryIds: [], efSearch: ef }, 'all')
      expect(settings['hnsw.ef_search']).toBe(ef)
      const explain = (tx: Transaction) => tx.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values)
      const lines = await runTransaction(storeOf(large), { role: large.schema, schema: large.schema }, explain, { settings })
      const plan = lines.map((line) => line['QUERY PLAN']).join('\n')
      expect(plan).toMatch(/Index Scan using knowledge_base_hnsw_/)
    })
  }

  test('so does the plan for any values, which a prepared search has from its sixth time on', async () => {
    const { text, settings } = toVectorQuery(large, { space: testSpace, vector: makeVector('row 7'), limit: 10, repositoryIds: [] }, 'all')
    const explain = async (tx: Transaction) => {
      await tx.query(`prepare for_any_values as ${text}`)
      const lines = await tx.query<{ 'QUERY PLAN': string }>('explain execute for_any_values(null, null)')
      await tx.query('deallocate for_any_values')
      return lines.map((line) => line['QUERY PLAN']).join('\n')
    }
    const plan = await runTransaction(storeOf(large), { role: large.schema, schema: large.schema }, explain, { settings: { ...settings, plan_cache_mode: 'force_generic_plan' } })
    expect(plan).toMatch(/Index Scan using knowledge_base_hnsw_/)
  })

  test('nothing of a search is compiled, which takes longer than the search', async () => {
    const { text, values, settings } = toVectorQuery(large, { space: testSpace, vector: makeVector('row 7'), limit: 10, repositoryIds: [] }, 'all')
    const explain = (tx: Transaction) => tx.query<{ 'QUERY PLAN': string }>(`explain (analyze) ${text}`, values)
    const lines = await runTransaction(storeOf(large), { role: large.schema, schema: large.schema }, explain, { settings })
    expect(lines.map((line) => line['QUERY PLAN']).join('\n')).not.toContain('JIT')
  })

  test('the nearest of many is found, best first, with 1 − cosine distance as its score', async () => {
    const hits = await searchVector(large, { space: testSpace, vector: makeVector('row 333'), limit: 10, repositoryIds: [context.repositoryId, small.repositoryId] })
    expect(hits).toHaveLength(10)
    expect(hits[0]!.score).toBeCloseTo(1, 5)
    expect(hits.map(({ score }) => score)).toEqual(hits.map(({ score }) => score).sort((left, right) => right - left))
    const [best] = await large.transaction((tx) => tx.query<{ content: string }>('select content from knowledge_base where id = $1', [hits[0]!.chunkId]))
    expect(best!.content).toBe('row 333')
  })

  test('a filter that leaves a handful of rows still finds them all', async () => {
    expect(await searchVector(large, { space: testSpace, vector: makeVector('row 1'), limit: 10, repositoryIds: [small.repositoryId] })).toHaveLength(2)
  })

  test('a few allowed rows are compared one by one, many by the index', async () => {
    const plan = async (repositoryIds: string[]) => {
      const { text, values, settings } = toVectorQuery(large, { space: testSpace, vector: makeVector('row 1'), limit: 10, repositoryIds }, 'filtered')
      const explain = (tx: Transaction) => tx.query<{ 'QUERY PLAN': string }>(`explain (analyze) ${text}`, values)
      const lines = await runTransaction(storeOf(large), { role: large.schema, schema: large.schema }, explain, { settings })
      return lines.map((line) => line['QUERY PLAN']).find((line) => line.includes('knowledge_base_hnsw_'))
    }
    expect(await plan([small.repositoryId])).toContain('never executed')
    // The embedded store's 500 are still few.
    if (rows > 500) expect(await plan([context.repositoryId])).not.toContain('never executed')
  })

  test('words that are in half of all chunks find those that hold several of them, or one where none holds several', async () => {
    const find = async (tokens: string[]) => {
      const hits = await searchBm25(large, { tokens, limit: 10, repositoryIds: [context.repositoryId] })
      const rows = await large.transaction((tx) => tx.query<{ content: string }>('select content from knowledge_base where id = any($1::uuid[])', [hits.map(({ chunkId }) => chunkId)]))
      return rows.map(({ content }) => Number(content.slice('row '.length)) % 2)
    }
    expect(await find(['row', 'odd'])).toEqual(Array<number>(10).fill(1))
    expect(await find(['even', 'odd'])).toHaveLength(10)
  })

  test('only vectors of the same space are compared, and none of a removed file', async () => {
    const other = searchVector(large, { space: 'other:space', vector: makeVector('row 1'), limit: 10, repositoryIds: [context.repositoryId] })
    await expect(other).rejects.toMatchObject({ code: 'space-changed', retryable: true })
    await removeFiles(large, small.repositoryId, ['one.ts'])
    expect(await searchVector(large, { space: testSpace, vector: makeVector('a needle'), limit: 10, repositoryIds: [small.repositoryId] })).toEqual([])
  })

  test('a bulk load on a tenant that has many rows keeps its index', async () => {
    const indexes = () => large.transaction((tx) => tx.query(`select indexname from pg_indexes where schemaname = current_schema and indexname like 'knowledge_base_hnsw_%'`))
    await beginBulk(large, testSpace)
    expect(await indexes()).toHaveLength(rows >= 2_000 ? 1 : 0)
    await endBulk(large, testSpace)
    await endBulk(large, testSpace)
    expect(await indexes()).toHaveLength(1)
  }, 300_000)
})
