import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Db, TenantDb } from '#db/index.ts'
import { answersInThread, findAnswer } from '#db/tenant/answers.ts'
import { addRepository } from '#db/tenant/repositories.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { suggestions } from './agents/suggest.ts'
import { answer, longestQuestion } from './answer.ts'
import type { AnswerParts, Question } from './answer.ts'
import { AnswerPart } from './answer-part.ts'
import { indexSource } from './indexing/index-changes.ts'
import { createLog } from './log.ts'
import { createMetrics } from './metrics.ts'
import { createExtractive } from './models/extractive.ts'
import { lexicalEmbedders } from './models/lexical.ts'
import { createGitSource } from './sources/git.ts'
import { createRepository } from './testing/create-repository.ts'
import type { TestRepository } from './testing/create-repository.ts'

const files = {
  'README.md': '# Shop\n\nShop is a small web shop for books.\n\n## Testing\n\nRun `npm test` to run the tests.\n',
  'src/verify.ts': `import { createHmac } from 'node:crypto'

/** Checks the signature of a webhook against the shared secret. */
export function verifySignature(body: Buffer, signature: string, secret: string): boolean {
  const expected = createHmac('sha256', secret).update(body).digest('hex')
  return expected === signature
}
`,
  'src/receive.ts': `import { verifySignature } from './verify.ts'

/** Receives a webhook and refuses what is not signed. */
export function receiveWebhook(body: Buffer, signature: string): boolean {
  return verifySignature(body, signature, process.env.WEBHOOK_SECRET ?? '')
}
`,
  'test/verify.test.ts': `import { verifySignature } from '../src/verify.ts'

test('refuses a wrong signature', () => {
  expect(verifySignature(Buffer.from('x'), 'nonsense', 'secret')).toBe(false)
})
`,
}

const log = createLog({ level: 'silent', process: 'test' })
let db: Db
let repository: TestRepository
let tenant: TenantDb
let parts: AnswerParts

beforeAll(async () => {
  ;[db, repository] = await Promise.all([openTestDb(), createRepository(files)])
  await repository.git('remote', 'add', 'origin', 'https://github.com/acme/shop.git')
  tenant = await createTestTenant(db)
  await index(tenant, 'acme/shop', 'tenant')
  const models = { dev: [createExtractive()], pm: [createExtractive()], architect: [createExtractive()] }
  parts = { db, embedders: lexicalEmbedders, models, log, metrics: createMetrics() }
})
afterAll(async () => {
  await db.close()
  await repository[Symbol.asyncDispose]()
})

async function index(into: TenantDb, name: string, audience: 'tenant' | 'granted') {
  const added = await addRepository(into, { name, source: 'git', location: repository.dir, audience })
  await indexSource({ embedders: lexicalEmbedders, log }, into, added, createGitSource(repository.dir))
}

async function ask(text: string, more: Partial<Question> = {}, from: TenantDb = tenant, signal = new AbortController().signal) {
  const given: AnswerPart[] = []
  for await (const part of answer(parts, from, { text, audience: { kind: 'tenant' }, asker: 'test:ada', ...more }, signal)) given.push(AnswerPart.parse(part))
  const done = given.find((part) => part.kind === 'done')
  const error = given.find((part) => part.kind === 'error')
  const citations = given.flatMap((part) => (part.kind === 'citation' ? [part.citation] : []))
  return { given, done, error, citations, text: given.map((part) => (part.kind === 'text' ? part.markdown : '')).join('') }
}

