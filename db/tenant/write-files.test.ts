import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Db, TenantDb } from '../index.ts'
import { createTestRepository, testSpace } from '../testing/create-repository.ts'
import { makeChunk, makeFile } from '../testing/make-file.ts'
import { createTestTenant, openTestDb } from '../testing/open-test-db.ts'
import { readChunks } from './chunks.ts'
import { readCorpus } from './corpus.ts'
import { findEmbeddings, purgeGone } from './embeddings.ts'
import { edgesFrom, symbolsInFiles } from './graph.ts'
import { finishSync, readManifest } from './manifest.ts'
import { rebuildWeights } from './rebuild-weights.ts'
import { removeRepository } from './repositories.ts'
import { searchBm25 } from './search.ts'
import { moveFiles } from './move-files.ts'
import { removeFiles, writeFiles } from './write-files.ts'

let db: Db
let tenant: TenantDb
beforeAll(async () => {
  db = await openTestDb()
  tenant = await createTestTenant(db)
})
afterAll(() => db.close())

type LiveChunk = { id: string; source_path: string; content: string; start_line: number }
const liveChunks = (repositoryId: string) =>
  tenant.transaction((tx) =>
    tx.query<LiveChunk>('select id, source_path, content, start_line from knowledge_base where repository_id = $1 and gone_at is null order by source_path, ordinal', [repositoryId]),
  )

/** Document frequencies and sums as kept, and as a recount of what is there finds them. */
async function counts(of: TenantDb) {
  return of.transaction(async (tx) => ({
    kept: {
      terms: await tx.query('select hash, chunks, files from term where chunks <> 0 or files <> 0 order by hash'),
      corpus: await tx.query('select chunks, files, chunk_tokens::int, file_tokens::int from corpus'),
    },
    recounted: {
      terms: await tx.query(
        `select hash, sum(chunks)::int as chunks, sum(files)::int as files from (
           select lexeme::int as hash, 1 as chunks, 0 as files from knowledge_base, unnest(tsvector_to_array(lex)) lexeme where gone_at is null
           union all select lexeme::int, 0, 1 from file, unnest(tsvector_to_array(lex)) lexeme
         ) as seen group by hash order by hash`,
      ),
      corpus: await tx.query(
        `select (select count(*)::int from knowledge_base where gone_at is null) as chunks, (select count(*)::int from file where lex is not null) as files,
           (select coalesce(sum(token_length), 0)::int from knowledge_base where gone_at is null) as chunk_tokens, (select coalesce(sum(token_length), 0)::int from file) as file_tokens`,
      ),
    },
  }))
}

describe('writeFiles', () => {
  test('a file written again keeps the chunks that stayed, with their ids, and replaces the rest', async () => {
    const context = await createTestRepository(tenant)
    await writeFiles(tenant, context, [makeFile('a.ts', ['first part', 'second part', 'third part'])])
    const before = await liveChunks(context.repositoryId)
    await writeFiles(tenant, { ...context, sha: 'b'.repeat(40) }, [makeFile('a.ts', ['new head', 'first part', 'third part'])])
    const after = await liveChunks(context.repositoryId)
    expect(after.map(({ content, start_line }) => [content, start_line])).toEqual([['new head', 1], ['first part', 2], ['third part', 3]])
    const idOf = (rows: LiveChunk[], content: string) => rows.find((row) => row.content === content)?.id
    expect(idOf(after, 'first part')).toBe(idOf(before, 'first part'))
    expect(idOf(after, 'third part')).toBe(idOf(before, 'third part'))
  })

  test('what a failing write would have changed stays as it was', async () => {
    const context = await createTestRepository(tenant)
    await writeFiles(tenant, context, [makeFile('a.ts', ['kept whole'])])
    const broken = makeFile('b.ts', ['never seen'], { edges: [{ kind: 'import', fromSymbol: null, target: 'x', line: 2 ** 40 }] })
    await expect(writeFiles(tenant, context, [makeFile('a.ts', ['other text']), broken])).rejects.toThrow()
    expect((await liveChunks(context.repositoryId)).map(({ content }) => content)).toEqual(['kept whole'])
    expect([...(await readManifest(tenant, context.repositoryId)).keys()]).toEqual(['a.ts'])
  })

  test('vectors of other dimensions, bad space names and unknown repositories are refused', async () => {
    const context = await createTestRepository(tenant)
    const short = makeFile('a.ts', [], { chunks: [{ ...makeChunk('short', 0), embedding: [1, 2, 3] }] })
    await expect(writeFiles(tenant, context, [short])).rejects.toMatchObject({ code: 'wrong-dimensions' })
    await expect(writeFiles(tenant, { ...context, space: "x'; drop table file; --" }, [makeFile('a.ts', ['x'])])).rejects.toMatchObject({ code: 'bad-embedding-space' })
    const unknown = { ...context, repositoryId: '00000000-0000-4000-8000-000000000000' }
    await expect(writeFiles(tenant, unknown, [makeFile('a.ts', ['x'])])).rejects.toMatchObject({ code: 'unknown-repository' })
  })

  test('symbols and edges are replaced with their file, and odd characters are stored', async () => {
    const context = await createTestRepository(tenant)
    const symbol = { name: 'Ünïcode$', container: null, kind: 'function', signature: 'f(\0)', doc: `it's "quoted", {braced} \\ and`, startLine: 1, endLine: 2 }
    const edge = { kind: 'call' as const, fromSymbol: null, target: 'a'.repeat(5_000), line: 3 }
    await writeFiles(tenant, context, [makeFile('odd.ts', ['nul \0 inside'], { symbols: [symbol], edges: [edge, edge] })])
    await writeFiles(tenant, context, [makeFile('odd.ts', ['nul \0 inside'], { symbols: [symbol], edges: [edge] })])
    const [file] = await tenant.transaction((tx) => tx.query<{ id: string }>(`select id from file where path = 'odd.ts'`))
    expect(await symbolsInFiles(tenant, [file!.id])).toMatchObject([{ name: 'Ünïcode$', signature: 'f(\ufffd)', doc: symbol.doc, path: 'odd.ts' }])
    expect(await edgesFrom(tenant, { fileIds: [file!.id] })).toMatchObject([{ target: edge.target, line: 3 }])
  })
})

