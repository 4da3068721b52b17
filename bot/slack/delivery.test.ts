import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { claim, read, unfinished } from '#db/shared/inbox.ts'
import { openTestDb } from '#db/testing/open-test-db.ts'
import type { AnswerPart } from '#server/answer-part.ts'
import { openFence } from '../fences.ts'
import { sampleCitation, sampleDone, shortAnswer } from '../testing/fake-ask-server.ts'
import type { FakeMessage } from '../testing/fake-slack-methods.ts'
import { openTestBot } from '../testing/open-test-bot.ts'
import type { TestBot } from '../testing/open-test-bot.ts'
import { say, slackEvent } from '../testing/slack-event.ts'
import { texts } from '../texts.ts'

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

const sentences = (count: number) => Array.from({ length: count }, (_, index) => `Sentence ${index + 1} says something about the code. `)
const long = sentences(20)

function* streamOf(pieces: string[], end: AnswerPart | 'break' = sampleDone()): Iterable<AnswerPart | 'break'> {
  yield { kind: 'citation', citation: sampleCitation }
  for (const markdown of pieces) yield { kind: 'text', markdown }
  yield end
}

async function ask(script: TestBot['server']['script']): Promise<FakeMessage> {
  nura.server.script = script
  const question = say(nura.slack.workspace, { text: '<@U0NURABOT> what happens?' })
  expect((await nura.send(slackEvent(nura.slack.workspace, question, 'app_mention'))).status).toBe(200)
  await nura.idle()
  return question
}

const seen = (question: FakeMessage) => nura.seen(question.ts)
const streamed = (question: FakeMessage) => nura.slack.calls.filter(({ method, args }) => method === 'chat.startStream' && args.thread_ts === question.ts)
async function outcomeOf(question: FakeMessage): Promise<{ state: string; outcome: string } | undefined> {
  const rows = await db.control((tx) => tx.query<{ state: string; outcome: string }>(`select state, outcome from inbox where payload->>'id' = $1 and tenant_id = $2`, [question.ts, nura.tenant.id]))
  return rows[0]
}

/** Asks so that it is carried out as late as if it had been tried again until now. */
async function askLongAgo(script: TestBot['server']['script'], ago = '9 minutes'): Promise<FakeMessage> {
  const hold = nura.hold()
  const question = await ask(script)
  await db.control((tx) => tx.execute(`update inbox set received_at = now() - $2::interval where id = $1`, [hold.ids[0], ago]))
  hold.release()
  await nura.idle()
  return question
}

/** What the queue does when the moment has come; the server answers now. */
async function tryAgain(question: FakeMessage): Promise<void> {
  nura.server.script = () => shortAnswer()
  const [row] = (await unfinished(db, { olderThanMs: 0, limit: 500 })).filter(({ threadKey }) => threadKey.endsWith(question.ts))
  await nura.bot.runTurn(row!.id, { signal: new AbortController().signal, lastAttempt: true })
}

