import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { readEnv } from '#db/read-env.ts'
import type { Db, TenantDb } from '#db/index.ts'
import { addRepository } from '#db/tenant/repositories.ts'
import { readUsage, tokensSince } from '#db/tenant/usage.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { awayNotice } from './answer.ts'
import type { AnswerPart } from './answer-part.ts'
import { readServerConfig, serverEnv, toServerConfig } from './config.ts'
import { createCore } from './create-core.ts'
import type { Core } from './create-core.ts'
import { createLog } from './log.ts'
import { createMetrics } from './metrics.ts'
import { createGitSource } from './sources/git.ts'
import { createRepository } from './testing/create-repository.ts'
import type { TestRepository } from './testing/create-repository.ts'
import { startFakeOpenai } from './testing/fake-openai.ts'
import type { FakeOpenai } from './testing/fake-openai.ts'

const question = 'Where do we check that a payload was signed?'
let db: Db
let tei: FakeOpenai
let repository: TestRepository
let tenant: TenantDb
let lines: string[] = []

beforeAll(async () => {
  ;[db, tei] = await Promise.all([openTestDb(), startFakeOpenai()])
  repository = await createRepository({ 'src/signature.ts': '/** Checks that a payload was signed with our secret. */\nexport function verifySignature(payload: string, signature: string): boolean {\n  return hmac(payload) === signature\n}\n' })
  tenant = await createTestTenant(db)
  const { id } = await addRepository(tenant, { name: 'acme/shop', source: 'git', location: repository.dir, audience: 'tenant' })
  await open().core.indexSource(tenant, { id }, createGitSource(repository.dir), {})
})
afterEach(() => {
  tei.vectors.fault = null
  lines = []
})
afterAll(async () => {
  await Promise.all([db.close(), tei.close()])
  await repository[Symbol.asyncDispose]()
})

/** A process whose environment names these embedders. */
function open(embedding = `openai:BAAI/bge-m3@${tei.url}`) {
  const metrics = createMetrics()
  const log = createLog({ level: 'warn', process: 'test', destination: { write: (line: string) => void lines.push(line) } })
  const config = toServerConfig(readEnv(serverEnv, { EMBEDDING_MODELS: embedding }))
  return { metrics, log, core: createCore({ config, githubConfig: null, db, log, metrics }) }
}

async function ask({ core, log }: { core: Core; log: ReturnType<typeof createLog> }): Promise<{ done: Extract<AnswerPart, { kind: 'done' }>; text: string }> {
  let done: AnswerPart | undefined
  let text = ''
  for await (const part of core.answer(tenant, { text: question, audience: { kind: 'tenant' }, asker: 'test:ada' }, new AbortController().signal, { log } as never)) {
    if (part.kind === 'text') text += part.markdown
    done = part
  }
  if (done?.kind !== 'done') throw new Error(JSON.stringify(done))
  return { done, text }
}

describe('with an embedding model', () => {
  test('documents and questions are embedded by it, and each call is in the usage and the metrics', async () => {
    const asked = tei.vectors.requests.length
    const opened = open()
    const { done, text } = await ask(opened)
    expect(text).toContain('verifySignature')
    expect(done.notice).toBeUndefined()
    expect(tei.vectors.requests.slice(asked)).toEqual([[question]])
    const usage = await readUsage(tenant, new Date(0))
    expect(usage).toContainEqual(expect.objectContaining({ agent: 'indexing', provider: 'openai', model: 'openai:BAAI/bge-m3', outputTokens: 0 }))
    expect(usage).toContainEqual(expect.objectContaining({ agent: 'search', provider: 'openai', model: 'openai:BAAI/bge-m3', inputTokens: Math.ceil(question.length / 4) }))
    expect(await opened.metrics.registry.metrics()).toContain('nura_model_calls_total{provider="openai",model="openai:BAAI/bge-m3",outcome="answered"} 1')
  })

  test('what embedding costs is no part of the day’s tokens of language models', async () => {
    expect(await tokensSince(tenant, new Date(0))).toBe(0)
  })

  test('that is away, the answer is found by words and names, and says so', async () => {
    tei.vectors.fault = { kind: 'status', status: 503, message: 'Model is loading' }
    const { done, text } = await ask(open())
    expect(text).toContain('verifySignature')
    expect(done).toMatchObject({ abstained: false, notice: awayNotice })
    expect(lines.join()).toContain('an embedding model failed')
    expect(lines.join()).not.toContain('payload')
  })

  test('that sends vectors of another length, nothing is compared', async () => {
    tei.vectors.fault = { kind: 'dimensions', count: 768 }
    expect((await ask(open())).done.notice).toBe(awayNotice)
  })
})

describe('without a model of the tenant’s space', () => {
  test('answers are found by words and names', async () => {
    expect((await ask(open('lexical:default'))).done.notice).toBe(awayNotice)
  })

  test('another preferred space is told once a tenant, with how to change', async () => {
    const other = await createTestTenant(db)
    const { id } = await addRepository(other, { name: 'acme/shop', source: 'git', location: repository.dir })
    const source = createGitSource(repository.dir)
    await open('lexical:default').core.indexSource(other, { id }, source, {})
    const { core } = open()
    for (let at = 0; at < 3; at++) await core.indexSource(other, { id }, source, {})
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('npm run tenant -- embeddings NAME --to bge-m3/1024')
    expect(lines[0]).toContain('lexical:default')
  })
})

test('the lexical embedder leaves no trace in the usage', async () => {
  const other = await createTestTenant(db)
  const { id } = await addRepository(other, { name: 'acme/shop', source: 'git', location: repository.dir, audience: 'tenant' })
  const { core } = open('lexical:default')
  await core.indexSource(other, { id }, createGitSource(repository.dir), {})
  await core.search(other, { question, audience: { kind: 'tenant' } })
  expect(await readUsage(other, new Date(0))).toEqual([])
})

function logOf(env: Record<string, string>): { msg: string }[] {
  const lines: string[] = []
  const log = createLog({ level: 'warn', process: 'server', destination: { write: (line: string) => void lines.push(line) } })
  createCore({ config: readServerConfig({ EMBEDDING_MODELS: 'lexical:default', ...env }), githubConfig: null, db, log, metrics: createMetrics() })
  return lines.map((line) => JSON.parse(line) as { msg: string })
}

test('names once the keys whose models a deployment option goes without', () => {
  const left = logOf({ NURA_MODELS: 'development', OPENAI_API_KEY: 'sk-canary' }).map(({ msg }) => msg).filter((msg) => msg.includes('NURA_MODELS'))
  expect(left).toEqual(['models left out of NURA_MODELS=development: Claude Sonnet, because ANTHROPIC_API_KEY is not set'])
})

test('says nothing of the kind where no option is chosen', () => {
  expect(logOf({})).toEqual([])
})