describe('moveFiles', () => {
  test('swaps, chains and replaced targets end at their places, at the new commit, with the same chunks', async () => {
    const context = await createTestRepository(tenant)
    await writeFiles(tenant, context, ['a', 'b', 'c', 'd', 'e'].map((name) => makeFile(`${name}.ts`, [`text of ${name}`])))
    await finishSync(tenant, context.repositoryId, context.sha, 'any')
    const before = await liveChunks(context.repositoryId)
    const moves = [['a', 'b'], ['b', 'a'], ['c', 'x'], ['d', 'e']].map(([from, to]) => ({ from: `${from}.ts`, to: `${to}.ts`, stem: to! }))
    const sha = 'c'.repeat(40)
    await moveFiles(tenant, context.repositoryId, sha, moves)
    const after = await liveChunks(context.repositoryId)
    expect(after.map(({ source_path, content }) => [source_path, content])).toEqual([
      ['a.ts', 'text of b'], ['b.ts', 'text of a'], ['e.ts', 'text of d'], ['x.ts', 'text of c'],
    ])
    expect(after.every(({ id, content }) => before.some((row) => row.id === id && row.content === content))).toBe(true)
    expect((await readChunks(tenant, after.map(({ id }) => id))).map((chunk) => [chunk.path, chunk.stem, chunk.sha])).toEqual(
      ['a', 'b', 'e', 'x'].map((name) => [`${name}.ts`, name, sha]),
    )
  })

  test('a file that is not there cannot be moved, and nothing else is then', async () => {
    const context = await createTestRepository(tenant)
    await writeFiles(tenant, context, [makeFile('a.ts', ['here'])])
    const moves = [{ from: 'a.ts', to: 'b.ts', stem: 'b' }, { from: 'nowhere.ts', to: 'c.ts', stem: 'c' }]
    await expect(moveFiles(tenant, context.repositoryId, context.sha, moves)).rejects.toMatchObject({ code: 'stale-manifest', retryable: true })
    expect([...(await readManifest(tenant, context.repositoryId)).keys()]).toEqual(['a.ts'])
  })
})

test('a sync cites each changed file at the new commit at once and every file once it has ended', async () => {
  const context = await createTestRepository(tenant)
  await writeFiles(tenant, context, [makeFile('a.ts', ['old a']), makeFile('b.ts', ['old b'])])
  await finishSync(tenant, context.repositoryId, context.sha, 'any')
  const shas = async () => Object.fromEntries((await readChunks(tenant, (await liveChunks(context.repositoryId)).map(({ id }) => id))).map(({ path, sha }) => [path, sha]))
  const next = 'd'.repeat(40)
  await writeFiles(tenant, { ...context, sha: next }, [makeFile('a.ts', ['new a'])])
  expect(await shas()).toEqual({ 'a.ts': next, 'b.ts': context.sha })
  await finishSync(tenant, context.repositoryId, next, 'any')
  expect(await shas()).toEqual({ 'a.ts': next, 'b.ts': next })
})

test('a chunk whose blank lines changed keeps its row and its vector, and reads as it is now', async () => {
  const context = await createTestRepository(tenant)
  const chunk = makeChunk('solitary words', 0)
  await writeFiles(tenant, context, [makeFile('blank.ts', [], { chunks: [chunk] })])
  const [before] = await liveChunks(context.repositoryId)
  await writeFiles(tenant, context, [makeFile('blank.ts', [], { chunks: [{ ...chunk, content: '\n\nsolitary words', endLine: 3 }] })])
  expect(await liveChunks(context.repositoryId)).toEqual([{ ...before!, content: '\n\nsolitary words' }])
})

