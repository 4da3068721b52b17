import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Db, TenantDb } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { readCorpus } from '#db/tenant/corpus.ts'
import { addRepository, findRepository } from '#db/tenant/repositories.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { createLog } from '../log.ts'
import { toEmbedders } from '../models/embedder.ts'
import type { Embedder } from '../models/embedder.ts'
import { lexicalEmbedder, lexicalEmbedders } from '../models/lexical.ts'
import { createGitSource } from '../sources/git.ts'
import { createRepository } from '../testing/create-repository.ts'
import type { TestRepository } from '../testing/create-repository.ts'
import { indexSource } from './index-changes.ts'
import type { IndexParts } from './index-changes.ts'
import { createMadeVectors } from './made-vectors.ts'

const log = createLog({ level: 'silent', process: 'test' })
const away = new NuraError('model-unavailable', 'The embedding model does not answer.', { retryable: true, retryAt: new Date(Date.now() + 15_000) })
let db: Db
let repository: TestRepository
beforeAll(async () => {
  db = await openTestDb()
  repository = await createRepository(Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`src/part${at}.ts`, `/** Part ${at}. */\nexport function part${at}(): number {\n  return ${at}\n}\n`])))
})
afterAll(async () => {
  await db.close()
  await repository[Symbol.asyncDispose]()
})

/** Embeds like the lexical one, four texts a call, in a space of its own; fails from a call on. */
function createSmall(space: string) {
  const asked: string[] = []
  const state = { failFrom: Infinity, calls: 0, atOnce: 0, mostAtOnce: 0 }
  const embedder: Embedder = {
    ...lexicalEmbedder,
    space,
    maxBatch: 4,
    async embed(texts, kind, signal) {
      if (state.calls++ >= state.failFrom) throw away
      asked.push(...texts)
      state.mostAtOnce = Math.max(state.mostAtOnce, ++state.atOnce)
      await new Promise(setImmediate)
      state.atOnce--
      return lexicalEmbedder.embed(texts, kind, signal)
    },
  }
  return { embedder, asked, state }
}

async function connect(tenant: TenantDb, name = 'acme/parts') {
  return addRepository(tenant, { name, source: 'git', location: repository.dir })
}

const index = (tenant: TenantDb, { id }: { id: string }, parts: Omit<IndexParts, 'log'>) => indexSource({ ...parts, log }, tenant, { id }, createGitSource(repository.dir))

function spacesOf(tenant: TenantDb): Promise<{ space: string; rows: number }[]> {
  return tenant.transaction((tx) => tx.query('select embedding_model as space, count(*)::int as rows from knowledge_base group by 1 order by 1'))
}

describe('the space of an index', () => {
  test('is the preferred one at first, and stays when another is preferred', async () => {
    const tenant = await createTestTenant(db)
    const { embedder: bge } = createSmall('bge-m3/1024')
    await index(tenant, await connect(tenant), { embedders: lexicalEmbedders })
    await index(tenant, await connect(tenant, 'acme/more'), { embedders: toEmbedders([bge, lexicalEmbedder]) })
    expect((await readCorpus(tenant)).activeSpace).toBe('lexical:default')
    expect((await spacesOf(tenant)).map(({ space }) => space)).toEqual(['lexical:default'])

    const fresh = await createTestTenant(db)
    await index(fresh, await connect(fresh), { embedders: toEmbedders([bge, lexicalEmbedder]) })
    expect((await readCorpus(fresh)).activeSpace).toBe('bge-m3/1024')
  })

  test('without an embedder in this process ends the run, and nothing is written in another', async () => {
    const tenant = await createTestTenant(db)
    await index(tenant, await connect(tenant), { embedders: toEmbedders([createSmall('bge-m3/1024').embedder]) })
    const more = await connect(tenant, 'acme/more')
    const before = await spacesOf(tenant)
    await expect(index(tenant, more, { embedders: lexicalEmbedders })).rejects.toMatchObject({ code: 'embedder-missing', retryable: false, message: expect.stringMatching(/bge-m3\/1024.*EMBEDDING_MODELS/) as string })
    expect(await spacesOf(tenant)).toEqual(before)
  })

  test('whose model is away is waited for, and nothing is written in another', async () => {
    const tenant = await createTestTenant(db)
    const added = await connect(tenant)
    const { embedder, state } = createSmall('bge-m3/1024')
    state.failFrom = 0
    await expect(index(tenant, added, { embedders: toEmbedders([embedder, lexicalEmbedder]) })).rejects.toMatchObject({ code: 'model-unavailable', retryAt: away.retryAt })
    expect(await spacesOf(tenant)).toEqual([])
    expect((await findRepository(tenant, added.id))!.state).toBe('indexing')
  })
})

describe('vectors that could not be written', () => {
  test('are not made again by the run that takes it up', async () => {
    const tenant = await createTestTenant(db)
    const added = await connect(tenant)
    const { embedder, asked, state } = createSmall('bge-m3/1024')
    const parts = { embedders: toEmbedders([embedder]), madeVectors: createMadeVectors() }
    state.failFrom = 2
    await expect(index(tenant, added, parts)).rejects.toBe(away)
    expect(asked).toHaveLength(8)
    state.failFrom = Infinity
    const { chunks } = await index(tenant, added, parts)
    expect(chunks).toBeGreaterThan(8)
    expect(asked).toHaveLength(chunks)
    expect(new Set(asked).size).toBe(chunks)
    expect(state.mostAtOnce).toBe(2)
  })

  test('of one tenant are no other’s', async () => {
    const [one, other] = [await createTestTenant(db), await createTestTenant(db)]
    const { embedder, asked } = createSmall('bge-m3/1024')
    const parts = { embedders: toEmbedders([embedder]), madeVectors: createMadeVectors() }
    const { chunks } = await index(one, await connect(one), parts)
    await index(other, await connect(other), parts)
    expect(asked).toHaveLength(2 * chunks)
  })

  test('are kept up to a number, the newest', () => {
    const made = createMadeVectors(2)
    made.keep('a', [['1', [1]], ['2', [2]]])
    made.keep('a', [['1', [1]], ['3', [3]]])
    expect(['1', '2', '3'].map((key) => made.find('a', key))).toEqual([[1], undefined, [3]])
    expect(made.find('b', '1')).toBeUndefined()
  })
})
