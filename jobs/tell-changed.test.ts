import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { TenantDb } from '#db/index.ts'
import { accept, claim, finish, saveDelivery } from '#db/shared/inbox.ts'
import { findAnswer, saveAnswer } from '#db/tenant/answers.ts'
import { addRepository, updateRepository } from '#db/tenant/repositories.ts'
import { saveThread } from '#db/tenant/threads.ts'
import { createTestTenant } from '#db/testing/open-test-db.ts'
import type { GithubApp } from '#server/github/app.ts'
import { withMarker } from '#server/github/marker.ts'
import { indexSource } from '#server/indexing/index-changes.ts'
import { createLog } from '#server/log.ts'
import { lexicalEmbedders } from '#server/models/lexical.ts'
import { createGitSource } from '#server/sources/git.ts'
import { createRepository } from '#server/testing/create-repository.ts'
import type { TestRepository } from '#server/testing/create-repository.ts'
import { openTestGithub } from '#server/testing/open-test-github.ts'
import type { TestGithub } from '#server/testing/open-test-github.ts'
import { sweepAnswers } from './sweep-answers.ts'
import { tellChanged } from './tell-changed.ts'
import { jobContract } from './testing/job-contract.ts'

let setup: TestGithub
let app: GithubApp
beforeAll(async () => {
  setup = await openTestGithub()
  app = setup.openApp()
})
afterAll(() => setup.close())
afterEach(() => setup.github.clearFaults())

const log = createLog({ level: 'silent', process: 'test' })
const sha = '9f8e7d6c5b4a39281706f5e4d3c2b1a098765432'
const context = { attempt: 1, lastAttempt: false, signal: new AbortController().signal }

function partsOf(github: GithubApp | null = app) {
  const queued: { name: string; payload: unknown }[] = []
  return { queued, parts: { db: setup.db, log, github, enqueue: async (name: string, payload: unknown) => void queued.push({ name, payload }) } }
}

/** A stored answer whose source has changed. */
async function changedAnswer(tenant: TenantDb, thread: string | null = null): Promise<string> {
  if (thread !== null) await saveThread(tenant, { key: thread, surface: 'slack' })
  const id = await saveAnswer(tenant, { thread, asker: 'slack:T0:U0', question: 'where?', agent: 'dev', markdown: 'Here [1].', abstained: false, citations: [], trace: {}, usage: {}, citedChunks: [] })
  await tenant.transaction((tx) => tx.execute('update answer set changed_sha = $2, changed_at = now() where id = $1', [id, sha]))
  return id
}

/** The finished row of the reply that shows an answer. */
async function replyOf(tenant: TenantDb, answerId: string, row: { surface: string; threadKey: string; payload: object; delivery?: object }): Promise<string> {
  const { id } = await accept(setup.db, { tenantId: tenant.id, kind: 'message', eventKey: randomUUID(), ...row })
  const attempt = (await claim(setup.db, id)) as number
  await saveDelivery(setup.db, id, attempt, { answerId, ...row.delivery })
  await finish(setup.db, id, attempt, 'answered')
  return id
}

const inboxRows = (tenant: TenantDb) =>
  setup.db.control((tx) => tx.query<{ id: string; kind: string; state: string; payload: unknown; thread: string }>(`select id, kind, state, payload, thread_key as thread from inbox where tenant_id = $1 and kind = 'outdated'`, [tenant.id]))

const place = { surface: 'slack', workspace: 'T0', channel: 'C0', root: '1.0', direct: false }

async function onSlack(thread = `slack:T0:C0:${randomUUID()}`) {
  const tenant = await createTestTenant(setup.db)
  const answerId = await changedAnswer(tenant, thread)
  const inboxId = await replyOf(tenant, answerId, { surface: 'slack', threadKey: thread, payload: { kind: 'message', place, id: '1.0', text: 'where?' }, delivery: { messages: ['2.0'] } })
  return { tenant, answerId, inboxId, thread }
}

jobContract(tellChanged, async () => {
  const { tenant, answerId } = await onSlack()
  const { parts } = partsOf()
  const picture = async () => [await inboxRows(tenant), (await findAnswer(tenant, answerId))?.toldAt]
  return { payload: { tenantId: tenant.id, answerId }, parts, picture }
})

