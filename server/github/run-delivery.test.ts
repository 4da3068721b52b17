import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Db } from '#db/index.ts'
import { NuraError } from '#db/nura-error.ts'
import { listOpenPullRequests, savePullRequest } from '#db/tenant/pull-requests.ts'
import { findRepositoryByExternalId, updateRepository } from '#db/tenant/repositories.ts'
import type { Repository } from '#db/tenant/repository.ts'
import { openTestDb } from '#db/testing/open-test-db.ts'
import type { FakePull } from '../testing/fake-github/fake-pull.ts'
import type { FakeRepository } from '../testing/fake-github/fake-repository.ts'
import { openGithubRig } from '../testing/open-github-rig.ts'
import type { GithubRig } from '../testing/open-github-rig.ts'
import { toSummaryDelay } from './note-pull.ts'

let db: Db
let rig: GithubRig
let app: FakeRepository
let row: Repository
beforeAll(async () => {
  db = await openTestDb()
  rig = await openGithubRig(db)
  app = await rig.fake.addRepository({ installation: rig.installation, name: 'app', files: { 'a.ts': 'const a = 1\n' } })
  await rig.settle()
  const { id } = (await findRepositoryByExternalId(rig.tenant, app.id))!
  row = await updateRepository(rig.tenant, id, { state: 'ready', defaultBranch: 'main' })
  rig.fake.deliveries.auto = false
})
afterAll(async () => {
  await rig.close()
  await db.close()
})
beforeEach(() => {
  rig.queued.length = 0
  rig.mentions.length = 0
  rig.answerMention = async () => 'answered'
})

async function post(name: string, payload: object, guid?: string) {
  const event = rig.fake.event(name, payload, guid ? { guid } : {})
  await rig.fake.deliver(rig.hookUrl, event)
  await rig.settle()
  return (await rig.rowOf(event.guid))!
}
const names = () => rig.queued.map(({ name }) => name)

describe('a push', () => {
  const push = async (ref: string, after?: string) => post('push', await rig.fake.payloads.push(app, { ref, before: '0'.repeat(40), after: after ?? (await app.git('rev-parse', 'main')) }))

  it('to the default branch has it synced, soon', async () => {
    const { outcome } = await push('refs/heads/main')
    expect([outcome, rig.queued]).toEqual(['queued:sync-repository', [{ name: 'sync-repository', payload: { tenantId: rig.tenant.id, repositoryId: row.id }, options: { dedupe: row.id, delayMs: 300 } }]])
    expect((await findRepositoryByExternalId(rig.tenant, app.id))?.headSha).toBe(await app.git('rev-parse', 'main'))
  })

  it('of anything else does nothing', async () => {
    const outcomes = []
    for (const ref of ['refs/heads/topic', 'refs/tags/v1', 'refs/heads/main/topic']) outcomes.push((await push(ref)).outcome)
    const gone = await post('push', { ...(await rig.fake.payloads.push(app, { ref: 'refs/heads/main', before: await app.git('rev-parse', 'main'), after: '0'.repeat(40) })) })
    expect([...outcomes, gone.outcome, names()]).toEqual(['ignored:branch', 'ignored:tag', 'ignored:branch', 'ignored:deleted', []])
  })

  it('to a repository that we do not know has GitHub asked for it', async () => {
    const calls = rig.fake.callsTo('GET', /^\/installation\/repositories$/).length
    const other = await rig.fake.addRepository({ installation: rig.installation, name: 'other', files: { 'b.ts': 'const b = 1\n' } })
    const { outcome } = await post('push', await rig.fake.payloads.push(other, { ref: 'refs/heads/main', before: '0'.repeat(40), after: await other.git('rev-parse', 'main') }))
    expect(outcome).toBe('queued:sync-installation')
    expect(rig.fake.callsTo('GET', /^\/installation\/repositories$/).length).toBe(calls + 1)
    expect(await findRepositoryByExternalId(rig.tenant, other.id)).toMatchObject({ name: 'acme/other', state: 'new' })
  })
})

