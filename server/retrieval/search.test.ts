import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Db, TenantDb } from '#db/index.ts'
import { remember } from '#db/shared/readers.ts'
import { grantSource } from '#db/tenant/grants.ts'
import { addRepository, updateRepository } from '#db/tenant/repositories.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { NuraError } from '#db/nura-error.ts'
import { indexSource } from '../indexing/index-changes.ts'
import { createLog } from '../log.ts'
import { toEmbedders } from '../models/embedder.ts'
import type { Reranker } from '../models/reranker.ts'
import { lexicalEmbedder, lexicalEmbedders } from '../models/lexical.ts'
import { createGitSource } from '../sources/git.ts'
import { createRepository } from '../testing/create-repository.ts'
import type { Audience } from './audience.ts'
import { relate } from './relate.ts'
import { search } from './search.ts'

const log = createLog({ level: 'silent', process: 'test' })
const channel: Audience = { kind: 'channel', id: 'slack:T1:C1' }

const verify = `import { createHmac, timingSafeEqual } from 'node:crypto'

/** Checks that a payload was signed with our secret. */
export function verifySignature(payload: string, signature: string, secret: string): boolean {
  const expected = createHmac('sha256', secret).update(payload).digest()
  return timingSafeEqual(expected, Buffer.from(signature, 'hex'))
}
`
const shop = {
  'README.md':
    '# Shop\n\nA small shop. Orders arrive as webhooks.\n\n## Deployment\n\nRun the image behind a proxy and set SHOP_SECRET.\n',
  'src/signature.ts': verify,
  'src/webhook.ts': `import { verifySignature } from './signature.ts'

/** Takes an order that a payment provider announces. */
export function receiveWebhook(body: string, header: string): void {
  if (!verifySignature(body, header, process.env.SHOP_SECRET ?? '')) throw new Error('bad signature')
}
`,
  'src/cart.ts': 'export class Cart {\n  /** Sums up all lines. */\n  total(): number {\n    return 0\n  }\n}\n',
  'test/signature.test.ts': `import { verifySignature } from '../src/signature.ts'\n\ntest('verify signature of webhook payload', () => {\n  verifySignature('verify', 'signature', 'webhook')\n})\n`,
  'vendor-copy/signature.ts': verify,
}

let db: Db
let tenant: TenantDb
const ids: Record<string, string> = {}

async function index(
  to: TenantDb,
  name: string,
  files: Record<string, string>,
  options: { audience?: 'granted'; isPublic?: boolean } = {},
): Promise<string> {
  await using repository = await createRepository(files)
  const { id } = await addRepository(to, {
    name,
    source: 'git',
    location: repository.dir,
    url: `https://github.com/${name}`,
    ...options,
  })
  await indexSource({ embedders: lexicalEmbedders, log }, to, { id }, createGitSource(repository.dir))
  return id
}

beforeAll(async () => {
  db = await openTestDb()
  tenant = await createTestTenant(db)
  ids.shop = await index(tenant, 'acme/shop', shop)
  ids.secret = await index(
    tenant,
    'acme/secret',
    { 'src/signature.ts': `${verify}\n// canary-granted\n` },
    { audience: 'granted' },
  )
  ids.open = await index(
    tenant,
    'acme/open',
    { 'src/open.ts': '// canary-public\nexport const verifyOpenSignature = 1\n' },
    { isPublic: true },
  )
  await grantSource(tenant, ids.secret, { kind: 'channel', id: channel.id })
  await remember(db, tenant.id, { kind: 'person', id: 'slack:T1:U1', surface: 'slack' })
})
afterAll(() => db.close())

const ask = (question: string, more: Partial<Parameters<typeof search>[2]> = {}, embedder = lexicalEmbedder) =>
  search({ db, embedders: toEmbedders([embedder]) }, tenant, { question, audience: { kind: 'tenant' }, ...more })