jobContract(sweepAnswers, async () => {
  const tenant = await createTestTenant(setup.db)
  const answerId = await changedAnswer(tenant)
  const { parts } = partsOf()
  // As the queue does: one hint for each key.
  const hints = new Set<string>()
  const enqueue = async (name: string, payload: object, { dedupe }: { dedupe?: string } = {}) => {
    if ('tenantId' in payload && payload.tenantId === tenant.id) hints.add(`${name} ${dedupe}`)
  }
  return { payload: {}, parts: { ...parts, enqueue }, picture: async () => ({ hints: [...hints], answerId }) }
})

it('leaves what is to be said on a platform to the process of the bot, in the thread of the answer', async () => {
  const { tenant, answerId, inboxId, thread } = await onSlack()
  const { parts, queued } = partsOf()
  await tellChanged.run({ tenantId: tenant.id, answerId }, parts, context)
  const [row, ...more] = await inboxRows(tenant)
  expect(more).toEqual([])
  expect(row).toMatchObject({ kind: 'outdated', state: 'accepted', thread, payload: { kind: 'outdated', place, id: answerId, inboxId, sha } })
  expect(queued).toEqual([{ name: 'answer-turn', payload: { inboxId: row!.id, tenantId: tenant.id } }])
})

it('a queue that is away loses nothing: the row is there, and nothing is told twice', async () => {
  const { tenant, answerId } = await onSlack()
  const { parts } = partsOf()
  const away = { ...parts, enqueue: async () => Promise.reject(new Error('away')) }
  await tellChanged.run({ tenantId: tenant.id, answerId }, away, context)
  await tellChanged.run({ tenantId: tenant.id, answerId }, parts, context)
  expect(await inboxRows(tenant)).toHaveLength(1)
})

describe('nobody is told', () => {
  const since = (tenant: TenantDb, answerId: string, days: number) => tenant.transaction((tx) => tx.execute(`update answer set created_at = now() - $2 * interval '1 day' where id = $1`, [answerId, days]))

  it.each<[string, (at: Awaited<ReturnType<typeof onSlack>>) => Promise<unknown>]>([
    ['of an answer that no reply shows any more', ({ inboxId }) => setup.db.control((tx) => tx.execute('delete from inbox where id = $1', [inboxId]))],
    ['of an answer that is older than two weeks', ({ tenant, answerId }) => since(tenant, answerId, 15)],
    ['of an answer that another followed', ({ tenant, thread }) => changedAnswer(tenant, thread)],
  ])('%s', async (_, prepare) => {
    const at = await onSlack()
    await prepare(at)
    await tellChanged.run({ tenantId: at.tenant.id, answerId: at.answerId }, partsOf().parts, context)
    expect(await inboxRows(at.tenant)).toEqual([])
    expect((await findAnswer(at.tenant, at.answerId))?.toldAt).not.toBeNull()
  })

  it('but of one that is thirteen days old', async () => {
    const { tenant, answerId } = await onSlack()
    await since(tenant, answerId, 13)
    await tellChanged.run({ tenantId: tenant.id, answerId }, partsOf().parts, context)
    expect(await inboxRows(tenant)).toHaveLength(1)
  })
})