describe('an answer', () => {
  it('that is short is posted whole', async () => {
    const question = await ask(() => shortAnswer())
    expect(streamed(question)).toEqual([])
    expect(seen(question)).toHaveLength(1)
  })

  it('that is longer is streamed to the one who asked, and ends with its sources and buttons', async () => {
    const question = await ask(() => streamOf(long))
    expect(streamed(question)[0]?.args).toMatchObject({ recipient_user_id: 'U0ALICE', recipient_team_id: nura.slack.workspace.teamId })
    const [reply] = nura.replies(question.ts)
    expect(reply).toMatchObject({ streaming: false, text: long.join('') })
    expect(reply?.blocks.at(-1)?.type).toBe('actions')
    expect(reply?.metadata?.event_type).toBe('nura_answer')
  })

  it('that is slow is shown sentence by sentence before it is whole', async () => {
    const gate = Promise.withResolvers<void>()
    nura.server.script = async function* () {
      yield { kind: 'text', markdown: `${long.join('')} And the last of` }
      await gate.promise
      yield { kind: 'text', markdown: ' it.' }
      yield sampleDone()
    }
    const question = say(nura.slack.workspace, { text: '<@U0NURABOT> slow?' })
    await nura.send(slackEvent(nura.slack.workspace, question, 'app_mention'))
    await expect.poll(() => nura.replies(question.ts)[0]?.text).toBe(`${long.join('')} `)
    gate.resolve()
    await nura.idle()
    expect(seen(question)[0]).toContain('And the last of it.')
  })

  it('over the budget goes on in a second message, code closed and reopened, buttons on the last', async () => {
    const code = `\`\`\`ts\n${Array.from({ length: 120 }, (_, line) => `const line${line} = 'a line of code'\n`).join('')}\`\`\`\n`
    const question = await ask(() => streamOf([...long, '\n\n', ...code.split(/(?<=\n)/), 'Done.']))
    const replies = nura.replies(question.ts)
    expect(replies).toHaveLength(2)
    const [first, second] = replies
    expect(first?.text.length).toBeLessThan(2300)
    expect(first?.text.endsWith('_[Continued below]_')).toBe(true)
    expect(first?.blocks).toEqual([])
    expect(second?.text.startsWith('```ts\n')).toBe(true)
    expect([first, second].map((reply) => openFence(reply?.text ?? '```'))).toEqual([null, null])
    for (let line = 0; line < 120; line++) expect(`${first?.text}${second?.text}`).toContain(`const line${line} = `)
    expect(second?.blocks.at(-1)?.type).toBe('actions')
  })

  it('over the budget cuts no link in two, where the message has room for its beginning alone', async () => {
    const filler = sentences(48).join('')
    const gate = Promise.withResolvers<void>()
    nura.server.script = async function* () {
      yield { kind: 'citation', citation: sampleCitation }
      yield { kind: 'text', markdown: `${filler}there[1] ` }
      await gate.promise
      for (const markdown of ['is it. ', ...long]) yield { kind: 'text', markdown }
      yield sampleDone()
    }
    const question = say(nura.slack.workspace, { text: '<@U0NURABOT> where?' })
    await nura.send(slackEvent(nura.slack.workspace, question, 'app_mention'))
    await expect.poll(() => nura.replies(question.ts)[0]?.text.length).toBe(filler.length)
    gate.resolve()
    await nura.idle()
    const replies = nura.replies(question.ts)
    expect(replies.length).toBeGreaterThan(1)
    expect(replies.filter(({ text }) => text.includes(`](${sampleCitation.url})`))).toHaveLength(1)
  })

  it('is edited into one message where Slack does not stream', async () => {
    nura.slack.workspace.channels.set('C0GENERAL', { id: 'C0GENERAL', streams: false })
    const question = await ask(() => streamOf(long))
    nura.slack.workspace.channels.set('C0GENERAL', { id: 'C0GENERAL' })
    expect(seen(question)).toHaveLength(1)
    expect(seen(question)[0]).toContain(long.join('').trim())
  })

  it('goes on in a new message with only the rest when its stream has died', async () => {
    nura.slack.fail('chat.appendStream', { kind: 'refuse', error: 'message_not_in_streaming_state' })
    const question = await ask(async function* () {
      yield { kind: 'text', markdown: long.join('') }
      await new Promise((resolve) => setTimeout(resolve, 30))
      yield { kind: 'text', markdown: `The rest of it. ${'x'.repeat(220)} ` }
      yield { kind: 'text', markdown: 'End.' }
      yield sampleDone()
    })
    const replies = nura.replies(question.ts)
    expect(replies).toHaveLength(2)
    expect(replies[0]?.text.startsWith('Sentence 1 says')).toBe(true)
    expect(replies[1]?.text).not.toContain('Sentence 1 says')
    expect(replies.map(({ text }) => text).join('')).toBe(`${long.join('')}The rest of it. ${'x'.repeat(220)} End.`)
    expect(await outcomeOf(question)).toEqual({ state: 'done', outcome: 'answered' })
  })

  async function* breakOff() {
    yield { kind: 'text' as const, markdown: long.join('') }
    await new Promise((resolve) => setTimeout(resolve, 50))
    yield 'break' as const
  }

  it('that breaks off with its server is made again by itself, and takes the place of what was shown', async () => {
    const question = await ask(breakOff)
    expect(seen(question)).toEqual([expect.stringMatching(/^Sentence 1 says[^]*\. $/)])
    expect(await outcomeOf(question)).toEqual({ state: 'accepted', outcome: null })
    await tryAgain(question)
    expect(seen(question)).toHaveLength(1)
    expect(seen(question)[0]).not.toContain('Sentence 1 says')
    expect(await outcomeOf(question)).toEqual({ state: 'done', outcome: 'answered' })
  })

  it('that breaks off for ever is marked and can be retried', async () => {
    const question = await askLongAgo(breakOff)
    expect(seen(question)).toHaveLength(1)
    expect(seen(question)[0]).toMatch(/_\[Interrupted before completion\]_\n.+ Ref [0-9A-F]{6}\n(.*\n)*Retry/)
    expect((await outcomeOf(question))?.outcome).toMatch(/^interrupted:/)
  })

  it('that is put off for long because the server is away is promised, and takes the place of the promise', async () => {
    const question = await askLongAgo(() => [{ kind: 'error', code: 'store-unavailable', message: 'The database does not answer.', retryable: true, ref: '7F3A91' }], '20 seconds')
    expect(seen(question)).toEqual([texts.interrupted])
    await tryAgain(question)
    expect(seen(question)).toHaveLength(1)
    expect(seen(question)[0]).not.toContain(texts.interrupted)
    expect(await outcomeOf(question)).toEqual({ state: 'done', outcome: 'answered' })
  })

  it('that no model gives is promised at once, tried again by itself, and takes the place of the promise', async () => {
    const question = await ask(() => [{ kind: 'error', code: 'model-unavailable', message: 'No model answers just now.', retryable: true, ref: '7F3A91' }])
    expect(seen(question)).toEqual([texts.waiting])
    expect(await outcomeOf(question)).toEqual({ state: 'accepted', outcome: null })
    expect(nura.lines.at(-1)).toMatchObject({ msg: 'turn threw', error: expect.stringContaining('No whole answer yet') })
    await tryAgain(question)
    expect(seen(question)).toHaveLength(1)
    expect(seen(question)[0]).not.toContain(texts.waiting)
    expect(await outcomeOf(question)).toEqual({ state: 'done', outcome: 'answered' })
  })

  it('whose model broke off before anything was shown is asked for again at once, the first time', async () => {
    const question = await ask(() => streamOf(['Half a sentence.'], { kind: 'error', code: 'model-interrupted', message: 'The model broke off.', retryable: true, ref: '7F3A91' }))
    expect(seen(question)).toEqual([texts.askingAgain])
    expect(await outcomeOf(question)).toEqual({ state: 'accepted', outcome: null })
    await tryAgain(question)
    expect(await outcomeOf(question)).toEqual({ state: 'done', outcome: 'answered' })
  })

  it('that no model gives for ever ends in one line with a button', async () => {
    const question = await askLongAgo(() => [{ kind: 'error', code: 'model-unavailable', message: 'No model answers just now.', retryable: true, ref: '7F3A91' }])
    expect(seen(question)).toEqual(['No model answers just now. Ref 7F3A91\nRetry'])
    expect((await outcomeOf(question))?.outcome).toBe('failed:model-unavailable')
  })

  it('that breaks off before anything was shown is one line', async () => {
    const question = await askLongAgo(() => streamOf(['Half a sentence'], 'break'))
    expect(seen(question)).toHaveLength(1)
    expect(seen(question)[0]).not.toContain('Half a sentence')
    expect(seen(question)[0]).toMatch(/ Ref [0-9A-F]{6}\nRetry$/)
  })
})