describe('what is found', () => {
  test('the definition comes first, with lines of its commit', async () => {
    const { passages, strength, degraded, trace } = await ask('where do we check that a payload was signed?')
    expect(passages[0]).toMatchObject({
      n: 1,
      repository: 'acme/shop',
      path: 'src/signature.ts',
      contentType: 'code',
      language: 'typescript',
    })
    const { content, startLine, endLine, sha } = passages[0]!
    expect(content).toBe(
      verify
        .split('\n')
        .slice(startLine - 1, endLine)
        .map((line) => `${line}\n`)
        .join(''),
    )
    expect(sha).toMatch(/^[0-9a-f]{40}$/)
    expect(passages.map(({ n }) => n)).toEqual(passages.map((_, at) => at + 1))
    expect(strength.isEnough).toBe(true)
    expect(degraded).toBeNull()
    expect(trace.considered[0]).toMatchObject({ path: 'src/signature.ts', chosen: true })
  })

  test('source comes before its test, unless tests are asked for', async () => {
    const paths = (await ask('verify signature', { repository: 'acme/shop' })).passages.map(({ path }) => path)
    expect(paths.indexOf('src/signature.ts')).toBeLessThan(paths.indexOf('test/signature.test.ts'))
    const tests = (await ask('which tests cover verifySignature?', { repository: 'acme/shop' })).passages.map(({ path }) => path)
    expect(tests.slice(0, 2)).toContain('test/signature.test.ts')
  })

  test('a name and a path find what they name', async () => {
    expect((await ask('what does `Cart.total` do?')).passages[0]!.path).toBe('src/cart.ts')
    expect((await ask('explain src/webhook.ts')).passages[0]!.path).toBe('src/webhook.ts')
    expect((await ask('how do I deploy it?')).passages[0]!.path).toBe('README.md')
  })

  test('a copy of a passage is left out and the trace says so', async () => {
    const { passages, trace } = await ask('where do we verify webhook signatures?', { repository: 'acme/shop' })
    expect(passages.map(({ path }) => path)).not.toContain('vendor-copy/signature.ts')
    expect(trace.dropped).toContainEqual(
      expect.objectContaining({ path: 'vendor-copy/signature.ts', reason: 'repeats src/signature.ts' }),
    )
  })

  test('a question about something else is not answered', async () => {
    const { strength } = await ask('where do we send the newsletter to Mailchimp?')
    expect(strength).toMatchObject({ isEnough: false, missing: expect.arrayContaining(['Mailchimp', 'newsletter']) })
  })

  test.each(['', '   ', '???', '\u0000', 'where is the', '日本語', "'; drop table x --", '( | & ! :*'])(
    '%j is no failure',
    async (question) => {
      await expect(ask(question)).resolves.toMatchObject({ passages: expect.any(Array) })
    },
  )

  test('the limit holds', async () => {
    expect((await ask('signature', { limit: 2 })).passages).toHaveLength(2)
  })
})

describe('who may read', () => {
  const everything = 'verify signature canary'
  const seen = async (audience: Audience, repository?: string) => {
    const { passages, repositories, trace } = await ask(everything, { audience, repository })
    const found = [...new Set(passages.map((passage) => passage.repository))].sort()
    expect(found.filter((name) => !repositories.some((each) => each.name === name))).toEqual([])
    expect(trace.repositories).toEqual(repositories.map(({ name }) => name))
    return found
  }
  test.each([
    ['the tenant', { kind: 'tenant' }, ['acme/open', 'acme/shop']],
    ['a channel with a grant', channel, ['acme/open', 'acme/secret', 'acme/shop']],
    ['a person known to the tenant', { kind: 'person', id: 'slack:T1:U1' }, ['acme/open', 'acme/shop']],
    ['a channel nobody knows', { kind: 'channel', id: 'slack:T1:C9' }, ['acme/open']],
    ['a person with the id of a channel', { kind: 'person', id: channel.id }, ['acme/open']],
    ['the public', { kind: 'public' }, ['acme/open']],
  ] as const)('%s', async (_, audience, expected) => {
    expect(await seen(audience)).toEqual(expected)
  })

  test('a repository that may not be read is as one that does not exist', async () => {
    expect(await seen({ kind: 'tenant' }, 'acme/secret')).toEqual([])
    expect(await seen({ kind: 'tenant' }, 'acme/none')).toEqual([])
    expect(await seen(channel, 'acme/secret')).toEqual(['acme/secret'])
  })

  test('nothing that may not be read is in the trace', async () => {
    const { trace, strength } = await ask('canary-granted verify signature', { audience: { kind: 'tenant' } })
    expect(JSON.stringify({ trace, strength })).not.toContain('acme/secret')
  })

  test('a repository that is being forgotten is not searched', async () => {
    await updateRepository(tenant, ids.open!, { state: 'forgetting' })
    expect(await seen({ kind: 'tenant' })).toEqual(['acme/shop'])
    await updateRepository(tenant, ids.open!, { state: 'ready' })
  })

  test('another tenant has its own', async () => {
    const other = await createTestTenant(db)
    await index(other, 'acme/shop', { 'src/signature.ts': 'export const verifySignature = "canary-other"\n' })
    const theirs = await search({ db, embedders: lexicalEmbedders }, other, { question: everything, audience: { kind: 'tenant' } })
    expect(theirs.passages.map(({ content }) => content).join()).toContain('canary-other')
    const { passages } = await ask(everything)
    expect(passages.map(({ content }) => content).join()).not.toContain('canary-other')
  })

  test('rights that cannot be read open nothing', async () => {
    const broken: Db = { ...db, control: () => Promise.reject(new Error('gone')) }
    const asked = search({ db: broken, embedders: lexicalEmbedders }, tenant, { question: everything, audience: channel })
    await expect(asked).rejects.toMatchObject({ name: 'NuraError', code: 'audience-unknown', retryable: true })
  })
})