describe('an answer on GitHub', () => {
  /** An answer that our App gave in an issue or a review thread. */
  async function onGithub(options: { review?: boolean } = {}) {
    const { tenant, installation } = await setup.install()
    const repository = await setup.github.addRepository({ installation, name: 'shop', private: true, files: { 'a.ts': 'a\n' } })
    const location = `${installation.account.login}/shop`
    const { id: repositoryId } = await addRepository(tenant, { name: location, source: 'github', location })
    await updateRepository(tenant, repositoryId, { externalId: repository.id, installationId: installation.id, state: 'ready' })
    const [owner, repo] = [installation.account.login, 'shop']
    const marker = randomUUID()
    const rest = app.as(installation.id).rest
    const body = withMarker('It is in `a.ts` [1].\n\n[1] a.ts', marker)
    const pull = await repository.openPull({ branch: 'change', files: { 'a.ts': 'b\n' } })
    const root = await pull.review('ann', { path: 'a.ts', line: 1, body: 'why?' })
    const { data } = options.review
      ? await rest.pulls.createReplyForReviewComment({ owner, repo, pull_number: pull.number, comment_id: root.id, body })
      : await rest.issues.createComment({ owner, repo, issue_number: pull.number, body })
    const comments = options.review ? pull.pull.reviewComments : pull.comments
    const comment = comments.find(({ id }) => id === data.id)!
    const answerId = await changedAnswer(tenant)
    const author = { id: 1, login: 'ann', type: 'User' }
    const payload = { kind: 'mention', installationId: installation.id, externalId: repository.id, repository: location, isPrivate: true, surface: options.review ? 'review' : 'pull', number: pull.number, commentId: root.id, rootId: options.review ? root.id : null, author, body: 'where?', url: 'https://github.example' }
    await replyOf(tenant, answerId, { surface: 'github', threadKey: `github:${randomUUID()}`, payload, delivery: { commentId: data.id, marker } })
    const writes = () => setup.github.calls.filter(({ method, path }) => method !== 'GET' && path.includes(`/repos/${location}/`)).map(({ method }) => method)
    const before = writes().length
    return { tenant, repository, repositoryId, pull, comment, comments, body, marker, answerId, writes: () => writes().slice(before), run: (parts = partsOf().parts) => tellChanged.run({ tenantId: tenant.id, answerId }, parts, context) }
  }

  it.each([{ review: false }, { review: true }])('says so in our comment, once: %o', async (options) => {
    const at = await onGithub(options)
    await at.run()
    expect(at.comment.body).toMatch(/^It is in `a\.ts` \[1\]\.[^]*\n\n_Source changed in `9f8e7d6`\. Mention me with "re-check" [^]*_\n\n<!-- nura:[0-9a-f-]{36} -->$/)
    expect(at.comment.body).not.toMatch(/@/)
    expect(at.writes()).toEqual(['PATCH'])
    await at.tenant.transaction((tx) => tx.execute('update answer set told_at = null where id = $1', [at.answerId]))
    await at.run()
    expect(at.writes()).toEqual(['PATCH'])
  })

  it('keeps what a person changed in it', async () => {
    const at = await onGithub()
    await at.pull.editComment(at.comment.id, withMarker('It is in `a.ts`, says Ann.', at.marker), 'ann')
    await at.run()
    expect(at.comment.body).toMatch(/^It is in `a\.ts`, says Ann\.\n\n_Source changed/)
  })

  it('touches no comment of anybody else, whatever it says it is', async () => {
    const at = await onGithub()
    const theirs = await at.pull.comment('mallory', at.body)
    await setup.db.control((tx) => tx.execute(`update inbox set delivery = delivery || jsonb_build_object('commentId', $2::bigint) where delivery->>'answerId' = $1`, [at.answerId, theirs.id]))
    await at.run()
    expect(theirs.body).toBe(at.body)
    expect(at.writes()).toEqual([])
  })

  it('leaves a comment that was deleted alone', async () => {
    const at = await onGithub()
    await at.pull.deleteComment(at.comment.id, 'ann')
    await at.run()
    expect(at.writes()).toEqual([])
    expect((await findAnswer(at.tenant, at.answerId))?.toldAt).not.toBeNull()
  })

  it('waits for a GitHub that is away, and does not write again what it did write', async () => {
    const at = await onGithub()
    setup.github.fail({ method: 'PATCH', path: /comments/ }, { kind: 'status', status: 502, commits: true })
    await expect(at.run()).rejects.toMatchObject({ retryable: true })
    expect((await findAnswer(at.tenant, at.answerId))?.toldAt).toBeNull()
    setup.github.clearFaults()
    await at.run()
    expect(at.writes()).toEqual(['PATCH'])
    expect(at.comment.body.match(/Source changed/g)).toHaveLength(1)
  })

  it('gives up where GitHub refuses for good, or stays away to the last attempt, and never where it asks to wait', async () => {
    const [refused, away, limited] = [await onGithub(), await onGithub(), await onGithub()]
    setup.github.fail({ method: 'PATCH', path: /comments/ }, { kind: 'status', status: 403 })
    await refused.run()
    setup.github.fail({ method: 'PATCH', path: /comments/ }, { kind: 'status', status: 502 })
    await tellChanged.run({ tenantId: away.tenant.id, answerId: away.answerId }, partsOf().parts, { ...context, lastAttempt: true })
    for (const { tenant, answerId } of [refused, away]) expect((await findAnswer(tenant, answerId))?.toldAt).not.toBeNull()
    setup.github.fail({ method: 'PATCH', path: /comments/ }, { kind: 'secondary', seconds: 30 })
    const run = tellChanged.run({ tenantId: limited.tenant.id, answerId: limited.answerId }, partsOf().parts, { ...context, lastAttempt: true })
    await expect(run).rejects.toMatchObject({ code: 'github-rate-limited', retryAt: expect.any(Date) })
    expect((await findAnswer(limited.tenant, limited.answerId))?.toldAt).toBeNull()
  })

  it('calls nobody for a repository that is being forgotten, or without an App', async () => {
    const at = await onGithub()
    await at.run(partsOf(null).parts)
    await at.tenant.transaction((tx) => tx.execute('update answer set told_at = null where id = $1', [at.answerId]))
    await updateRepository(at.tenant, at.repositoryId, { state: 'forgetting' })
    const calls = setup.github.calls.length
    await at.run()
    expect(setup.github.calls.length).toBe(calls)
  })
})