describe('when Slack', () => {
  it('asks to wait, the replies of a channel keep their order', async () => {
    nura.slack.fail('chat.postMessage', { kind: 'ratelimited', seconds: 1 })
    const one = say(nura.slack.workspace, { text: '<@U0NURABOT> one?' })
    const two = say(nura.slack.workspace, { text: '<@U0NURABOT> two?' })
    nura.server.script = () => shortAnswer()
    await nura.send(slackEvent(nura.slack.workspace, one, 'app_mention'))
    await expect.poll(() => nura.slack.calls.at(-1)?.method).toBe('chat.postMessage')
    await nura.send(slackEvent(nura.slack.workspace, two, 'app_mention'))
    await nura.idle()
    const [first] = nura.replies(one.ts)
    const [second] = nura.replies(two.ts)
    expect(Number(first?.ts) < Number(second?.ts)).toBe(true)
  })

  it.each([
    ['fails after it has posted', { kind: 'status', status: 500, commits: true } as const],
    ['fails before it has posted', { kind: 'status', status: 502, commits: false } as const],
  ])('%s, there is still one reply', async (_, fault) => {
    nura.slack.fail('chat.postMessage', fault)
    const question = await ask(() => shortAnswer())
    expect(seen(question)).toHaveLength(1)
    expect(seen(question)[0]).toContain('Signatures are verified')
  })

  it.each(['chat.startStream', 'chat.appendStream', 'chat.stopStream'])('fails after it has carried out %s, there is still one whole reply', async (method) => {
    nura.slack.fail(method, { kind: 'status', status: 500, commits: true })
    const question = await ask(async function* () {
      yield { kind: 'citation', citation: sampleCitation }
      yield { kind: 'text', markdown: long.join('') }
      await new Promise((resolve) => setTimeout(resolve, 30))
      yield { kind: 'text', markdown: `${sentences(8).join('')}Last one.` }
      yield sampleDone()
    })
    expect(seen(question)).toHaveLength(1)
    const [text] = seen(question)
    expect(text?.match(/Sentence 20 says/g)).toHaveLength(1)
    expect(text?.match(/Last one\./g)).toHaveLength(1)
    expect(nura.replies(question.ts)[0]?.streaming).toBeFalsy()
  })

  it.each([
    ['chat.postMessage', 'is_archived', 'undeliverable'],
    ['chat.postMessage', 'not_in_channel', 'undeliverable'],
    ['chat.postMessage', 'token_revoked', 'uninstalled'],
    ['conversations.info', 'token_revoked', 'uninstalled'],
  ])('refuses %s for good with %s, the turn ends without a storm', async (method, error, outcome) => {
    const own = await openTestBot(db)
    try {
      own.slack.fail(method, { kind: 'refuse', error }, 50)
      const question = say(own.slack.workspace, { text: '<@U0NURABOT> anybody?' })
      await own.send(slackEvent(own.slack.workspace, question, 'app_mention'))
      await own.idle()
      expect(own.slack.callsOf(method).length).toBeLessThanOrEqual(2)
      const rows = await db.control((tx) => tx.query(`select state, outcome from inbox where tenant_id = $1`, [own.tenant.id]))
      expect(rows).toEqual([{ state: 'done', outcome }])
    } finally {
      await own.close()
    }
  })

  it('hangs on the status, the reply does not wait for it', async () => {
    nura.slack.fail('assistant.threads.setStatus', { kind: 'hang', commits: false }, 1)
    const question = await ask(() => shortAnswer())
    expect(seen(question)).toHaveLength(1)
  })

  it('knows no status here, eyes are shown and taken away', async () => {
    nura.slack.workspace.channels.set('C0GENERAL', { id: 'C0GENERAL', statuses: false })
    const eyes: number[] = []
    nura.slack.before('chat.postMessage', () => void eyes.push(nura.slack.workspace.reactions.length))
    const question = await ask(async function* () {
      await new Promise((resolve) => setTimeout(resolve, 50))
      yield* shortAnswer()
    })
    nura.slack.workspace.channels.set('C0GENERAL', { id: 'C0GENERAL' })
    nura.slack.before('chat.postMessage', () => undefined)
    expect(eyes).toEqual([1])
    expect(nura.slack.workspace.reactions).toEqual([])
    expect(seen(question)).toHaveLength(1)
  })
})

