import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import fc from 'fast-check'
import type { Db, TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { saveAnswer } from '#db/tenant/answers.ts'
import { markChangedAnswers } from '#db/tenant/changed-answers.ts'
import { readCorpus } from '#db/tenant/corpus.ts'
import { cancelSpaceChange, readSpaceChange, startSpaceChange } from '#db/tenant/next-space.ts'
import { addRepository } from '#db/tenant/repositories.ts'
import { searchVector } from '#db/tenant/search.ts'
import { toVectorBytes } from '#db/tenant/space.ts'
import { readTestServer } from '#db/testing/config.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { watchSql } from '#db/testing/watch-sql.ts'
import { createLog } from '../log.ts'
import type { Embedder } from '../models/embedder.ts'
import { toEmbedders } from '../models/embedder.ts'
import type { EmbedderOf } from '../models/embedder.ts'
import { runLegs } from '../retrieval/legs.ts'
import { toQuery } from '../retrieval/query.ts'
import { createGitSource } from '../sources/git.ts'
import { createRepository } from '../testing/create-repository.ts'
import type { TestRepository } from '../testing/create-repository.ts'
import { createPermutedEmbedder } from '../testing/permuted-embedder.ts'
import type { PermutedEmbedder } from '../testing/permuted-embedder.ts'
import { changeSpace } from './change-space.ts'
import { chunkerVersion, toChunkKey, toEmbeddedText } from './chunk.ts'
import { indexSource } from './index-changes.ts'

const log = createLog({ level: 'silent', process: 'test' })
const toFunction = (name: string) => `/** Turns ${name} around. */\nexport function ${name}(input: string): string {\n  return input + '${name}'\n}\n`
const names = ['harbour', 'lantern', 'meadow', 'quarry', 'saddle', 'thimble', 'walnut', 'zephyr']
const files = {
  'README.md': '# Harbour\n\nBoats come and go.\n\n## Lanterns\n\nEach pier has one.\n',
  ...Object.fromEntries(names.map((name) => [`src/${name}.ts`, toFunction(name)])),
  'copy/harbour.ts': toFunction('harbour'),
}

let db: Db
let old: PermutedEmbedder
let next: PermutedEmbedder
let embedderOf: EmbedderOf
beforeAll(async () => {
  db = await openTestDb()
})
afterAll(() => db.close())
beforeEach(() => {
  old = createPermutedEmbedder('test:old', 0)
  next = createPermutedEmbedder('test:next', 7)
  embedderOf = toEmbedders([old, next]).of
})

type Place = { tenant: TenantDb; id: string; git: TestRepository; sync(): Promise<Awaited<ReturnType<typeof indexSource>>> }

/** A tenant with one indexed repository. `sync` indexes its head in the tenant's space, and again where that changes meanwhile. */
async function openPlace(embedder: Embedder, contents: Record<string, string> = files): Promise<Place> {
  const tenant = await createTestTenant(db)
  const git = await createRepository(contents)
  onTestFinished(() => git[Symbol.asyncDispose]())
  const { id } = await addRepository(tenant, { name: 'acme/shop', source: 'git', location: git.dir })
  const sync = async () => {
    for (;;) {
      try {
        return await indexSource({ embedders: toEmbedders([embedder, old, next]), log }, tenant, { id }, createGitSource(git.dir))
      } catch (error) {
        if (!(error instanceof NuraError && error.code === 'space-changed')) throw error
      }
    }
  }
  await sync()
  return { tenant, id, git, sync }
}

const change = (tenant: TenantDb, signal?: AbortSignal) => changeSpace({ embedderOf, log }, tenant, signal ? { signal } : {})
async function changeTo(tenant: TenantDb, { space }: Embedder) {
  await startSpaceChange(tenant, space)
  return change(tenant)
}

/** All that the index holds in place of live chunks, ids and times aside. */
const picture = (tenant: TenantDb) =>
  tenant.transaction((tx) =>
    tx.query(
      `select source_path, ordinal, content, scope, chunk_key, embedding_model, md5(embedding::text) as vector, next_model, next_key, next_embedding is null as cleared
       from knowledge_base where gone_at is null order by source_path, ordinal`,
    ),
  )
const indexes = (tenant: TenantDb) =>
  tenant.transaction((tx) => tx.query(`select indexname as name, replace(indexdef, current_schema || '.', '') as is from pg_indexes where schemaname = current_schema and tablename = 'knowledge_base' order by 1`))
const spaces = async (tenant: TenantDb) => {
  const { activeSpace, nextSpace, nextStale } = await readCorpus(tenant)
  return { activeSpace, nextSpace, nextStale }
}
const ask = (tenant: TenantDb, id: string, text: string, by = embedderOf) => runLegs(tenant, by, toQuery(text, []), [id])
const contentsOf = async (tenant: TenantDb, ids: string[]) => {
  const rows = await tenant.transaction((tx) => tx.query<{ id: string; content: string }>('select id, content from knowledge_base where id = any($1::uuid[])', [ids]))
  return ids.map((id) => rows.find((row) => row.id === id)?.content ?? 'not there')
}

test('an index that changed its space is that of a fresh one: rows, keys, vectors, indexes and what a search finds', async () => {
  const { tenant, id } = await openPlace(old)
  const report = await changeTo(tenant, next)
  expect(report).toMatchObject({ from: 'test:old', to: 'test:next', switched: true, reused: 0 })
  const fresh = await openPlace(next)
  expect(await picture(tenant)).toEqual(await picture(fresh.tenant))
  expect(await indexes(tenant)).toEqual(await indexes(fresh.tenant))
  expect(await spaces(tenant)).toEqual({ activeSpace: 'test:next', nextSpace: null, nextStale: false })
  for (const name of names) {
    const [here, there] = [await ask(tenant, id, `what turns ${name} around`), await ask(fresh.tenant, fresh.id, `what turns ${name} around`)]
    expect(here).toMatchObject({ space: 'test:next', vectorFault: null })
    // By score and text, as equal scores come in any order.
    const found = async (of: TenantDb, { vector }: typeof here) => {
      const contents = await contentsOf(of, vector.map(({ chunkId }) => chunkId))
      return vector.map(({ score }, at) => `${score.toFixed(5)} ${contents[at]}`).toSorted()
    }
    expect(await found(tenant, here)).toEqual(await found(fresh.tenant, there))
  }
})

test('each distinct chunk is embedded once, and a sync afterwards embeds what it changes alone', async () => {
  const { tenant, git, sync } = await openPlace(old)
  const distinct = old.documents.length
  expect(new Set(old.documents).size).toBe(distinct)
  expect(await changeTo(tenant, next)).toMatchObject({ embedded: distinct })
  expect(next.documents.toSorted()).toEqual(old.documents.toSorted())
  await git.write({ 'src/walnut.ts': toFunction('walnuts'), 'more/saddle.ts': toFunction('saddle') })
  await git.commit()
  expect(await sync()).toMatchObject({ embedded: 1 })
  expect(next.documents.length).toBe(distinct + 1)
  expect(old.documents.length).toBe(distinct)
})

test('the embedded text is told by the row', async () => {
  const { tenant } = await openPlace(old, { ...files, 'src/deep.ts': '\n\n  \nexport class Deep {\n  one() {\n    return 1\n  }\n}\n\n\n', 'NOTES.md': '# A\n\n## B\n\ntext  \n\n\n' })
  const rows = await tenant.transaction((tx) => tx.query<{ content: string; scope: string[]; key: string }>('select content, scope, chunk_key as key from knowledge_base'))
  expect(chunkerVersion).toBeGreaterThan(0)
  for (const row of rows) expect(toChunkKey(old.space, toEmbeddedText(row))).toBe(row.key)
})

describe('while questions are asked and pushes come in', () => {
  // The embedded store has one session, which all of them share.
  const [rounds, askers] = readTestServer() ? [6, 3] : [2, 1]

  test('no vector meets rows of another space, no question goes without, and every push is in', async () => {
    const { tenant, id, git, sync } = await openPlace(old)
    const spaceOf = new Map<string, string>()
    const noting = (embedder: Embedder): Embedder => ({
      ...embedder,
      async embed(texts, kind, signal) {
        const vectors = await embedder.embed(texts, kind, signal)
        if (kind === 'query') for (const vector of vectors) spaceOf.set(toVectorBytes(vector).toString('latin1'), embedder.space)
        return vectors
      },
    })
    const noted = toEmbedders([noting(old), noting(next)]).of
    const compared: { literal: string; vector: string }[] = []
    onTestFinished(
      watchSql(db, ({ text, values }) => {
        const literal = /<=>[^]*embedding_model = '([^']+)'/.exec(text)?.[1]
        if (literal !== undefined) compared.push({ literal, vector: spaceOf.get((values[0] as Buffer).toString('latin1')) ?? 'none' })
      }),
    )
    let running = true
    const seen = { asked: 0, spaces: new Set<string>() }
    const asking = Array.from({ length: askers }, async (_, at) => {
      // Says what is to be found in so many words that it is the nearest by far; this file is never pushed.
      while (running) {
        const found = await ask(tenant, id, toFunction('zephyr'), noted)
        expect(found).toMatchObject({ vectorFault: null, space: expect.stringMatching(/^test:/) })
        const [best] = await contentsOf(tenant, found.vector.slice(0, 1).map(({ chunkId }) => chunkId))
        expect(best, `asker ${at}`).toBe(toFunction('zephyr'))
        seen.asked++
        // The embedded store answers without a turn of the event loop, which git waits for.
        await nextTurn()
        seen.spaces.add(found.space!)
      }
    })
    let pushes = 0
    async function push(times: number): Promise<void> {
      for (let time = 0; time < times; time++, pushes++) {
        await git.write({ [`src/push-${pushes % 5}.ts`]: toFunction(`pushed${pushes}`) })
        await git.commit()
        await sync()
      }
    }
    try {
      for (let round = 0; round < rounds; round++) {
        const [report] = await Promise.all([changeTo(tenant, round % 2 === 0 ? next : old), push(2)])
        expect(report).toMatchObject({ switched: true })
      }
    } finally {
      running = false
      await Promise.all(asking)
    }
    expect(compared.length).toBeGreaterThanOrEqual(seen.asked)
    expect(compared.filter(({ literal, vector }) => literal !== vector)).toEqual([])
    expect([...seen.spaces].toSorted()).toEqual(['test:next', 'test:old'])
    const fresh = await openPlace(old, Object.fromEntries(await contentsIn(git)))
    expect(await picture(tenant)).toEqual(await picture(fresh.tenant))
  }, 300_000)

  test('a switch between the embedding of a question and its search is noticed, and the question embedded once more', async () => {
    const { tenant, id } = await openPlace(old)
    const asked: string[] = []
    const late = (embedder: Embedder, before: () => Promise<unknown>): Embedder => ({
      ...embedder,
      async embed(texts, kind, signal) {
        asked.push(embedder.space)
        await before()
        return embedder.embed(texts, kind, signal)
      },
    })
    const found = await ask(tenant, id, toFunction('zephyr'), toEmbedders([late(old, () => changeTo(tenant, next)), late(next, async () => undefined)]).of)
    expect(found).toMatchObject({ space: 'test:next', vectorFault: null })
    expect(asked).toEqual(['test:old', 'test:next'])
    expect((await contentsOf(tenant, [found.vector[0]!.chunkId]))[0]).toBe(toFunction('zephyr'))
    const restless = toEmbedders([late(old, () => changeTo(tenant, next)), late(next, () => changeTo(tenant, old))]).of
    expect(await ask(tenant, id, 'zephyr', restless)).toMatchObject({ vector: [], space: null, vectorFault: expect.stringContaining('again and again') })
    expect(await ask(tenant, id, 'zephyr', () => null)).toMatchObject({ vector: [], space: null, vectorFault: expect.stringContaining('EMBEDDING_MODELS') })
  })

  test('a search that meets a switch answers by its own space in full, or says that it is another', async () => {
    const { tenant, id } = await openPlace(old)
    const vectors = new Map(await Promise.all([old, next].map(async (of) => [of.space, (await of.embed([toFunction('zephyr')], 'query'))[0]!] as const)))
    const outcomes = { found: 0, changed: 0 }
    let running = true
    const searching = Array.from({ length: askers }, async () => {
      while (running) {
        for (const [space, vector] of vectors) {
          try {
            const [best] = await searchVector(tenant, { space, vector, limit: 60, repositoryIds: [id] })
            expect(best?.score).toBeGreaterThan(0.9)
            outcomes.found++
          } catch (error) {
            if (!(error instanceof NuraError && error.code === 'space-changed')) throw error
            outcomes.changed++
          }
          await nextTurn()
        }
      }
    })
    try {
      for (let round = 0; round < rounds; round++) await changeTo(tenant, round % 2 === 0 ? next : old)
    } finally {
      running = false
      await Promise.all(searching)
    }
    expect(outcomes.found).toBeGreaterThan(0)
    expect(outcomes.changed).toBeGreaterThan(0)
  }, 300_000)
})

