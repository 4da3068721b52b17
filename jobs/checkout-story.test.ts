import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Db, TenantDb } from '#db/index.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { createCore } from '#server/create-core.ts'
import type { Core } from '#server/create-core.ts'
import { createRepository } from '#server/testing/create-repository.ts'
import type { TestRepository } from '#server/testing/create-repository.ts'
import { openTestServer, signToken } from '#server/testing/open-test-server.ts'
import type { TestServer } from '#server/testing/open-test-server.ts'
import { forgetRepository } from './forget-repository.ts'
import { syncRepository } from './sync-repository.ts'

const files = {
  'README.md': '# Gate\n\nA small gate.\n\n## Checking webhook signatures\n\nEvery webhook is checked before it is read. The secret is `GATE_SECRET`.\n',
  'src/verify-signature.ts':
    "import { createHmac } from 'node:crypto'\n\n/** Checks that a webhook was signed with our secret. */\nexport function verifySignature(body: string, secret: string, given: string): boolean {\n  return createHmac('sha256', secret).update(body).digest('hex') === given\n}\n",
  'src/receive.ts': "import { verifySignature } from './verify-signature.ts'\n\nexport function receive(body: string, given: string): boolean {\n  return verifySignature(body, 'secret', given)\n}\n",
  'src/replay.ts': "import { verifySignature } from './verify-signature.ts'\n\nexport const replay = (body: string, given: string) => verifySignature(body, 'old', given)\n",
  'logo.png': Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 1]),
}

let db: Db
let acme: TenantDb
let other: TenantDb
let server: TestServer
let core: Core
let checkout: TestRepository

beforeAll(async () => {
  db = await openTestDb()
  acme = await createTestTenant(db)
  other = await createTestTenant(db)
  checkout = await createRepository(files)
  const model = { provider: 'extractive', model: 'default', baseUrl: null }
  server = await openTestServer(db)
  core = createCore({ ...server.parts, githubConfig: null, config: { models: { dev: [model], pm: [model], architect: [model], embedding: [{ provider: 'lexical', model: 'default', baseUrl: null }], reranker: [] }, modelSettings: {}, dayTokens: null } as never })
  Object.assign(server.parts, { answer: core.answer, search: core.search, openSource: core.openSource })
})
afterAll(async () => {
  await server.close()
  await db.close()
  await checkout[Symbol.asyncDispose]()
})

async function call(method: string, path: string, body?: object, as = acme) {
  const response = await fetch(server.url + path, {
    method,
    headers: { authorization: `Bearer ${await signToken(as)}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  const text = await response.text()
  return { status: response.status, json: text === '' ? null : JSON.parse(text) }
}

it('a checkout is connected, indexed by its job, asked about, and forgotten', async () => {
  const context = { attempt: 1, lastAttempt: true, signal: new AbortController().signal }
  const parts = { ...server.parts, ...core }
  const added = await call('POST', '/v1/repositories', { path: checkout.dir, name: 'acme/gate' })
  expect(added.status).toBe(202)
  await syncRepository.run(server.queued.at(-1)?.payload as never, parts, context)

  const head = await checkout.git('rev-parse', 'HEAD')
  const { json: shown } = await call('GET', `/v1/repositories/${added.json.id}`)
  expect(shown).toMatchObject({ state: 'ready', error: null, indexedSha: head, files: 4, skipped: { binary: 1 } })
  expect(shown.chunks).toBeGreaterThan(3)

  const question = 'where do we verify webhook signatures?'
  const { json: answer } = await call('POST', '/v1/ask', { question })
  expect(answer.abstained).toBe(false)
  expect(answer.citations[0]).toMatchObject({ repository: 'acme/gate', path: 'src/verify-signature.ts', sha: head })
  expect((await call('GET', `/v1/answers/${answer.answerId}`)).json).toMatchObject({ question, agent: answer.agent })

  const { json: found } = await call('POST', '/v1/search', { question, limit: 3 })
  expect(found.passages.length).toBeLessThanOrEqual(3)
  expect(found.passages.map(({ n }: { n: number }) => n)).toEqual(found.passages.map((_: unknown, at: number) => at + 1))
  expect(found.passages.map(({ path }: { path: string }) => path)).toContain('src/verify-signature.ts')

  const { json: suggested } = await call('GET', '/v1/suggestions')
  expect(suggested.suggestions).toEqual(expect.arrayContaining([expect.stringContaining('verifySignature')]))
  expect((await call('GET', '/v1/suggestions?audience=public')).json).toEqual({ suggestions: [] })

  for (const path of ['/v1/ask', '/v1/search']) {
    const foreign = await call('POST', path, { question }, other)
    expect(JSON.stringify(foreign.json)).not.toMatch(/verify-signature|acme\/gate/)
  }

  expect((await call('DELETE', `/v1/repositories/${added.json.id}`)).status).toBe(202)
  expect((await call('POST', '/v1/search', { question })).json.passages).toEqual([])
  await forgetRepository.run(server.queued.at(-1)?.payload as never, parts, context)
  expect((await call('GET', '/v1/repositories')).json).toEqual({ repositories: [] })
  expect((await call('POST', '/v1/ask', { question })).json.abstained).toBe(true)
})