describe('a process that dies', () => {
  /** A process that gets no further than a call of Slack's, and the one that comes after it. */
  async function dieAt(method: string, nth: number, commits: boolean, breakNext: (next: TestBot) => void = () => undefined): Promise<void> {
    const own = await openTestBot(db)
    let calls = 0
    try {
      own.server.script = async function* () {
        yield { kind: 'citation', citation: sampleCitation }
        yield { kind: 'text', markdown: long.join('') }
        await new Promise((resolve) => setTimeout(resolve, 20))
        yield { kind: 'text', markdown: `${sentences(8).join('')}Last one [1].` }
        yield sampleDone()
      }
      const queue = own.hold()
      const question = say(own.slack.workspace, { text: '<@U0NURABOT> will it live?' })
      await own.send(slackEvent(own.slack.workspace, question, 'app_mention'))
      const [inboxId = ''] = queue.ids
      own.slack.before(method, () => {
        if (++calls === nth) own.slack.fail(method, { kind: 'hang', commits }, 1)
      })
      own.bot.runTurn(inboxId, { signal: new AbortController().signal, lastAttempt: false }).catch(() => undefined)
      await expect.poll(() => calls).toBeGreaterThanOrEqual(nth)
      await new Promise((resolve) => setTimeout(resolve, 20))
      // Its claim is not renewed any more: what it holds is taken over, and its own late writes are refused.
      await claim(db, inboxId, { staleMs: 0 })
      await db.control((tx) => tx.execute(`update inbox set state = 'accepted' where id = $1`, [inboxId]))
      const next = await openTestBot(db, { beside: own })
      breakNext(next)
      await next.bot.runTurn(inboxId, { signal: new AbortController().signal, lastAttempt: true })
      await next.close()
      expect((await read(db, inboxId))?.outcome).toBe('answered')
      const texts = own.seen(question.ts)
      expect(texts).toHaveLength(1)
      expect(texts[0]?.match(/Last one \[\[1\]\]/g)).toHaveLength(1)
      expect(own.replies(question.ts)[0]?.streaming).toBeFalsy()
    } finally {
      await own.close()
    }
  }

  it.each([
    ['chat.startStream', 1, false],
    ['chat.startStream', 1, true],
    ['chat.appendStream', 1, false],
    ['chat.appendStream', 1, true],
    ['chat.stopStream', 1, false],
    ['chat.stopStream', 1, true],
    ['conversations.info', 1, true],
  ])('at %s (call %i, carried out: %s) leaves one whole reply after the next run', async (method, nth, commits) => {
    await dieAt(method, nth, commits)
  })

  it.each([false, true])('leaves one whole reply though the end of its stream by the next run gets lost (carried out: %s)', async (commits) => {
    await dieAt('chat.appendStream', 1, false, (next) => next.slack.fail('chat.stopStream', { kind: 'status', status: 503, commits }))
  })
})