async function contentsIn(git: TestRepository): Promise<[string, string][]> {
  const paths = (await git.git('ls-files')).split('\n')
  return Promise.all(paths.map(async (path): Promise<[string, string]> => [path, `${await git.git('show', `HEAD:${path}`)}\n`]))
}

test('cut off at any statement or embedding, as often as may be, it ends as if it had not been', async () => {
  const { tenant } = await openPlace(old)
  const wanted = { [old.space]: await picture(tenant) }
  const stopped = new Error('the process ended here')
  /** Runs a change with a budget of steps. @returns the steps that it took; null when they did not do */
  async function run(to: Embedder, budget: number): Promise<number | null> {
    let steps = 0
    const step = () => {
      if (++steps > budget) throw stopped
    }
    const unwatch = watchSql(db, ({ text }) => (text === 'rollback' ? undefined : step()))
    const counted = (embedder: Embedder): Embedder => ({ ...embedder, maxBatch: 3, embed: (...given) => (step(), embedder.embed(...given)) })
    try {
      await startSpaceChange(tenant, to.space)
      await changeSpace({ embedderOf: toEmbedders([counted(old), counted(next)]).of, log }, tenant)
      return steps
    } catch (error) {
      expect(error).toBe(stopped)
      return null
    } finally {
      unwatch()
    }
  }
  const most = (await run(next, Infinity))!
  wanted[next.space] = await picture(tenant)
  const whole = await indexes(tenant)
  let here: Embedder = next
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: most }), { minLength: 1, maxLength: 4 }), async (budgets) => {
      const there = here === next ? old : next
      for (const budget of budgets) await run(there, budget)
      // Also where it was switched already, and only what was left behind is to be cleared away.
      await run(there, Infinity)
      await change(tenant)
      here = there
      expect(await picture(tenant)).toEqual(wanted[there.space])
      expect(await spaces(tenant)).toEqual({ activeSpace: there.space, nextSpace: null, nextStale: false })
      expect(await indexes(tenant)).toHaveLength(whole.length)
    }),
    { numRuns: readTestServer() ? 25 : 10 },
  )
}, 300_000)