describe('a pull request', () => {
  let pull: FakePull
  let shas: string[]
  beforeAll(async () => {
    pull = await app.openPull({ branch: 'topic', files: { 'b.ts': 'const b = 1\n' }, author: 'ada' })
    shas = [pull.pull.head.sha]
    for (const n of [2, 3]) {
      await pull.push({ 'b.ts': `const b = ${n}\n` })
      shas.push(pull.pull.head.sha)
    }
  })
  const tell = async (action: string, change: { head?: string; before?: string; state?: string; draft?: boolean } = {}) => {
    const payload = (await rig.fake.payloads.pullRequest(action, app, pull, change.before ? { before: change.before } : {})) as { pull_request: { head: object } }
    const { head, state, draft } = change
    const told = { ...payload.pull_request, head: { ...payload.pull_request.head, ...(head ? { sha: head } : {}) }, ...(state ? { state } : {}), ...(draft === undefined ? {} : { draft }) }
    return post('pull_request', { ...payload, pull_request: told })
  }
  const head = async () => (await listOpenPullRequests(rig.tenant, row.id)).find(({ number }) => number === pull.number)?.headSha

  it('is noted, and its summary looked at once things settle', async () => {
    const { outcome } = await tell('opened', { head: shas[0]! })
    expect([outcome, await head(), names()]).toEqual(['queued:summarise-pull-request', shas[0], ['summarise-pull-request']])
    expect(rig.queued[0]).toMatchObject({ payload: { tenantId: rig.tenant.id, repositoryId: row.id, number: pull.number }, options: { dedupe: `${row.id}#${pull.number}`, delayMs: 3_000 } })
  })

  it('follows its pushes, and a late one does not turn it back', async () => {
    await tell('synchronize', { head: shas[1]!, before: shas[0]! })
    await tell('synchronize', { head: shas[2]!, before: shas[1]! })
    expect(await head()).toBe(shas[2])
    await tell('synchronize', { head: shas[1]!, before: shas[0]! })
    await tell('opened', { head: shas[0]! })
    expect([await head(), names()]).toEqual([shas[2], ['summarise-pull-request']])
  })

  it('is turned back by a forced push', async () => {
    await tell('synchronize', { head: shas[0]!, before: shas[2]! })
    expect(await head()).toBe(shas[0])
  })

  it('keeps its runs apart', async () => {
    await savePullRequest(rig.tenant, { repositoryId: row.id, number: pull.number, runStartedAt: new Date() })
    await tell('synchronize', { head: shas[1]!, before: shas[0]! })
    const delay = rig.queued[0]!.options.delayMs!
    expect(delay > 20_000 && delay <= 30_000).toBe(true)
  })

  it('that is closed is noted, and nothing follows', async () => {
    expect((await tell('closed', { state: 'closed' })).outcome).toBe('noted:closed')
    expect([await head(), names()]).toEqual([undefined, []])
  })
})

it('the next summary waits for pushes to settle, or for its distance to the last', () => {
  const now = new Date('2030-01-01T00:01:00Z')
  const ago = (ms: number) => ({ runStartedAt: new Date(now.getTime() - ms) })
  expect(toSummaryDelay({ runStartedAt: null }, 30_000, now)).toBe(3_000)
  expect(toSummaryDelay(ago(10_000), 30_000, now)).toBe(20_000)
  expect(toSummaryDelay(ago(29_000), 30_000, now)).toBe(3_000)
  expect(toSummaryDelay(ago(90_000), 30_000, now)).toBe(3_000)
  // A clock that went backwards must not put it off for ever.
  expect(toSummaryDelay(ago(-90_000), 30_000, now)).toBe(30_000)
  expect(toSummaryDelay(ago(0), 0, now)).toBe(0)
})

describe('a mention', () => {
  const ask = async (text = '@nura where is a?') => {
    const issue = await app.openIssue({ author: 'ada' })
    return post('issue_comment', rig.fake.payloads.issueComment('created', app, issue, await issue.comment('ada', text)))
  }

  it('is answered, and how that ended is its outcome', async () => {
    rig.answerMention = async (tenant, turn) => {
      await turn.save({ marker: 'm' })
      return `answered by ${tenant.slug}`
    }
    expect(await ask()).toMatchObject({ state: 'done', outcome: `answered by ${rig.tenant.slug}`, delivery: { marker: 'm' } })
    expect(rig.mentions[0]).toMatchObject({ event: { kind: 'mention', body: '@nura where is a?' }, delivery: null, lastAttempt: false })
  })

  it('that failed for a while is run again with what it had shown', async () => {
    rig.answerMention = async (_, turn) => {
      if (turn.delivery !== null) return 'answered'
      await turn.save({ marker: 'm' })
      throw new NuraError('model-unavailable', 'away', { retryable: true })
    }
    expect(await ask()).toMatchObject({ state: 'done', outcome: 'answered', attempts: 2 })
    expect(rig.mentions.map(({ delivery }) => delivery)).toEqual([null, { marker: 'm' }])
  })

  it.each([
    ['thrown', () => Promise.reject(new NuraError('broken', 'It is broken.'))],
    ['shown', async () => 'failed:broken'],
  ])('whose failure was %s ends as failed, and runs again when GitHub sends it again', async (_, how) => {
    rig.answerMention = how
    const failed = await ask()
    expect(failed).toMatchObject({ state: 'failed', outcome: 'failed', error: 'broken' })
    rig.answerMention = async () => 'answered'
    const guid = failed.eventKey.slice('github:'.length)
    const issue = await app.openIssue({ author: 'ada' })
    const again = rig.fake.payloads.issueComment('created', app, issue, await issue.comment('ada', '@nura why?'))
    expect(await post('issue_comment', again, guid)).toMatchObject({ state: 'done', outcome: 'answered' })
  })

  it('that GitHub puts off waits, and is not run meanwhile', async () => {
    rig.answerMention = () => Promise.reject(new NuraError('github-rate-limited', 'later', { retryable: true, retryAt: new Date(Date.now() + 30_000) }))
    expect(await ask()).toMatchObject({ state: 'accepted', error: 'github-rate-limited', attempts: 1 })
  })
})
