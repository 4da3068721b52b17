import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openDb } from '#db/index.ts'
import type { Db, TenantDb } from '#db/index.ts'
import { remember } from '#db/shared/readers.ts'
import { deleteAnswer } from '#db/tenant/answers.ts'
import { grantSource, revokeSource } from '#db/tenant/grants.ts'
import { addRepository, removeRepository, updateRepository } from '#db/tenant/repositories.ts'
import type { Repository } from '#db/tenant/repository.ts'
import { countRows } from '#db/testing/count-rows.ts'
import { createTestTenant, openTestDb } from '#db/testing/open-test-db.ts'
import { readServerConfig } from '#server/config.ts'
import { createCore } from '#server/create-core.ts'
import type { Core } from '#server/create-core.ts'
import { createLog } from '#server/log.ts'
import { createMetrics } from '#server/metrics.ts'
import { createRepository } from '#server/testing/create-repository.ts'
import type { TestRepository } from '#server/testing/create-repository.ts'
import { openTestServer, signToken } from '#server/testing/open-test-server.ts'
import { replayFeedback, tellFeedback } from './feedback.ts'
import type { FeedbackResult } from './feedback.ts'

const verify = '/** Checks the signature of a webhook against the shared secret. */\nexport function verifySignature(body: string, secret: string): boolean {\n  return body === secret\n}\n'
const pay = '/** Charges the card of an order once. */\nexport function chargeCard(order: string): string {\n  return order\n}\n'
const question = 'Where do we verify the signature of a webhook?'
const never = new AbortController().signal
const log = createLog({ level: 'silent', process: 'test' })
const toCore = (db: Db): Core => createCore({ config: readServerConfig({}), githubConfig: null, db, log, metrics: createMetrics() })

/** Asks over HTTP and finds the answer bad, as the bots do. @returns the answer's id */
async function askInVain(db: Db, core: Core, tenant: TenantDb, body: object = {}, reason: string | undefined = 'wrong'): Promise<string> {
  const server = await openTestServer(db, { answer: core.answer })
  try {
    const headers = { authorization: `Bearer ${await signToken(tenant, { sub: 'slack:T1:U-secret' })}`, 'content-type': 'application/json' }
    const post = (path: string, sent: object) => fetch(`${server.url}${path}`, { method: 'POST', headers, body: JSON.stringify(sent) })
    const { answerId } = (await (await post('/v1/ask', { question, ...body })).json()) as { answerId: string }
    expect((await post(`/v1/answers/${answerId}/feedback`, { verdict: 'down', ...(reason && { reason }) })).status).toBe(204)
    return answerId
  } finally {
    await server.close()
  }
}