test('a stop is heeded between steps, and what was made is not made again', async () => {
  const { tenant } = await openPlace(old)
  const stop = new AbortController()
  await startSpaceChange(tenant, next.space)
  const run = changeSpace({ embedderOf, log }, tenant, { signal: stop.signal, onProgress: ({ done }) => void (done > 0 && stop.abort(new Error('enough'))) })
  await expect(run).rejects.toThrow('enough')
  const { done, total } = await readSpaceChange(tenant)
  expect(done).toBe(total)
  const made = next.documents.length
  expect(await change(tenant)).toMatchObject({ switched: true, embedded: 0 })
  expect(next.documents.length).toBe(made)
  expect(await change(tenant)).toBeNull()
})

test('a change that is given up leaves the index as it was', async () => {
  const { tenant, id } = await openPlace(old)
  const before = { rows: await picture(tenant), indexes: await indexes(tenant), space: await spaces(tenant) }
  await startSpaceChange(tenant, next.space)
  const stopping: Embedder = {
    ...next,
    async embed(...given) {
      await cancelSpaceChange(tenant)
      return next.embed(...given)
    },
  }
  expect(await changeSpace({ embedderOf: toEmbedders([old, stopping]).of, log }, tenant)).toMatchObject({ switched: false })
  expect({ rows: await picture(tenant), indexes: await indexes(tenant), space: await spaces(tenant) }).toEqual(before)
  expect(await ask(tenant, id, 'zephyr')).toMatchObject({ space: 'test:old', vectorFault: null })
  expect(await cancelSpaceChange(tenant)).toBeNull()
})

