import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openTestDb } from '#db/testing/open-test-db.ts'
import type { AnswerPart } from '#server/answer-part.ts'
import { sampleDone, shortAnswer } from '../testing/fake-ask-server.ts'
import type { FakeMessage } from '../testing/fake-slack-methods.ts'
import { openTestBot } from '../testing/open-test-bot.ts'
import type { TestBot } from '../testing/open-test-bot.ts'
import { deleteEvent, say, slackEvent, toEnvelope } from '../testing/slack-event.ts'

let db: Awaited<ReturnType<typeof openTestDb>>
let nura: TestBot
beforeAll(async () => {
  db = await openTestDb()
})
afterAll(() => db?.close())
beforeEach(async () => {
  nura = await openTestBot(db)
  nura.slack.workspace.agent = true
  return () => nura.close()
})

async function ask(text = 'what happens?'): Promise<FakeMessage> {
  const question = say(nura.slack.workspace, { text: `<@U0NURABOT> ${text}` })
  await nura.send(slackEvent(nura.slack.workspace, question, 'app_mention'))
  return question
}
const sessionOf = (question: FakeMessage) => nura.slack.workspace.sessions.filter(({ thread }) => thread === question.ts).map(({ status }) => status)
const stop = (question: FakeMessage) =>
  nura.send(toEnvelope(nura.slack.workspace, { type: 'agent_session_stopped', channel: question.channel, thread_ts: question.ts, user: 'U0ALICE', streaming_message_ts: [], event_ts: nura.slack.workspace.nextTs() }))

describe('where the app is an agent', () => {
  it('its session is processing while it works and active afterwards', async () => {
    nura.server.script = () => shortAnswer()
    const question = await ask()
    await nura.idle()
    expect(sessionOf(question)).toEqual(['processing', 'active'])
    expect(nura.slack.callsOf('assistant.threads.setStatus')).toEqual([])
    expect(nura.slack.workspace.reactions).toEqual([])
  })

  it('the stop button ends the answer, down to the server, in one message', async () => {
    nura.server.script = async function* () {
      yield { kind: 'text', markdown: `${'This sentence is part of a long answer. '.repeat(20)}\n` } satisfies AnswerPart
      await new Promise(() => undefined)
    }
    const question = await ask('never ending?')
    await expect.poll(() => nura.replies(question.ts).length).toBe(1)
    // Slack ends the streams of a session that is stopped.
    for (const reply of nura.replies(question.ts)) reply.streaming = false
    expect((await stop(question)).status).toBe(200)
    await nura.idle()
    expect(nura.seen(question.ts)).toEqual([expect.stringContaining('_[Stopped]_')])
    expect(sessionOf(question)).toEqual(['processing', 'active'])
    await expect.poll(() => nura.server.aborted).toContain('never ending?')
    const rows = await db.control((tx) => tx.query('select kind, state, outcome from inbox where tenant_id = $1 order by sequence', [nura.tenant.id]))
    expect(rows).toEqual([{ kind: 'message', state: 'done', outcome: 'stopped' }, expect.objectContaining({ kind: 'stop', state: 'done', outcome: expect.stringMatching(/^stopped:/) as unknown })])
  })

  it('the stop button of a turn that has ended says nothing and frees the session', async () => {
    nura.server.script = () => shortAnswer()
    const question = await ask()
    await nura.idle()
    const seen = nura.seen(question.ts)
    await stop(question)
    await nura.idle()
    expect(nura.seen(question.ts)).toEqual(seen)
    expect(sessionOf(question)).toEqual(['processing', 'active', 'active'])
  })

  it('a stop in a thread it is not in leaves no row', async () => {
    await stop(say(nura.slack.workspace, { text: 'lunch?' }))
    expect(await db.control((tx) => tx.query('select 1 from inbox where tenant_id = $1', [nura.tenant.id]))).toEqual([])
  })

  it('its session is closed when the question is deleted', async () => {
    nura.server.script = () => shortAnswer()
    const question = await ask()
    await nura.idle()
    await nura.send(deleteEvent(nura.slack.workspace, question))
    await nura.idle()
    expect(sessionOf(question).at(-1)).toBe('closed')
  })
})

describe('where it is none', () => {
  it('shows its phases as text and does not ask for a session again', async () => {
    nura.slack.workspace.agent = false
    nura.server.script = () => [{ kind: 'status', text: 'Searching acme/api' }, { kind: 'text', markdown: 'Yes.' }, sampleDone()]
    for (const text of ['first?', 'second?']) {
      const question = await ask(text)
      await nura.idle()
      expect(nura.slack.workspace.statuses.filter(({ thread }) => thread === question.ts).map(({ status }) => status)).toEqual(['Reading the question', 'Searching acme/api', ''])
    }
    expect(nura.slack.callsOf('agents.sessions.setStatus')).toHaveLength(1)
  })

  it('shows eyes where a text is refused too, and remembers both', async () => {
    nura.slack.workspace.agent = false
    nura.slack.fail('assistant.threads.setStatus', { kind: 'refuse', error: 'missing_scope' }, 9)
    for (const text of ['first?', 'second?']) {
      nura.server.script = async function* () {
        await expect.poll(() => nura.slack.workspace.reactions.length).toBe(1)
        yield* shortAnswer()
      }
      await ask(text)
      await nura.idle()
      expect(nura.slack.workspace.reactions).toEqual([])
    }
    expect(nura.slack.callsOf('assistant.threads.setStatus')).toHaveLength(1)
    expect(nura.slack.callsOf('agents.sessions.setStatus')).toHaveLength(1)
  })

  it('does not remember what one channel refuses or what merely failed, and leaves no session processing', async () => {
    nura.slack.fail('agents.sessions.setStatus', { kind: 'refuse', error: 'not_in_channel' }, 1)
    nura.slack.fail('agents.sessions.setStatus', { kind: 'status', status: 503, commits: true }, 1)
    nura.server.script = () => shortAnswer()
    const questions = []
    for (const text of ['first?', 'second?', 'third?']) {
      questions.push(await ask(text))
      await nura.idle()
    }
    expect(questions.map((question) => sessionOf(question).at(-1))).toEqual([undefined, 'active', 'active'])
  })
})