describe('without vectors', () => {
  test('an embedder that is away leaves lexical search, and the result says so', async () => {
    const away = {
      ...lexicalEmbedder,
      embed: () => Promise.reject(new NuraError('model-unavailable', 'no answer', { retryable: true })),
    }
    const { passages, degraded, trace } = await ask('where do we check that a payload was signed?', {}, away)
    expect(passages[0]!.path).toBe('src/signature.ts')
    expect(degraded).toBe('vector')
    expect(trace.vectorFault).toContain('no answer')
    expect(passages.every(({ legs }) => legs.vector === undefined)).toBe(true)
  })

  test('vectors of another space are not compared', async () => {
    const other = { ...lexicalEmbedder, space: 'openai:other' }
    expect(await ask('verify signatures', {}, other)).toMatchObject({ degraded: 'vector', trace: { space: null } })
  })

  test('an abort ends the search', async () => {
    await expect(ask('verify', { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop')
  })
})

describe('with a reranker', () => {
  const asked = 'where do we check that a payload was signed?'
  const by = (reranker: Reranker) => search({ db, embedders: lexicalEmbedders, reranker }, tenant, { question: asked, audience: { kind: 'tenant' } })

  test('passages stand in an order that it has a say in, and the trace says which', async () => {
    const before = await ask(asked)
    const last = before.passages.at(-1)!
    const reranker: Reranker = { id: 'tei:m', maxTexts: 32, rerank: async (_, texts) => texts.map((text) => (text === `${last.path}\n${last.content}` ? 1 : 0)) }
    const after = await by(reranker)
    expect(after.passages[0]!.chunkId).toBe(last.chunkId)
    expect(after.passages.map(({ n }) => n)).toEqual(after.passages.map((_, at) => at + 1))
    expect(after.trace.reranked).toMatchObject({ model: 'tei:m', fault: null })
    expect(after.timings.rerank).toBeGreaterThanOrEqual(0)
  })

  test('that fails, and without one, everything is as it was', async () => {
    const before = await ask(asked)
    const after = await by({ id: 'tei:m', maxTexts: 32, rerank: () => Promise.reject(new NuraError('model-unavailable', 'away')) })
    expect(after.passages).toEqual(before.passages)
    expect(after.trace).toEqual({ ...before.trace, reranked: { model: 'tei:m', texts: expect.any(Number) as number, fault: 'away' } })
    expect(before.trace).not.toHaveProperty('reranked')
    expect(before.timings).not.toHaveProperty('rerank')
  })

  test('only passages that may be read are shown to it', async () => {
    const shown: string[] = []
    const reranker: Reranker = { id: 'tei:m', maxTexts: 32, rerank: async (_, texts) => (shown.push(...texts), texts.map(() => 0.5)) }
    await search({ db, embedders: lexicalEmbedders, reranker }, tenant, { question: 'where is verify signature, granted or public?', audience: { kind: 'tenant' } })
    expect(shown.length).toBeGreaterThan(1)
    expect(shown.join()).not.toContain('canary-granted')
    shown.length = 0
    await search({ db, embedders: lexicalEmbedders, reranker }, tenant, { question: 'where is verify signature, granted or public?', audience: channel })
    expect(shown.join()).toContain('canary-granted')
  })
})

describe('what stands around passages', () => {
  test('definitions, callers and tests, with their lines', async () => {
    const { passages, query } = await ask('where do we verify webhook signatures?', { repository: 'acme/shop' })
    const { symbols, relations } = await relate(tenant, passages, [ids.shop!], query)
    expect(symbols).toContainEqual(
      expect.objectContaining({
        name: 'verifySignature',
        kind: 'function',
        path: 'src/signature.ts',
        doc: 'Checks that a payload was signed with our secret.',
      }),
    )
    const files = new Map(Object.entries(shop))
    for (const { kind, from, to } of relations.filter((relation) => relation.kind === 'call')) {
      expect(files.get(from.path)!.split('\n')[from.line - 1], `${kind} in ${from.path}`).toContain(to.symbol)
      expect(files.get(to.path)!.split('\n')[to.line - 1]).toContain(to.symbol)
    }
    expect(relations).toContainEqual(
      expect.objectContaining({
        kind: 'import',
        from: expect.objectContaining({ path: 'src/webhook.ts' }),
        to: expect.objectContaining({ path: 'src/signature.ts' }),
      }),
    )
    expect(relations).toContainEqual(
      expect.objectContaining({ kind: 'test', from: expect.objectContaining({ path: 'test/signature.test.ts' }) }),
    )
  })

  test('who uses one of several things of a name, told by what they import', async () => {
    const own = await createTestTenant(db)
    const program = (of: string) => `/** Reads ${of}. */\nexport function decodeText(text: string) {\n  return text\n}\n`
    const user = (of: string) => `import { decodeText } from './${of}.ts'\n\nexport function read${of}(text: string) {\n  return decodeText(text)\n}\n`
    const kinds = ['json', 'yaml', 'toml']
    const id = await index(own, 'acme/parsers', Object.fromEntries(kinds.flatMap((of) => [[`src/${of}.ts`, program(of)], [`src/read-${of}.ts`, user(of)]])))
    const { passages, query } = await search({ db, embedders: lexicalEmbedders }, own, { question: 'who calls decodeText?', audience: { kind: 'tenant' } })
    const { relations } = await relate(own, passages, [id], query)
    const calls = relations.filter(({ kind }) => kind === 'call').map(({ from, to }) => `${from.path} → ${to.path}`)
    expect(calls.toSorted()).toEqual(kinds.map((of) => `src/read-${of}.ts → src/${of}.ts`).toSorted())
  })

  test('only within the repositories given', async () => {
    const { passages } = await ask('verify signature', { audience: channel })
    const { symbols, relations } = await relate(tenant, passages, [ids.shop!])
    expect(
      [...symbols, ...relations.flatMap(({ from, to }) => [from, to])].filter(({ repositoryId }) => repositoryId !== ids.shop),
    ).toEqual([])
    expect(await relate(tenant, passages, [])).toEqual({ symbols: [], relations: [] })
  })
})

test.each(['the money is sent back within a month', 'sending back worn shoes', 'how are worn shoes sent back?', 'who pays for sending shoes back?'])('%j finds the page that says so beside a program that uses the words', async (question) => {
  const own = await createTestTenant(db)
  const page = 'Whoever wants to send back worn shoes writes to us. The money is sent back within a month; who pays for sending them is said in the order.'
  await index(own, 'acme/returns', {
    'docs/returns.md': `# Returns\n\n${page}\n`,
    ...Object.fromEntries(['send', 'money', 'shoe', 'month', 'order', 'back'].map((word) => [`src/${word}.ts`, `/** Of the ${word}, what is sent and paid back. */\nexport function ${word}Back(${word}s: string[]): number {\n  return ${word}s.length\n}\n`])),
  })
  const { passages } = await search({ db, embedders: lexicalEmbedders }, own, { question, audience: { kind: 'tenant' } })
  expect(passages[0]!.path).toBe('docs/returns.md')
})