test('another target takes the place of one that was not reached', async () => {
  const { tenant } = await openPlace(old)
  const third = createPermutedEmbedder('test:third', 3)
  await startSpaceChange(tenant, next.space)
  await expect(changeSpace({ embedderOf: toEmbedders([old]).of, log }, tenant)).rejects.toMatchObject({ code: 'embedder-missing' })
  await changeSpace({ embedderOf, log }, tenant, { onProgress: ({ phase, done }) => void (phase === 'vector index' && done === 1 && void startSpaceChange(tenant, third.space)) })
  expect(await changeSpace({ embedderOf: toEmbedders([old, third]).of, log }, tenant)).toMatchObject({ switched: true, to: 'test:third' })
  const fresh = await openPlace(third)
  expect(await picture(tenant)).toEqual(await picture(fresh.tenant))
  expect(await indexes(tenant)).toEqual(await indexes(fresh.tenant))
})

test('no answer is found outdated by a change of space, and after it those are whose sources change', async () => {
  const { tenant, id, git, sync } = await openPlace(old)
  const cite = async (name: string) => {
    const chunks = await tenant.transaction((tx) =>
      tx.query<{ chunkId: string; chunkKey: string }>('select id as "chunkId", chunk_key as "chunkKey" from knowledge_base where content = $1 and gone_at is null limit 1', [toFunction(name)]),
    )
    const citedChunks = chunks.map((chunk) => ({ n: 1, ...chunk }))
    return { citedChunks, save: () => saveAnswer(tenant, { thread: null, asker: 'a', question: 'q', agent: 'dev', markdown: 'm', abstained: false, citations: [], trace: {}, usage: {}, citedChunks }) }
  }
  const [kept, changed, gone, late] = [await (await cite('meadow')).save(), await (await cite('quarry')).save(), await (await cite('lantern')).save(), await cite('saddle')]
  // Taken out of the index, and not yet marked when the switch comes.
  await git.remove('src/lantern.ts')
  await git.commit()
  const marking = await tenant.transaction((tx) => tx.query<{ id: string }>('select id from file where path = $1', ['src/lantern.ts']))
  expect(marking).toHaveLength(1)
  await sync()
  await tenant.transaction((tx) => tx.query('update answer set changed_sha = null, changed_at = null, told_at = null'))
  await changeTo(tenant, next)
  expect(await markChangedAnswers(tenant, id, 'c'.repeat(40))).toEqual([gone])
  // Found before the switch, and saved after it; then the chunk moves to a file of another kind of path.
  const saved = await late.save()
  await git.write({ 'src/quarry.ts': toFunction('quarries'), 'lib/saddle.ts': `${toFunction('saddle')}` })
  await git.remove('src/saddle.ts')
  await git.commit()
  await sync()
  const rows = await tenant.transaction((tx) => tx.query<{ id: string }>('select id from answer where changed_sha is not null'))
  expect(rows.map((row) => row.id).toSorted()).toEqual([changed, gone].toSorted())
  expect(rows.map((row) => row.id)).not.toContain(kept)
  expect(rows.map((row) => row.id)).not.toContain(saved)
})