describe('a row', () => {
  async function stored(own: TestBot): Promise<{ inboxId: string; question: FakeMessage }> {
    const queue = own.hold()
    const question = say(own.slack.workspace, { text: '<@U0NURABOT> once more?' })
    await own.send(slackEvent(own.slack.workspace, question, 'app_mention'))
    return { inboxId: queue.ids[0] ?? '', question }
  }
  const once = { signal: new AbortController().signal, lastAttempt: true }

  it('whose runs keep killing their process is given up, visibly, and does not run again', async () => {
    const own = await openTestBot(db)
    try {
      const { inboxId, question } = await stored(own)
      for (let crash = 0; crash < 3; crash++) {
        await claim(db, inboxId, { staleMs: 0 })
        await db.control((tx) => tx.execute(`update inbox set updated_at = now() - interval '1 minute', delivery = jsonb_build_object('crashes', $2::int) where id = $1`, [inboxId, crash]))
      }
      await own.bot.runTurn(inboxId, once)
      expect(await read(db, inboxId)).toMatchObject({ state: 'failed', error: 'poison' })
      expect(own.seen(question.ts)).toEqual([expect.stringMatching(/Something went wrong on my side.* Ref [0-9A-F]{6}/)])
      expect(own.server.asked).toEqual([])
    } finally {
      await own.close()
    }
  })

  it('waits for Slack to come back, even after the last attempt of the queue', async () => {
    const own = await openTestBot(db)
    try {
      const { inboxId, question } = await stored(own)
      own.slack.fail('conversations.replies', { kind: 'status', status: 503, commits: false }, 3)
      own.slack.fail('chat.postMessage', { kind: 'status', status: 503, commits: false })
      await own.bot.runTurn(inboxId, once)
      expect(await read(db, inboxId)).toMatchObject({ state: 'accepted', outcome: null })
      await own.bot.runTurn(inboxId, once)
      expect(own.seen(question.ts)).toHaveLength(1)
      expect(await read(db, inboxId)).toMatchObject({ state: 'done', outcome: 'answered' })
    } finally {
      await own.close()
    }
  })

  it('that is given back when the process stops is answered by the next one', async () => {
    const own = await openTestBot(db)
    try {
      const { inboxId, question } = await stored(own)
      const stop = new AbortController()
      own.server.script = async function* (_asked, index) {
        if (index === 0) await new Promise(() => undefined)
        yield* shortAnswer()
      }
      const running = own.bot.runTurn(inboxId, { signal: stop.signal, lastAttempt: false })
      await expect.poll(() => own.server.asked.length).toBe(1)
      stop.abort(new Error('stopping'))
      await running
      expect(await read(db, inboxId)).toMatchObject({ state: 'accepted' })
      await own.bot.runTurn(inboxId, once)
      expect(own.seen(question.ts)).toHaveLength(1)
    } finally {
      await own.close()
    }
  })
})

