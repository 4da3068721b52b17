import { afterAll, beforeAll, expect, it } from 'vitest'
import { accept, findByAnswer, read } from '#db/shared/inbox.ts'
import { openTestDb } from '#db/testing/open-test-db.ts'
import { Incoming, toEventKey } from './platform.ts'
import type { Outdated } from './platform.ts'
import { sampleDone, shortAnswer } from './testing/fake-ask-server.ts'
import type { FakeMessage } from './testing/fake-slack-methods.ts'
import { openTestBot } from './testing/open-test-bot.ts'
import type { TestBot } from './testing/open-test-bot.ts'
import { clickEvent, deleteEvent, say, slackEvent } from './testing/slack-event.ts'

let db: Awaited<ReturnType<typeof openTestDb>>
let nura: TestBot
beforeAll(async () => {
  db = await openTestDb()
  nura = await openTestBot(db)
})
afterAll(async () => {
  await nura?.close()
  await db?.close()
})

const sha = '9f8e7d6c5b4a39281706f5e4d3c2b1a098765432'
let count = 0

/** Somebody asks, in a thread of its own unless told, and is answered. */
async function asked(options: { thread?: string; text?: string; answer?: string; abstained?: boolean } = {}): Promise<{ question: FakeMessage; answerId: string }> {
  const answerId = `outdated-${++count}`
  nura.server.script = () => [...shortAnswer(options.answer ?? 'Signatures are verified in `verify` [1].', answerId).slice(0, -1), { ...sampleDone(answerId), abstained: options.abstained === true }]
  const question = say(nura.slack.workspace, { text: `<@U0NURABOT> ${options.text ?? 'where do we verify signatures?'}`, ...(options.thread ? { thread: options.thread } : {}) })
  await nura.send(slackEvent(nura.slack.workspace, question, 'app_mention'))
  await nura.idle()
  return { question, answerId }
}

/** What the job leaves behind when it finds that a source of an answer changed, carried out. Returns the outcome. */
async function outdate(answerId: string): Promise<string | null | undefined> {
  const row = await findByAnswer(db, nura.tenant.id, answerId)
  const incoming: Outdated = { kind: 'outdated', place: Incoming.parse(row!.payload).place, id: answerId, inboxId: row!.id, sha }
  const { id } = await accept(db, { tenantId: nura.tenant.id, surface: 'slack', kind: 'outdated', eventKey: toEventKey(incoming), threadKey: row!.threadKey, payload: incoming })
  await nura.bot.runTurn(id, { signal: new AbortController().signal, lastAttempt: true })
  return (await read(db, id))?.outcome
}

const buttonsOf = (message: FakeMessage | undefined) => (message?.blocks ?? []).filter(({ type }) => type === 'actions').flatMap(({ elements }) => elements as { action_id: string; value: string }[])
const namesOf = (message: FakeMessage | undefined) => buttonsOf(message).map(({ action_id: name }) => name)
const recheckOf = (message: FakeMessage | undefined) => buttonsOf(message).find(({ action_id: name }) => name === 'recheck')?.value ?? ''
const outcomes = async (kind: string) =>
  (await db.control((tx) => tx.query<{ outcome: string | null }>(`select outcome from inbox where kind = $1 order by sequence`, [kind]))).map(({ outcome }) => outcome)

it('says it below the answer, in the same message, and offers to check again', async () => {
  const { question, answerId } = await asked()
  const [before] = nura.seen(question.ts)
  expect(await outdate(answerId)).toBe('outdated')
  const [after, ...more] = nura.seen(question.ts)
  expect(more).toEqual([])
  expect(after).toContain('Source changed in 9f8e7d6')
  expect(after).toContain('AI-generated, check sources')
  expect(after).not.toContain('indexed')
  const text = (seen: string | undefined) => seen?.split('\n')[0]
  expect(text(after)).toBe(text(before))
  expect(namesOf(nura.replies(question.ts)[0])).toEqual(['recheck', 'why', 'lens'])
})

it('«Re-check» asks the same question anew and puts the answer in its place, once however often it is clicked', async () => {
  const { question, answerId } = await asked()
  await outdate(answerId)
  const [reply] = nura.replies(question.ts)
  nura.server.script = () => shortAnswer('They are verified in `check` now [1].', 'rechecked')
  const before = nura.server.asked.length
  await Promise.all([1, 2, 3].map(() => nura.send(clickEvent(nura.slack.workspace, reply!, { actionId: 'recheck', value: recheckOf(reply), user: 'U0BOB' }))))
  await expect.poll(() => nura.seen(question.ts)[0]).toContain('They are verified in `check` now')
  await expect.poll(() => outcomes('edit')).toEqual(['answered'])
  await nura.idle()
  expect(nura.server.asked.slice(before).map((each) => each.question)).toEqual(['where do we verify signatures?'])
  expect(nura.replies(question.ts).map(({ ts }) => ts)).toEqual([reply!.ts])
  const [seen] = nura.seen(question.ts)
  expect(seen).toContain('updated')
  expect(seen).toContain('indexed 4 min ago')
  expect(seen).not.toContain('Source changed')
  expect(namesOf(reply)).toEqual(['why', 'lens'])
  expect(nura.server.forgotten).toContain(answerId)
  // The old answer is no longer shown: nothing is said of it.
  expect(await findByAnswer(db, nura.tenant.id, 'rechecked')).toMatchObject({ kind: 'edit' })
  expect(await outdate('rechecked')).toBe('outdated')
})