describe('a repository that changes', () => {
  async function openIndex(repository: TestRepository) {
    const tenant = await createTestTenant(setup.db)
    const { id } = await addRepository(tenant, { name: repository.dir, source: 'git', location: repository.dir })
    const index = async () => (await indexSource({ embedders: lexicalEmbedders, log }, tenant, { id }, createGitSource(repository.dir))).sha
    const cite = async (path: string) => {
      const [chunk] = await tenant.transaction((tx) => tx.query<{ id: string; key: string }>('select id, chunk_key as key from knowledge_base where source_path = $1 and gone_at is null', [path]))
      return saveAnswer(tenant, { thread: null, asker: 'a', question: 'q', agent: 'dev', markdown: 'm', abstained: false, citations: [], trace: {}, usage: {}, citedChunks: [{ n: 1, chunkId: chunk!.id, chunkKey: chunk!.key }] })
    }
    return { tenant, index, cite, changed: async (answerId: string) => (await findAnswer(tenant, answerId))?.changedSha ?? null }
  }

  it('marks the answers that cite what is gone, not those whose file was moved or only stands on other lines', async () => {
    const fn = (name: string) => `export function ${name}() {\n${`  return ${name}\n`.repeat(30)}}\n`
    await using repository = await createRepository({ 'a.ts': fn('alpha'), 'b.ts': fn('beta'), 'c.ts': fn('gamma') })
    const at = await openIndex(repository)
    await at.index()
    const [a, b, c] = [await at.cite('a.ts'), await at.cite('b.ts'), await at.cite('c.ts')]
    await repository.write({ 'a.ts': fn('alpha').replace('return alpha', 'return 1') })
    await repository.move('b.ts', 'lib/b.ts')
    await repository.commit()
    const head = await at.index()
    expect([await at.changed(a), await at.changed(b), await at.changed(c)]).toEqual([head, null, null])
    await repository.write({ '.nura.yml': 'ignore: [c.ts]\n' })
    await repository.commit()
    expect(await at.index()).toBe(await at.changed(c))
    expect(await at.changed(a)).toBe(head)
  })

  it('of many answers the newest twenty are told, and no later run tells the others', async () => {
    await using repository = await createRepository({ 'a.ts': 'export const a = 1\n' })
    const at = await openIndex(repository)
    await at.index()
    const ids: string[] = []
    for (let index = 0; index < 23; index++) ids.push(await at.cite('a.ts'))
    await repository.write({ 'a.ts': 'export const a = 2\n' })
    await repository.commit()
    await at.index()
    const told = await Promise.all(ids.map(async (id) => (await findAnswer(at.tenant, id))?.toldAt !== null))
    expect(told).toEqual(ids.map((_, index) => index < 3))
  })
})
