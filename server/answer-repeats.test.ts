import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Db, TenantDb } from '#db/index.ts'
import { remember } from '#db/shared/readers.ts'
import { deleteAnswer, findAnswer, saveFeedback } from '#db/tenant/answers.ts'
import { markChangedAnswers } from '#db/tenant/changed-answers.ts'
import { addRepository, findRepository, updateRepository } from '#db/tenant/repositories.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { rules } from './agents/prompts/rules.ts'
import { createAnswerRepeats } from './answer-repeats.ts'
import type { AnswerRepeats } from './answer-repeats.ts'
import { answer } from './answer.ts'
import type { AnswerParts, Question } from './answer.ts'
import { AnswerPart } from './answer-part.ts'
import type { Cache } from './cache/cache.ts'
import { createMemoryCache } from './cache/memory-cache.ts'
import { indexSource } from './indexing/index-changes.ts'
import { createLog } from './log.ts'
import { createMetrics } from './metrics.ts'
import { toEmbedders } from './models/embedder.ts'
import { createModels, toChain } from './models/index.ts'
import { lexicalEmbedder, lexicalEmbedders } from './models/lexical.ts'
import { createGitSource } from './sources/git.ts'
import { countsOf } from './testing/cache-contract.ts'
import { createRepository } from './testing/create-repository.ts'
import type { TestRepository } from './testing/create-repository.ts'
import { withoutKeys } from './testing/without-keys.ts'
import { citesFirst, startFakeOpenai } from './testing/fake-openai.ts'
import type { FakeOpenai } from './testing/fake-openai.ts'

const text = 'Where do we verify webhook signatures?'
const files = {
  'src/verify.ts': `import { createHmac } from 'node:crypto'

/** Checks the signature of a webhook against the shared secret. */
export function verifySignature(body: Buffer, signature: string, secret: string): boolean {
  return createHmac('sha256', secret).update(body).digest('hex') === signature
}
`,
  'README.md': '# Shop\n\nA web shop for books.\n',
}
const log = createLog({ level: 'silent', process: 'test' })
let db: Db
let repository: TestRepository
let tenant: TenantDb
let fake: FakeOpenai
let cache: Cache
const metrics = createMetrics()

beforeAll(async () => {
  ;[db, repository, fake] = await Promise.all([openTestDb(), createRepository(files), startFakeOpenai({ apiKey: 'sk-test' })])
})
beforeEach(async () => {
  fake.requests.length = 0
  Object.assign(fake, { fault: null, reply: citesFirst })
  metrics.cache.reset()
  cache = createMemoryCache({ metrics })
  tenant = await createIndexedTenant()
})
afterAll(async () => {
  await fake.close()
  await db.close()
  await repository[Symbol.asyncDispose]()
})

async function createIndexedTenant(): Promise<TenantDb> {
  const made = await createTestTenant(db)
  await index(made, 'acme/shop', 'tenant')
  return made
}

async function index(into: TenantDb, name: string, audience: 'tenant' | 'granted'): Promise<string> {
  const known = await findRepository(into, name)
  const added = known ?? (await addRepository(into, { name, source: 'git', location: repository.dir, audience }))
  await indexSource({ embedders: lexicalEmbedders, log }, into, added, createGitSource(repository.dir))
  return added.id
}

type Asking = Partial<Question> & { chain?: string; of?: TenantDb; parts?: Partial<AnswerParts> }

async function ask({ chain = 'openai:gpt-4.1', of = tenant, parts: more = {}, ...asked }: Asking = {}) {
  const models = createModels(toChain(chain, 'DEV_MODELS'), { ...withoutKeys, openai: { apiKey: 'sk-test', baseUrl: fake.url } })
  const parts: AnswerParts = { db, embedders: lexicalEmbedders, models: { dev: models, pm: models, architect: models }, log, repeats: createAnswerRepeats(cache), ...more }
  const given: AnswerPart[] = []
  for await (const part of answer(parts, of, { text, audience: { kind: 'tenant' }, asker: 'test:ada', ...asked }, new AbortController().signal)) given.push(AnswerPart.parse(part))
  const done = given.find((part) => part.kind === 'done')
  return { given, done: done!, answerId: done!.answerId, repeats: (await findAnswer(of, done!.answerId))!.trace.repeats ?? null }
}

