import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestDb } from '#db/testing/open-test-db.ts'
import type { AnswerPart, Step } from '#server/answer-part.ts'
import { sampleDone } from '../testing/fake-ask-server.ts'
import type { FakeMessage } from '../testing/fake-slack-methods.ts'
import { openTestBot } from '../testing/open-test-bot.ts'
import type { TestBot } from '../testing/open-test-bot.ts'
import { say, slackEvent } from '../testing/slack-event.ts'
import { createPlan } from './plan.ts'

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

const step = (id: string, state: Step['state'], title = `Step ${id}`): AnswerPart => ({ kind: 'step', step: { id, title, agent: 'pm', state } })
const text = (markdown: string): AnswerPart => ({ kind: 'text', markdown })
const long = Array.from({ length: 20 }, (_, at) => `Sentence ${at + 1} says something about the work. `).join('')
/** Three steps that are begun and done one after the other. */
const threeSteps = ['a', 'b', 'c'].map((id) => step(id, 'pending')).concat(['a', 'b', 'c'].flatMap((id) => [step(id, 'running'), step(id, 'done')]))

async function ask(script: TestBot['server']['script'], more: { channel?: string } = {}): Promise<FakeMessage> {
  const question = await begin(script, more)
  await nura.idle()
  return question
}
async function begin(script: TestBot['server']['script'], more: { channel?: string } = {}): Promise<FakeMessage> {
  nura.server.script = script
  const question = say(nura.slack.workspace, { text: '<@U0NURABOT> what shipped, and why?', ...more })
  await nura.send(slackEvent(nura.slack.workspace, question, 'app_mention'))
  return question
}
const tasksOf = (message: FakeMessage | undefined) => (message?.tasks ?? []).map(({ title, status }) => `${title}: ${status}`)
const callsOf = (question: FakeMessage, method: string) => nura.slack.callsOf(method).filter(({ args }) => args.thread_ts === question.ts || nura.replies(question.ts).some(({ ts }) => ts === args.ts))