test('a removed chunk is found by nobody but gives its vector back until it is purged', async () => {
  const context = await createTestRepository(tenant)
  const { key, embedding } = makeChunk('quixotic zebra', 0)
  await writeFiles(tenant, context, [makeFile('z.ts', ['quixotic zebra'])])
  await removeFiles(tenant, context.repositoryId, ['z.ts', 'was-never-there.ts'])
  expect(await searchBm25(tenant, { tokens: ['quixotic'], limit: 5, repositoryIds: [context.repositoryId] })).toEqual([])
  const found = (await findEmbeddings(tenant, testSpace, [key, 'unknown'])).get(key)!
  expect(Math.max(...found.map((value, at) => Math.abs(value - embedding[at]!)))).toBeLessThan(1e-6)
  expect((await findEmbeddings(tenant, 'other:space', [key])).size).toBe(0)
  const unused = async () => (await tenant.transaction((tx) => tx.query('select 1 from term where chunks <= 0 and files <= 0'))).length
  expect(await unused()).toBeGreaterThan(0)
  expect(await purgeGone(tenant, new Date(0))).toBe(0)
  expect(await unused()).toBe(0)
  expect(await purgeGone(tenant, new Date(Date.now() + 60_000))).toBeGreaterThan(0)
  expect((await findEmbeddings(tenant, testSpace, [key])).size).toBe(0)
})

test('after any sequence of writes, moves and removals the frequencies are those of a recount', async () => {
  const path = fc.constantFrom('a.ts', 'b.ts', 'c.ts', 'd.ts')
  const texts = fc.array(fc.constantFrom('red fox', 'red red hen', 'blue hen runs', 'fox', 'green'), { maxLength: 4 })
  const step = fc.oneof(
    fc.record({ kind: fc.constant('write' as const), files: fc.array(fc.tuple(path, texts), { maxLength: 3 }) }),
    fc.record({ kind: fc.constant('move' as const), from: path, to: path }),
    fc.record({ kind: fc.constant('remove' as const), paths: fc.array(path, { maxLength: 3 }) }),
    fc.record({ kind: fc.constant('finish' as const) }),
  )
  const own = await createTestTenant(db)
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      const context = await createTestRepository(own)
      const model = new Map<string, string[]>()
      for (const todo of steps) {
        if (todo.kind === 'write') {
          await writeFiles(own, context, todo.files.map(([at, chunks]) => makeFile(at, chunks)))
          for (const [at, chunks] of todo.files) model.set(at, chunks)
        } else if (todo.kind === 'move' && model.has(todo.from)) {
          await moveFiles(own, context.repositoryId, context.sha, [{ from: todo.from, to: todo.to, stem: 'moved' }])
          const chunks = model.get(todo.from)!
          model.delete(todo.from)
          model.set(todo.to, chunks)
        } else if (todo.kind === 'remove') {
          await removeFiles(own, context.repositoryId, todo.paths)
          for (const at of todo.paths) model.delete(at)
        } else if (todo.kind === 'finish') {
          await finishSync(own, context.repositoryId, context.sha, 'any')
        }
      }
      const { kept, recounted } = await counts(own)
      expect(kept).toEqual(recounted)
      const rows = await own.transaction((tx) =>
        tx.query<{ path: string; contents: string[] }>(
          `select path, coalesce(array_agg(content order by ordinal) filter (where content is not null), '{}') as contents
           from file left join knowledge_base on file_id = file.id and gone_at is null where file.repository_id = $1 group by path`,
          [context.repositoryId],
        ),
      )
      expect(Object.fromEntries(rows.map((row) => [row.path, row.contents]))).toEqual(Object.fromEntries(model))
      await removeRepository(own, context.repositoryId)
      expect((await counts(own)).kept.terms).toEqual([])
    }),
    { numRuns: 40 },
  )
}, 300_000)

test('weights are made anew once texts have become much longer, and equal those of a fresh index', async () => {
  const [grown, fresh] = [await createTestTenant(db), await createTestTenant(db)]
  const short = makeFile('short.ts', ['fox hen'])
  const long = makeFile('long.ts', [`${'fox '.repeat(9)}${'owl '.repeat(30)}`, 'hen '.repeat(25)])
  const [one, other] = [await createTestRepository(grown), await createTestRepository(fresh)]
  await writeFiles(grown, one, [short])
  await writeFiles(grown, one, [long])
  await writeFiles(fresh, other, [short, long])
  const weights = (of: TenantDb) => of.transaction((tx) => tx.query('select content, sparse::text, mean_length from knowledge_base where gone_at is null order by content'))
  expect(await weights(grown)).not.toEqual(await weights(fresh))
  expect(await rebuildWeights(grown)).toBe(true)
  expect(await weights(grown)).toEqual(await weights(fresh))
  expect(await rebuildWeights(grown)).toBe(false)
  expect((await readCorpus(grown)).meanChunkLength).toBeCloseTo((await readCorpus(fresh)).meanChunkLength, 4)
})