describe('a question that was answered before', () => {
  test('is answered by the same text and places, as an answer of its own that cost nothing', async () => {
    const first = await ask()
    const second = await ask({ asker: 'test:grace', thread: `slack:T1:C1:${randomUUID()}`, text: `  ${text.replace(' ', '\n ')} ` })
    expect(fake.requests).toHaveLength(1)
    expect(second.repeats).toBe(first.answerId)
    expect(second.given.map(({ kind }) => kind)).toEqual(['status', 'citation', 'text', 'done'])
    const shown = (of: AnswerPart[]) => ({ text: of.map((part) => (part.kind === 'text' ? part.markdown : '')).join(''), citations: of.filter(({ kind }) => kind === 'citation') })
    expect(shown(second.given)).toEqual(shown(first.given))
    expect(second.done).toMatchObject({ agent: first.done.agent, abstained: false, usage: { models: [], tokens: 0, costUsd: 0 }, freshness: first.done.freshness })
    expect(second.answerId).not.toBe(first.answerId)
    const [one, two] = [await findAnswer(tenant, first.answerId), await findAnswer(tenant, second.answerId)]
    expect(two).toMatchObject({ asker: 'test:grace', markdown: one!.markdown, citations: one!.citations, usage: { models: [] } })
    expect(two!.trace).toMatchObject({ passages: one!.trace.passages, models: [] })
    expect(await countsOf(metrics)).toEqual({ 'answer miss': 1, 'answer hit': 1 })
  })

  test('rests on the same chunks: both answers hear of it when those change', async () => {
    const first = await ask()
    const second = await ask()
    const of = async (id: string) => tenant.transaction((tx) => tx.query('select n, chunk_id, chunk_key from cited_chunk where answer_id = $1 order by n', [id]))
    expect(await of(second.answerId)).toEqual(await of(first.answerId))
    expect((await of(second.answerId)).length).toBeGreaterThan(0)
    await tenant.transaction((tx) => tx.execute('update knowledge_base set gone_at = now()'))
    const { id } = (await findRepository(tenant, 'acme/shop'))!
    expect((await markChangedAnswers(tenant, id, 'f'.repeat(40))).toSorted()).toEqual([first.answerId, second.answerId].toSorted())
  })

  test('gives the answers of an extractive chain again too', async () => {
    const first = await ask({ chain: 'extractive:default' })
    expect((await ask({ chain: 'extractive:default' })).repeats).toBe(first.answerId)
  })
})