describe('an answer of several steps', () => {
  it('begins with a plan, whose cards follow the steps, and goes on with the text in the same message', async () => {
    const question = await ask(() => [...threeSteps, text(long), sampleDone()])
    const [reply, ...more] = nura.replies(question.ts)
    expect(more).toEqual([])
    expect(callsOf(question, 'chat.startStream')[0]?.args).toMatchObject({ task_display_mode: 'plan', chunks: [{ type: 'task_update', id: 'a', title: 'PM: Step a', status: 'pending' }, {}, {}] })
    expect(tasksOf(reply)).toEqual(['PM: Step a: complete', 'PM: Step b: complete', 'PM: Step c: complete'])
    expect(reply).toMatchObject({ text: long, streaming: false })
    expect(reply?.blocks.at(-1)?.type).toBe('actions')
  })

  it('is answered at the end of the plan when its text is short', async () => {
    const question = await ask(() => [...threeSteps, text('All of it.'), sampleDone()])
    expect(nura.replies(question.ts)).toMatchObject([{ text: 'All of it.', streaming: false }])
  })

  it('of fewer steps tells them as its phase', async () => {
    const question = await ask(() => [step('a', 'running', 'Counting what was merged'), step('a', 'done'), text('Twelve.'), sampleDone()])
    expect(callsOf(question, 'chat.startStream')).toEqual([])
    expect(nura.slack.workspace.statuses.filter(({ thread }) => thread === question.ts).map(({ status }) => status)).toContain('Counting what was merged')
  })

  it('tells them as its phase where Slack does not stream', async () => {
    nura.slack.workspace.channels.set('C0STILL', { id: 'C0STILL', streams: false })
    const question = await ask(() => [...threeSteps, text(long), sampleDone()], { channel: 'C0STILL' })
    expect(nura.seen(question.ts, 'C0STILL')).toEqual([expect.stringContaining(long.trim())])
  })

  it('leaves no card open when it is done though a step is not', async () => {
    const question = await ask(() => [...threeSteps, step('d', 'running'), text('So it is.'), sampleDone()])
    expect(tasksOf(nura.replies(question.ts)[0]).at(-1)).toBe('PM: Step d: complete')
  })

  it('marks what failed, and what it did not get to when it breaks off', async () => {
    const question = await ask(() => [step('a', 'failed'), step('b', 'running'), step('c', 'pending'), { kind: 'error', code: 'internal', message: 'It stopped half-way.', retryable: true, ref: '7F3A91' }])
    const [reply] = nura.replies(question.ts)
    expect(tasksOf(reply)).toEqual(['PM: Step a: error', 'PM: Step b: error', 'PM: Step c: error'])
    expect(reply).toMatchObject({ streaming: false, text: 'It stopped half-way. Ref 7F3A91' })
  })

  it('shows no card in progress after «stop»', async () => {
    const question = await begin(async function* () {
      yield* threeSteps.slice(0, 4)
      await new Promise(() => undefined)
    })
    await expect.poll(() => tasksOf(nura.replies(question.ts)[0])[2] ?? '').toBe('PM: Step a: in_progress')
    await nura.send(slackEvent(nura.slack.workspace, say(nura.slack.workspace, { text: 'stop', thread: question.ts })))
    await nura.idle()
    const [reply, ...more] = nura.replies(question.ts)
    expect(more).toEqual([])
    expect(reply).toMatchObject({ text: 'Stopped.', streaming: false })
    expect(tasksOf(reply).join()).not.toMatch(/in_progress|pending/)
  })

  it('is one whole message without cards when the stream dies before its text', async () => {
    nura.slack.fail('chat.appendStream', { kind: 'refuse', error: 'message_not_in_streaming_state' })
    const question = await ask(() => [...threeSteps, text(long), sampleDone()])
    const [reply, ...more] = nura.replies(question.ts)
    expect(more).toEqual([])
    expect(tasksOf(reply)).toEqual([])
    expect(nura.seen(question.ts)[0]).toContain(long.trim())
  })

  it.each(['chat.startStream', 'chat.appendStream', 'chat.stopStream'])('is one whole message when Slack fails after it has carried out %s', async (method) => {
    nura.slack.fail(method, { kind: 'status', status: 500, commits: true })
    const question = await ask(() => [...threeSteps, text(long), sampleDone()])
    const [reply, ...more] = nura.replies(question.ts)
    expect(more).toEqual([])
    expect(nura.seen(question.ts)[0]?.match(/Sentence 20 says/g)).toHaveLength(1)
    expect(reply?.streaming).toBe(false)
    expect(tasksOf(reply).join()).not.toMatch(/in_progress/)
  })

  it('carries an open step over to the next message', async () => {
    const question = await ask(() => [...threeSteps, step('d', 'running'), text(`${long}${long}${long}${long}`), step('d', 'done'), text('The end.'), sampleDone()])
    const [first, second] = nura.replies(question.ts)
    expect(tasksOf(first).at(-1)).toBe('PM: Step d: pending')
    expect(tasksOf(second)).toEqual(['PM: Step d: complete'])
    expect(second?.text).toMatch(/The end\.$/)
  })
})

describe('a plan', () => {
  const of = (id: string, state: Step['state']): Step => ({ id, title: id, agent: 'dev', state })

  it('is due with three steps, or when the first was eight seconds ago', () => {
    let now = 1000
    const plan = createPlan(() => now)
    expect(plan.isDue()).toBe(false)
    plan.note(of('a', 'running'))
    expect(plan.isDue()).toBe(false)
    now += 8000
    expect(plan.isDue()).toBe(true)
    const three = createPlan(() => now)
    for (const id of ['a', 'b', 'c']) three.note(of(id, 'pending'))
    expect(three.isDue()).toBe(true)
  })

  it('tells each change once', () => {
    const plan = createPlan()
    plan.note(of('a', 'running'))
    expect(plan.takeNews()).toEqual([{ type: 'task_update', id: 'a', title: 'Dev: a', status: 'in_progress' }])
    expect(plan.takeNews()).toEqual([])
    plan.note(of('a', 'done'))
    plan.note(of('b', 'pending'))
    expect(plan.leave('error').map(({ id, status }) => [id, status])).toEqual([['a', 'complete'], ['b', 'error']])
  })
})
