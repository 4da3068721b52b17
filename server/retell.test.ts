import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Db, TenantDb } from '#db/index.ts'
import { deleteAnswer } from '#db/tenant/answers.ts'
import { addRepository, listRepositories, updateRepository } from '#db/tenant/repositories.ts'
import { findThread } from '#db/tenant/threads.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { watchSql } from '#db/testing/watch-sql.ts'
import { answer } from './answer.ts'
import type { AnswerParts, Question } from './answer.ts'
import { AnswerPart } from './answer-part.ts'
import { indexSource } from './indexing/index-changes.ts'
import { createLog } from './log.ts'
import type { Embedder } from './models/embedder.ts'
import { createExtractive } from './models/extractive.ts'
import { lexicalEmbedders } from './models/lexical.ts'
import { createGitSource } from './sources/git.ts'
import { sampleSections } from './testing/activity.ts'
import { createRepository } from './testing/create-repository.ts'
import type { TestRepository } from './testing/create-repository.ts'

const log = createLog({ level: 'silent', process: 'test' })
const question = 'What checks webhook signatures?'
let db: Db
let repository: TestRepository
let tenant: TenantDb
let parts: AnswerParts
/** Texts that were embedded for questions, and questions that were counted for. */
const embedded: string[] = []
const counted: string[] = []

beforeAll(async () => {
  ;[db, repository] = await Promise.all([
    openTestDb(),
    createRepository({
      'src/verify.ts': '/** Checks the signature of a webhook against the shared secret. */\nexport function verifySignature(body: Buffer): boolean {\n  return check(body)\n}\n',
      'docs/webhooks.md': '# Webhook signatures\n\nWe verify webhook signatures before anything else, so that nobody can forge an order.\n',
    }),
  ])
  tenant = await createTestTenant(db)
  const added = await addRepository(tenant, { name: 'acme/shop', source: 'git', location: repository.dir })
  await indexSource({ embedders: lexicalEmbedders, log }, tenant, added, createGitSource(repository.dir))
  const watch = (embedder: Embedder): Embedder => ({ ...embedder, embed: (texts, ...rest) => (embedded.push(...texts), embedder.embed(texts, ...rest)) })
  const primary = watch(lexicalEmbedders.primary)
  const models = { dev: [createExtractive()], pm: [createExtractive()], architect: [createExtractive()] }
  const answerActivity: AnswerParts['answerActivity'] = async (_, __, { text, readable }) => {
    counted.push(text)
    return /shipped/.test(text) ? { sections: sampleSections().map((section) => ({ ...section, lists: section.lists.map((list) => ({ ...list, repositoryId: readable[0]!.id })) })) } : null
  }
  parts = { db, embedders: { of: () => primary }, models, log, answerActivity }
})
afterAll(async () => {
  await db.close()
  await repository[Symbol.asyncDispose]()
})

async function ask(text: string, more: Partial<Question> = {}) {
  const given: AnswerPart[] = []
  for await (const part of answer(parts, tenant, { text, audience: { kind: 'tenant' }, asker: 'test:ada', ...more }, new AbortController().signal)) given.push(AnswerPart.parse(part))
  const last = given.at(-1)!
  const reports = given.flatMap((part) => (part.kind === 'report' ? [part.report] : []))
  return { given, last, reports, id: last.kind === 'done' ? last.answerId : '', text: given.map((part) => (part.kind === 'text' ? part.markdown : '')).join('') }
}

describe('the same evidence, told for somebody else', () => {
  test('is what the other agent says of it, with nothing searched for and nothing embedded', async () => {
    const first = await ask(question, { agent: 'dev' })
    embedded.length = 0
    const sql: string[] = []
    const end = watchSql(db, ({ text }) => void sql.push(text))
    const told = await ask('whatever the button says', { agent: 'pm', retell: first.id })
    end()
    expect(told.last).toMatchObject({ kind: 'done', agent: 'pm', abstained: false })
    expect(told.text).not.toBe(first.text)
    expect(embedded).toEqual([])
    expect(sql.join('\n')).not.toMatch(/<=>|<#>/)
    expect((await ask('again', { agent: 'dev', retell: told.id })).text).toBe(first.text)
  })

  test('names its documents as they were named', async () => {
    await tenant.transaction((tx) => tx.execute(`update file set title = 'Handbook', url = 'https://wiki.example/handbook' where path = 'docs/webhooks.md'`))
    const cited = ({ given }: Awaited<ReturnType<typeof ask>>) => given.flatMap((part) => (part.kind === 'citation' && part.citation.path === 'docs/webhooks.md' ? [[part.citation.title, part.citation.url]] : []))
    const first = await ask('Why do we verify webhook signatures before anything else?', { agent: 'dev' })
    const told = await ask('whatever', { agent: 'pm', retell: first.id })
    expect(cited(first)).toEqual([['Handbook', 'https://wiki.example/handbook']])
    expect(cited(told)).toEqual(cited(first))
  })

  test('changes neither who answers in the thread from then on, nor what it is about', async () => {
    const thread = `slack:T1:C1:${randomUUID()}`
    const first = await ask(question, { thread })
    await ask('whatever', { agent: 'architect', retell: first.id, thread })
    expect((await ask('and where is it tested?', { thread })).last).toMatchObject({ agent: first.last.kind === 'done' ? first.last.agent : '' })
    expect((await findThread(tenant, thread))?.agent ?? null).toBe(null)
  })

  test('has the same numbers, counted once', async () => {
    const first = await ask('What shipped last week?')
    counted.length = 0
    const told = await ask('whatever', { agent: 'dev', retell: first.id })
    expect(counted).toEqual([])
    expect(told.reports).toEqual(first.reports)
    expect(told.text).toContain('Cache the plan')
    expect(first.text).not.toContain('Cache the plan')
  })

  test('is refused where the answer is gone, or never was', async () => {
    const { id } = await ask(question)
    await deleteAnswer(tenant, id)
    for (const retell of [id, randomUUID()]) expect((await ask('again', { agent: 'pm', retell })).last).toMatchObject({ kind: 'error', code: 'evidence-gone' })
  })

  test('tells readers nothing that they may not be answered from', async () => {
    const found = await ask(question)
    const shipped = await ask('What shipped last week?')
    const { id } = (await listRepositories(tenant))[0]!
    await updateRepository(tenant, id, { audience: 'granted' })
    for (const retell of [found.id, shipped.id]) expect((await ask('again', { agent: 'pm', retell })).last).toMatchObject({ kind: 'error', code: 'evidence-gone' })
    await updateRepository(tenant, id, { audience: 'tenant' })
  })
})