describe('an answer', () => {
  test('names the place, and its citations are lines of the commit', async () => {
    const { text, citations, given, done } = await ask('Where do we verify webhook signatures?')
    expect(text).toMatch(/^Webhook signatures are verified by `verifySignature` in `src\/verify\.ts` \(line 4\): "Checks the signature of a webhook against the shared secret" \[1\]\./)
    const sha = await repository.git('rev-parse', 'HEAD')
    expect(citations[0]).toMatchObject({ n: 1, repository: 'acme/shop', path: 'src/verify.ts', sha, url: expect.stringContaining(`https://github.com/acme/shop/blob/${sha}/src/verify.ts#L`) })
    for (const { path, startLine, endLine } of citations) {
      expect(startLine).toBeLessThanOrEqual(endLine)
      expect(endLine).toBeLessThanOrEqual(files[path as keyof typeof files].split('\n').length)
    }
    expect(given.at(-1)).toBe(done)
    expect(done).toMatchObject({ agent: 'dev', abstained: false, freshness: [{ repository: 'acme/shop', sha }], usage: { models: ['extractive:default'], tokens: 0, costUsd: 0 } })
    expect(Object.keys(done!.timings)).toEqual(expect.arrayContaining(['choose', 'retrieve', 'answer', 'total']))
  })

  test('is stored with what led to it', async () => {
    const { done, text } = await ask('Who calls verifySignature?')
    const stored = await findAnswer(tenant, done!.answerId)
    expect(stored).toMatchObject({ asker: 'test:ada', question: 'Who calls verifySignature?', agent: 'dev', markdown: text, abstained: false })
    expect(stored!.trace).toMatchObject({ chosen: { agent: 'dev', reason: expect.any(String) }, passages: expect.arrayContaining([expect.objectContaining({ path: 'src/verify.ts' })]), models: [{ model: 'extractive:default', outcome: 'answered' }] })
    const cited = await tenant.transaction((tx) => tx.query<{ n: number }>('select n from cited_chunk where answer_id = $1 order by n', [done!.answerId]))
    expect(cited.length).toBeGreaterThan(0)
  })

  test('a follow-up in the thread means the subject of the answer before', async () => {
    const thread = `slack:T1:C1:${randomUUID()}`
    await ask('Where do we verify webhook signatures?', { thread })
    const { text } = await ask('and where is it tested?', { thread })
    expect(text).toContain('`verifySignature`')
    expect(text).toContain('"refuses a wrong signature"')
    expect((await answersInThread(tenant, thread, 10)).map(({ question }) => question)).toEqual(['Where do we verify webhook signatures?', 'and where is it tested?'])
  })

  test('an agent that was asked for stays with the thread', async () => {
    const thread = `terminal:${randomUUID()}`
    await ask('Where do we verify webhook signatures?', { thread, agent: 'architect' })
    expect((await ask('Where is receiveWebhook?', { thread })).done).toMatchObject({ agent: 'architect' })
  })

  test('abstains when the sources do not hold it, naming the closest files', async () => {
    const { text, done } = await ask('Where is the Norwegian value added tax computed for subscriptions?')
    expect(done).toMatchObject({ abstained: true })
    expect(text).toMatch(/^I could not find this in `acme\/shop` \(indexed just now\)\./)
  })

  test('introduces the repository', async () => {
    expect((await ask('What is shop?')).text).toMatch(/^`README\.md` introduces it: "Shop is a small web shop for books/)
  })

  test('answers the questions that it suggests', async () => {
    const ids = (await tenant.transaction((tx) => tx.query<{ id: string }>('select id from repository'))).map(({ id }) => id)
    const suggested = await suggestions(tenant, ids)
    expect(suggested.length).toBeGreaterThan(0)
    for (const question of suggested) expect((await ask(question)).done).toMatchObject({ abstained: false })
  })
})

describe('who may read', () => {
  test('a granted source answers nobody it was not granted to, and is not named to them', async () => {
    const other = await createTestTenant(db)
    await index(other, 'acme/secret', 'granted')
    const { text, citations, done } = await ask('Where do we verify webhook signatures?', {}, other)
    expect(citations).toEqual([])
    expect(done).toMatchObject({ abstained: true, freshness: [] })
    expect(JSON.stringify(await findAnswer(other, done!.answerId)) + text).not.toMatch(/secret\b.*verify|acme\/secret|verifySignature/)
  })

  test('one repository can be asked alone, and one that is not there finds nothing', async () => {
    expect((await ask('Where do we verify webhook signatures?', { repository: 'acme/shop' })).done).toMatchObject({ abstained: false })
    expect((await ask('Where do we verify webhook signatures?', { repository: 'acme/other' })).done).toMatchObject({ abstained: true })
  })
})

describe('a question that cannot be answered', () => {
  test.each([
    ['', 'empty-question'],
    ['  \u200B\u2060 ?! ', 'empty-question'],
    ['x'.repeat(longestQuestion + 1), 'question-too-long'],
  ])('ends in one error (%#)', async (text, code) => {
    const { given } = await ask(text)
    expect(given).toEqual([{ kind: 'error', code, message: expect.any(String), retryable: false, ref: expect.stringMatching(/^[0-9A-F]{6}$/) }])
  })

  test('an unknown agent is refused', async () => {
    expect((await ask('Where is it?', { agent: 'poet' })).error).toMatchObject({ code: 'unknown-agent' })
  })

  test('a stop from outside ends in one error that says so', async () => {
    const { given } = await ask('Where do we verify webhook signatures?', {}, tenant, AbortSignal.abort())
    expect(given).toMatchObject([{ kind: 'error', code: 'interrupted', retryable: true }])
  })

  test('hidden marks in a question are not there for Nura', async () => {
    const { done } = await ask('Where do we ver\u200Bify web\u2060hook signatures?')
    expect((await findAnswer(tenant, done!.answerId))!.question).toBe('Where do we verify webhook signatures?')
  })
})