describe('a run that was overtaken', () => {
  it('shows nothing any more', async () => {
    const gate = Promise.withResolvers<void>()
    nura.server.script = async function* (_asked, index) {
      if (index === first) await gate.promise
      yield* shortAnswer(index === first ? 'Late [1].' : 'In time [1].')
    }
    const first = nura.server.asked.length
    const queue = nura.hold()
    const question = say(nura.slack.workspace, { text: '<@U0NURABOT> who wins?' })
    await nura.send(slackEvent(nura.slack.workspace, question, 'app_mention'))
    const [inboxId = ''] = queue.ids
    const context = { signal: new AbortController().signal, lastAttempt: true }
    const frozen = nura.bot.runTurn(inboxId, context)
    await expect.poll(() => nura.server.asked.length).toBe(first + 1)
    await claim(db, inboxId, { staleMs: 0 })
    await db.control((tx) => tx.execute(`update inbox set state = 'accepted' where id = $1`, [inboxId]))
    await nura.bot.runTurn(inboxId, context)
    gate.resolve()
    await frozen
    queue.release()
    await nura.idle()
    expect(seen(question)).toHaveLength(1)
    expect(seen(question)[0]).toContain('In time')
  })
})

describe('afterwards', () => {
  it('nothing is unfinished', async () => {
    await nura.idle()
    expect(await unfinished(db, { olderThanMs: 0, limit: 10 })).toEqual([])
  })
})