it('keeps a reply of several messages whole', async () => {
  const long = Array.from({ length: 90 }, (_, at) => `Step ${at} reads the signature of a request [1].`).join('\n\n')
  const { question, answerId } = await asked({ answer: long })
  const shown = () => Array.from({ length: 90 }, (_, at) => nura.seen(question.ts).join('\n').split(`Step ${at} reads`).length - 1)
  expect(nura.replies(question.ts).length).toBeGreaterThan(1)
  expect(await outdate(answerId)).toBe('outdated')
  expect(new Set(shown())).toEqual(new Set([1]))
  expect(nura.replies(question.ts).map(namesOf).filter((names) => names.length > 0)).toEqual([['recheck', 'why', 'lens']])
  expect(nura.seen(question.ts).at(-1)).toContain('Source changed in')
})

it('keeps what was said below the answer', async () => {
  const answerId = `outdated-${++count}`
  nura.server.script = () => shortAnswer(undefined, answerId)
  const question = say(nura.slack.workspace, { text: '<@U0NURABOT> what does this hold?', files: [{ name: 'dump.bin' }] })
  await nura.send(slackEvent(nura.slack.workspace, question, 'message'))
  await nura.idle()
  expect(nura.seen(question.ts)[0]).toContain('I could not read: dump.bin.')
  expect(await outdate(answerId)).toBe('outdated')
  expect(nura.seen(question.ts)[0]).toMatch(/I could not read: dump\.bin\.[^]*Source changed in/)
})

it('only the newest answer of a thread says so', async () => {
  const first = await asked()
  const second = await asked({ thread: first.question.ts, text: 'and where are they made?' })
  expect(await outdate(first.answerId)).toBe('ignored:not-the-newest')
  expect(await outdate(second.answerId)).toBe('outdated')
  expect(nura.seen(first.question.ts).map((seen) => seen.includes('Source changed'))).toEqual([false, true])
})

it('a muted thread stays as it is', async () => {
  const { question, answerId } = await asked()
  const row = await findByAnswer(db, nura.tenant.id, answerId)
  nura.server.threads.set(row!.threadKey, { subscribed: true, muted: true })
  const calls = nura.slack.calls.length
  expect(await outdate(answerId)).toBe('silent:muted')
  expect(nura.seen(question.ts)[0]).not.toContain('Source changed')
  expect(nura.slack.calls.slice(calls)).toEqual([])
})

it('an answer that was deleted, by whichever way, does not come back', async () => {
  const gone = await asked()
  nura.slack.workspace.messages.splice(nura.slack.workspace.messages.indexOf(nura.replies(gone.question.ts)[0]!), 1)
  expect(await outdate(gone.answerId)).toBe('undeliverable')
  expect(nura.replies(gone.question.ts)).toEqual([])

  const withdrawn = await asked()
  const row = await findByAnswer(db, nura.tenant.id, withdrawn.answerId)
  await nura.send(deleteEvent(nura.slack.workspace, withdrawn.question))
  await nura.idle()
  expect(nura.replies(withdrawn.question.ts)).toEqual([])
  expect(row).not.toBeNull()
  expect(await outdate(withdrawn.answerId)).toBe('ignored:gone')
  expect(nura.replies(withdrawn.question.ts)).toEqual([])
})

it('is told once for each answer', async () => {
  const { answerId } = await asked()
  expect(await outdate(answerId)).toBe('outdated')
  const updates = () => nura.slack.calls.filter(({ method }) => method === 'chat.update').length
  const before = updates()
  expect(await outdate(answerId)).toBe('outdated')
  expect(updates()).toBe(before)
})

it('waits for the turn that runs in its thread, and is no reason to call it off', async () => {
  const { question, answerId } = await asked()
  const gate = Promise.withResolvers<void>()
  nura.server.script = async function* () {
    await gate.promise
    yield* shortAnswer('The second answer [1].', 'second')
  }
  const next = say(nura.slack.workspace, { text: '<@U0NURABOT> and where are they made?', thread: question.ts })
  await nura.send(slackEvent(nura.slack.workspace, next, 'app_mention'))
  await expect.poll(() => nura.server.asked.at(-1)?.question).toBe('and where are they made?')
  expect(await outdate(answerId)).toBeNull()
  gate.resolve()
  await nura.idle()
  await expect.poll(() => outcomes('outdated').then((all) => all.at(-1))).toBe('ignored:not-the-newest')
  expect(nura.seen(question.ts).map((seen) => seen.split('\n')[0])).toHaveLength(2)
  expect(nura.seen(question.ts)[1]).toContain('The second answer')
})