describe('is answered anew', () => {
  test('after a push, though it changed nothing that is cited', async () => {
    await ask()
    await repository.write({ 'README.md': `# Shop\n\nA web shop for ${randomUUID()}.\n` })
    await repository.commit()
    await index(tenant, 'acme/shop', 'tenant')
    expect((await ask()).repeats).toBeNull()
  })

  test('for another tenant', async () => {
    await ask()
    expect((await ask({ of: await createIndexedTenant() })).repeats).toBeNull()
  })

  test('for another audience, and for the same one that may read more', async () => {
    await remember(db, tenant.id, { kind: 'channel', id: 'slack:T1:C1', surface: 'slack' })
    const channel = { kind: 'channel', id: 'slack:T1:C1' } as const
    const hidden = await index(tenant, 'acme/hidden', 'granted')
    const first = await ask()
    expect((await ask({ audience: channel })).repeats).toBeNull()
    expect((await ask({ audience: channel })).repeats).not.toBeNull()
    expect((await ask()).repeats).toBe(first.answerId)
    await updateRepository(tenant, hidden, { audience: 'tenant' })
    expect((await ask()).repeats).toBeNull()
    await updateRepository(tenant, hidden, { audience: 'granted' })
    expect((await ask()).repeats).toBe(first.answerId)
  })

  test.each<[string, Asking]>([
    ['in other words', { text: `${text} Really?` }],
    ['of another agent', { agent: 'architect' }],
    ['of one repository', { repository: 'acme/shop' }],
    ['by another model', { chain: 'openai:gpt-5' }],
    ['with something said before it', { context: [{ author: 'ada', text: 'Look at the shop.', trusted: true }] }],
    ['with files laid over the index', { overlay: { repositoryId: randomUUID(), sha: 'a'.repeat(40), files: [], gone: [], focus: null } as never }],
  ])('when asked %s', async (_, asked) => {
    await ask()
    expect((await ask(asked)).repeats).toBeNull()
  })

  test('as a follow-up', async () => {
    const thread = `slack:T1:C1:${randomUUID()}`
    await ask({ thread })
    expect((await ask({ thread })).repeats).toBeNull()
  })

  test('when the prompt has changed', async () => {
    await ask()
    rules.version += 1
    try {
      expect((await ask()).repeats).toBeNull()
    } finally {
      rules.version -= 1
    }
    expect((await ask()).repeats).not.toBeNull()
  })

  test('when the earlier answer was deleted, is out of date, or was called wrong', async () => {
    const endings: ((first: string, repeat: string) => Promise<unknown>)[] = [
      (first) => deleteAnswer(tenant, first),
      (first) => tenant.transaction((tx) => tx.execute('update answer set changed_sha = $2 where id = $1', [first, 'f'.repeat(40)])),
      (first) => saveFeedback(tenant, first, { by: 'test:ada', verdict: 'down', reason: null }),
      (_, repeat) => saveFeedback(tenant, repeat, { by: 'test:ada', verdict: 'down', reason: null }),
    ]
    for (const [at, end] of endings.entries()) {
      // Each about another repository, so that none meets what is left of the one before.
      await tenant.transaction((tx) => tx.execute('update repository set default_branch = $1', [`branch-${at}`]))
      const [first, repeat] = [await ask(), await ask()]
      expect(repeat.repeats).toBe(first.answerId)
      await end(first.answerId, repeat.answerId)
      expect((await ask()).repeats).toBeNull()
    }
  })

  test('when what is kept in the cache is no answer of this tenant', async () => {
    const other = await createIndexedTenant()
    const { answerId } = await ask({ of: other })
    for (const value of [answerId, randomUUID(), 'no id', '']) {
      const repeats = createAnswerRepeats({ ...cache, get: async () => value })
      expect((await ask({ parts: { repeats } })).repeats).toBeNull()
    }
  })

  test('when the earlier answer was not what the same question would get', async () => {
    const unlucky: [Asking, () => void][] = [
      // Nothing found.
      [{ text: 'Where is the Norwegian value added tax computed for subscriptions?' }, () => undefined],
      // The first model of the chain was away.
      [{ chain: 'openai:gpt-4.1, extractive:default' }, () => Object.assign(fake, { fault: { kind: 'status', status: 503 } })],
      // The day's budget chose another model.
      [{ parts: { dayTokens: 1 } }, () => undefined],
      // The search lacked a leg.
      [{ parts: { embedders: toEmbedders([{ ...lexicalEmbedder, embed: async () => Promise.reject(new Error('away')) }]) } }, () => undefined],
    ]
    await ask({ text: 'What is shop?' })
    for (const [asked, before] of unlucky) {
      before()
      expect((await ask(asked)).repeats).toBeNull()
      Object.assign(fake, { fault: null })
      const { parts: _, ...again } = asked
      expect((await ask(again)).repeats).toBeNull()
      await tenant.transaction((tx) => tx.execute(`update corpus set index_version = index_version + 1`))
    }
  })

  test('when somebody was given a right while it was answered', async () => {
    const hidden = await index(tenant, 'acme/hidden', 'granted')
    const repeats: AnswerRepeats = {
      async of(...given) {
        const made = await createAnswerRepeats(cache).of(...given)
        // After the rights were read for the key, and before they are for the search.
        await updateRepository(tenant, hidden, { audience: 'tenant' })
        return made
      },
    }
    await ask({ parts: { repeats } })
    await updateRepository(tenant, hidden, { audience: 'granted' })
    expect((await ask()).repeats).toBeNull()
  })
})