describe('answers that were found bad', () => {
  let db: Db
  let core: Core
  let checkout: TestRepository
  let tenant: TenantDb
  let shop: Repository

  beforeAll(async () => {
    ;[db, checkout] = await Promise.all([openTestDb(), createRepository({ 'src/verify.ts': verify, 'src/pay.ts': pay })])
    core = toCore(db)
  })
  beforeEach(async () => {
    tenant = await createTestTenant(db)
    shop = await connect('acme/shop')
  })
  afterAll(async () => {
    await db.close()
    await checkout[Symbol.asyncDispose]()
  })

  async function connect(name: string, audience: 'tenant' | 'granted' = 'tenant'): Promise<Repository> {
    const added = await addRepository(tenant, { name, source: 'git', location: checkout.dir, audience })
    await index(added)
    return added
  }
  const index = (repository: Repository) => core.indexSource(tenant, repository, core.openSource(repository), {})
  const replay = (slug = tenant.slug): Promise<FeedbackResult> => replayFeedback({ db, core }, slug, 10, never)

  test('are asked again of the same index: the same, told with the reason, and by nobody', async () => {
    const answerId = await askInVain(db, core, tenant)
    const result = await replay()
    expect(result.cases).toMatchObject([{ answerId, audience: 'tenant', people: 1, reasons: ['wrong'], withheld: null, question, lacking: [], counts: { citedThen: 1, stillThere: 1, citedAgain: 1, citedNow: 1 } }])
    const [{ before, now }] = result.cases as [FeedbackResult['cases'][number]]
    expect(now).toEqual({ ...before, cited: before.cited!.map(({ fate: _, isCitedNow: __, ...place }) => ({ ...place, wasCitedThen: true })) })
    expect(before.cited).toMatchObject([{ path: 'src/verify.ts', fate: 'stands', isCitedNow: true }])
    const told = tellFeedback(result)
    expect(told).toContain(`asked: ${question}`)
    expect(told).toContain('1 asked again, 0 not found now (then 0); 1 of 1 places cited then stand, 1 are cited again')
    expect(told + JSON.stringify(result)).not.toContain('U-secret')
  })

  test('are asked again without a trace: not one row more, and none changed', async () => {
    await askInVain(db, core, tenant, { thread: 'slack:T1:C1:1.1', audience: { kind: 'public' } })
    await askInVain(db, core, tenant, { thread: 'slack:T1:C1:1.1' })
    const rows = () => tenant.transaction((tx) => tx.query(`select (select jsonb_agg(to_jsonb(a) order by id) from answer a) as answers, (select jsonb_agg(to_jsonb(t)) from thread t) as threads, (select jsonb_agg(to_jsonb(f)) from feedback f) as feedback`))
    const before = [await countRows(db), await rows()]
    expect((await replay()).cases).toHaveLength(2)
    expect([await countRows(db), await rows()]).toEqual(before)
  })

  test.each([
    ['changed', async () => checkout.write({ 'src/verify.ts': 'export const other = 1\n' }), 'changed'],
    ['gone', async () => checkout.remove('src/verify.ts'), 'file-gone'],
  ] as const)('tell what became of a file that is %s', async (_, change, fate) => {
    await askInVain(db, core, tenant)
    await change()
    await checkout.commit()
    try {
      await index(shop)
      const { cases } = await replay()
      expect(cases[0]).toMatchObject({ withheld: null, before: { abstained: false, cited: [{ path: 'src/verify.ts', fate, isCitedNow: false }] }, now: { abstained: true }, counts: { stillThere: 0 } })
    } finally {
      await checkout.write({ 'src/verify.ts': verify })
      await checkout.commit()
    }
  })

  test('a file that only moved stands', async () => {
    await askInVain(db, core, tenant)
    await checkout.move('src/verify.ts', 'lib/check.ts')
    await checkout.commit()
    try {
      await index(shop)
      expect((await replay()).cases[0]).toMatchObject({ before: { cited: [{ path: 'src/verify.ts', fate: 'stands' }] }, counts: { stillThere: 1 } })
    } finally {
      await checkout.move('lib/check.ts', 'src/verify.ts')
      await checkout.commit()
    }
  })

  test('a repository that was deleted comes back with no word of it', async () => {
    await askInVain(db, core, tenant)
    await removeRepository(tenant, shop.id)
    const result = await replay()
    expect(result.cases).toMatchObject([{ withheld: expect.stringContaining('no longer there'), question: null, before: { markdown: null, cited: null }, now: { abstained: true, markdown: null, cited: null }, counts: { citedThen: 1, stillThere: 0 } }])
    await connect('acme/shop')
    const again = await replay()
    expect(again.cases).toMatchObject([{ withheld: expect.stringContaining('no longer there'), question: null, now: { abstained: false, markdown: null } }])
    expect(JSON.stringify([result, again]) + tellFeedback(result) + tellFeedback(again)).not.toMatch(/verify|signature/)
  })

  test('what was told from a source of a few is not told to all, and is asked with the rights of now', async () => {
    const channel = { kind: 'channel' as const, id: 'slack:T1:C-few' }
    await remember(db, tenant.id, { ...channel, surface: 'slack' })
    await updateRepository(tenant, shop.id, { audience: 'granted' })
    await grantSource(tenant, shop.id, channel)
    await askInVain(db, core, tenant, { audience: channel }, 'the secret of the signature')
    const still = await replay()
    expect(still.cases).toMatchObject([{ audience: 'channel', withheld: expect.stringContaining('not open to everyone'), question: null, reasons: [], before: { abstained: false, markdown: null }, now: { abstained: false, markdown: null, cited: null }, counts: { citedAgain: 1 } }])
    await revokeSource(tenant, shop.id, channel)
    const revoked = await replay()
    expect(revoked.cases).toMatchObject([{ question: null, now: { abstained: true, markdown: null }, counts: { citedNow: 0 } }])
    expect(JSON.stringify([still, revoked]) + tellFeedback(still)).not.toMatch(/verify|signature|C-few/)
  })

  test('a channel is told of what everyone may read, though it may read more', async () => {
    const channel = { kind: 'channel' as const, id: 'slack:T1:C-more' }
    await remember(db, tenant.id, { ...channel, surface: 'slack' })
    await askInVain(db, core, tenant, { audience: channel, repository: 'acme/shop' })
    expect((await replay()).cases).toMatchObject([{ audience: 'channel', withheld: null, question }])
    const vault = await addRepository(tenant, { name: 'acme/vault', source: 'git', location: `${checkout.dir}/.`, audience: 'granted' })
    await grantSource(tenant, vault.id, channel)
    expect((await replay()).cases).toMatchObject([{ withheld: null, question }])
  })

  test('what was asked in private stays there', async () => {
    const person = { kind: 'person' as const, id: 'slack:T1:U-secret' }
    await remember(db, tenant.id, { ...person, surface: 'slack' })
    await askInVain(db, core, tenant, { audience: person }, 'because I say so')
    const result = await replay()
    expect(result.cases).toMatchObject([{ audience: 'person', withheld: 'it was asked in private', reasons: [], question: null, before: { abstained: false, markdown: null, cited: null }, now: { abstained: false, markdown: null, cited: null }, counts: { citedThen: 1, citedAgain: 1 } }])
    expect(JSON.stringify(result) + tellFeedback(result)).not.toMatch(/verify|signature|because I say/)
  })

  test('nobody hears of another tenant', async () => {
    await askInVain(db, core, tenant)
    const other = await createTestTenant(db)
    expect(await replay(other.slug)).toEqual({ tenant: other.slug, cases: [], costUsd: 0 })
    await expect(replay('nobody')).rejects.toMatchObject({ code: 'unknown-tenant' })
  })

  test('what was deleted, has expired, or was found good after all is no case', async () => {
    const [deleted, expired, good] = [await askInVain(db, core, tenant), await askInVain(db, core, tenant), await askInVain(db, core, tenant)]
    await deleteAnswer(tenant, deleted)
    await tenant.transaction(async (tx) => {
      await tx.execute('update answer set expires_at = now() where id = $1', [expired])
      await tx.execute(`update feedback set verdict = 'up' where answer_id = $1`, [good])
    })
    expect((await replay()).cases).toEqual([])
  })

  test('a follow-up is asked with the turns before it, and told to lack them once they are deleted', async () => {
    const thread = `slack:T1:C1:${randomUUID()}`
    const first = await askInVain(db, core, tenant, { thread, question: 'What does chargeCard do?' })
    await askInVain(db, core, tenant, { thread, question: 'Where is it defined?' })
    const [followUp] = (await replay()).cases
    expect(followUp).toMatchObject({ question: 'Where is it defined?', lacking: [], now: { abstained: false, cited: [{ path: 'src/pay.ts' }] } })
    await deleteAnswer(tenant, first)
    expect((await replay()).cases).toMatchObject([{ question: 'Where is it defined?', lacking: ['the question before it'] }])
  })

  test('who was asked for by name is asked again; what is not kept is named', async () => {
    await askInVain(db, core, tenant, { agent: 'architect', context: [{ author: 'Ada', text: 'We talked of parcels.', trusted: true }] })
    const result = await replay()
    expect(result.cases).toMatchObject([{ lacking: ['the conversation around it'], before: { agent: 'architect' }, now: { agent: 'architect' } }])
    expect(tellFeedback(result)).not.toContain('parcels')
  })

  test('an answer of before its readers were kept is not asked again', async () => {
    const id = await askInVain(db, core, tenant)
    await tenant.transaction((tx) => tx.execute('update answer set asked = null where id = $1', [id]))
    expect((await replay()).cases).toMatchObject([{ audience: null, withheld: 'who was to read it was not kept', question: null, lacking: ['who was to read it'], now: null, before: { markdown: null } }])
  })
})

test('the command reads the stores that the environment names', { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nura-feedback-'))
  await using checkout = await createRepository({ 'src/verify.ts': verify })
  try {
    const db = await openDb({ url: null, dataDir: join(folder, 'data'), encryptionKey: null, poolSize: 4 })
    const core = toCore(db)
    for (const slug of ['acme', 'globex']) {
      const tenant = await createTestTenant(db, slug)
      const added = await addRepository(tenant, { name: `${slug}/shop`, source: 'git', location: checkout.dir })
      await core.indexSource(tenant, added, core.openSource(added), {})
      await askInVain(db, core, tenant, {}, `${slug} did not like it`)
    }
    await db.close()
    const json = join(folder, 'result.json')
    const env = { NURA_DATA_DIR: join(folder, 'data') }
    const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), '--feedback', 'acme', '--json', json], { stdio: ['ignore', 'pipe', 'inherit'], env })
    const [said, [exit]] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number]>])
    expect(said).toContain('acme did not like it')
    expect(said).toContain('1 answers of acme were found bad; 1 asked again')
    expect(said + (await readFile(json, 'utf8'))).not.toContain('globex')
    expect(exit).toBe(0)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
