import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TenantDb } from '#db/index.ts'
import { findAnswer, saveAnswer } from '#db/tenant/answers.ts'
import { saveThread } from '#db/tenant/threads.ts'
import { openTestGithub } from '../testing/open-test-github.ts'
import type { TestGithub } from '../testing/open-test-github.ts'
import { callOwners, callTexts } from './call-owners.ts'
import { MentionEvent } from './mention-event.ts'
import { toMentionWord, toRechecked } from './mention-words.ts'

let setup: TestGithub
beforeAll(async () => {
  setup = await openTestGithub()
})
afterAll(() => setup.close())

async function saveTurn(tenant: TenantDb, thread: string, turn: { question?: string; abstained: boolean; owners: string[] }): Promise<string> {
  await saveThread(tenant, { key: thread, surface: 'github' })
  const trace = { whoKnows: { owners: turn.owners, line: '' } }
  return saveAnswer(tenant, { thread, asker: 'github:1:1', question: turn.question ?? 'where?', agent: 'dev', markdown: 'm', abstained: turn.abstained, citations: [], trace, usage: {}, citedChunks: [] })
}

/** An issue that Ann opened, in which an answer found nothing but owners. */
async function open(owners: string[] = ['@acme/payments', '@cleo'], abstained = true) {
  const { tenant, installation } = await setup.install()
  const repository = await setup.github.addRepository({ installation, name: 'shop', files: { 'a.ts': 'a' } })
  const issue = await repository.openIssue({ author: 'ann' })
  const thread = `github:${randomUUID()}`
  const answerId = await saveTurn(tenant, thread, { abstained, owners })
  const github = setup.openApp().as(installation.id)
  async function call(login: string, options: { mayWrite?: boolean; inboxId?: string } = {}) {
    const { id } = setup.github.world.account(login)
    const event = MentionEvent.parse({ kind: 'mention', installationId: installation.id, externalId: repository.id, repository: repository.fullName, isPrivate: false, surface: 'issue', number: issue.number, commentId: 1, rootId: null, author: { id, login, type: 'User' }, body: '@nura ask them', url: 'https://github.example' })
    return callOwners(github, tenant, { event, thread, inboxId: options.inboxId ?? randomUUID(), mayWrite: options.mayWrite === true, signal: new AbortController().signal })
  }
  return { tenant, thread, answerId, call }
}

test('calls the owners once for each answer, whoever asks again', async () => {
  const { call, answerId, tenant } = await open()
  const inboxId = randomUUID()
  const first = await call('ann', { inboxId })
  expect(first).toEqual({ outcome: 'called-owners', body: '@acme/payments @cleo: `ann` asks for your help here. I found no answer in the sources.' })
  // A second run of the same row has the same comment to write.
  expect(await call('ann', { inboxId })).toEqual(first)
  expect(await call('ben', { mayWrite: true })).toEqual({ outcome: 'ignored:called-already', body: callTexts.called })
  expect((await findAnswer(tenant, answerId))!.trace).toMatchObject({ calledBy: inboxId, whoKnows: { owners: ['@acme/payments', '@cleo'] } })
})

test('of calls that come together one wins', async () => {
  const { call } = await open()
  const outcomes = (await Promise.all([1, 2, 3].map(() => call('ann', { mayWrite: true })))).map(({ outcome }) => outcome)
  expect(outcomes.filter((outcome) => outcome === 'called-owners')).toHaveLength(1)
})

describe('mentions nobody', () => {
  test('for somebody who neither opened the thread nor may write', async () => {
    const { call } = await open()
    expect(await call('mallory')).toEqual({ outcome: 'refused:not-theirs', body: callTexts.notYours })
    expect((await call('ben', { mayWrite: true })).outcome).toBe('called-owners')
  })

  test.each([
    ['where the answer was found', ['@cleo'], false],
    ['where no owners are known', [], true],
    ['but accounts', ['everyone', '@a b', 'cleo@example.com', '@acme/a/b', '`@x`', '@here <b>'], true],
  ])('%s', async (_, owners, abstained) => {
    const { call } = await open(owners, abstained)
    const { outcome, body } = await call('ann')
    expect(outcome).toBe('ignored:nobody-known')
    expect(body).not.toContain('@')
  })

  test('beyond five, or twice', async () => {
    const { call } = await open(['@a1', '@a1', '@a2', '@a3', '@a4', '@a5', '@a6'])
    expect((await call('ann')).body.match(/@\S+/g)).toEqual(['@a1', '@a2', '@a3', '@a4', '@a5:'])
  })
})

test.each([
  ['re-check', 'recheck'],
  ['Recheck this, please!', 'recheck'],
  ['please "re-check"', 'recheck'],
  ['ask them', 'ask-owners'],
  ['Call the owners.', 'ask-owners'],
  ['ping code owners', 'ask-owners'],
  ['Config', 'config'],
  ['privacy, please.', 'privacy'],
  ['ask them where refunds are made', null],
  ['why does re-check fail?', null],
  ['', null],
])('%j is the word %s', (question, word) => {
  expect(toMentionWord(question)).toBe(word)
})

test('«re-check» asks what the thread asked last; anything else is what it says', async () => {
  const { tenant, thread } = await open()
  await saveTurn(tenant, thread, { question: 'who calls refund?', abstained: false, owners: [] })
  expect(await toRechecked(tenant, thread, 're-check')).toBe('who calls refund?')
  expect(await toRechecked(tenant, thread, 'and where is it tested?')).toBe('and where is it tested?')
  expect(await toRechecked(tenant, `github:${randomUUID()}`, 're-check')).toBe('re-check')
})
