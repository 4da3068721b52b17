import pino from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { NuraError } from '#db/nura-error.ts'
import type { AnswerPart } from '#server/answer-part.ts'
import type { Conversation, Message, Shown } from '../platform.ts'
import { sampleCitation, sampleDone, shortAnswer } from '../testing/fake-ask-server.ts'
import { startFakeConnector } from '../testing/fake-connector.ts'
import type { FakeConnector } from '../testing/fake-connector.ts'
import { hostileReport } from '../testing/hostile-report.ts'
import { texts } from '../texts.ts'
import { mostBytes } from './activity.ts'
import type { Activity } from './activity.ts'
import { createConnector } from './connector.ts'
import { createConversation } from './conversation.ts'
import { longText } from './render.ts'
import { lostText } from './reply.ts'

const log = pino({ level: 'silent' })
const personal = 'a:1on1'
const channel = '19:general@thread.tacv2'
const thread = `${channel};messageid=1763000000000`
const inboxId = '7e57ab1e-0000-4000-8000-000000000001'

const message = (direct: boolean): Message => ({
  kind: 'message',
  place: { surface: 'teams', workspace: 'directory-1', channel: direct ? personal : channel, root: direct ? personal : '1763000000000', direct },
  id: '1763000000001',
  author: 'aad-1',
  text: 'Where do we verify signatures?',
  mentioned: !direct,
  namesOthers: false,
  external: false,
  attachments: [],
})

let teams: FakeConnector
/** What the inbox row remembers; a second conversation continues from it. */
let row: string[]
let isOvertaken: boolean

beforeEach(async () => {
  teams = await startFakeConnector({ token: 'secret' })
  row = []
  isOvertaken = false
})
afterEach(async () => {
  vi.useRealTimers()
  await teams.close()
})

function converse(direct: boolean, { timeoutMs = 60_000, ...timing }: { flushMs?: number; lifeMs?: number; timeoutMs?: number } = {}): Conversation {
  const shown: Shown = {
    get messages() {
      return row
    },
    async save(messages) {
      if (isOvertaken) throw new NuraError('stale-attempt', 'Another run has taken over.')
      row = [...messages]
    },
  }
  return createConversation({
    connector: createConnector({ serviceUrl: teams.url, token: async () => 'secret', log, timeoutMs, pause: async () => undefined }),
    incoming: message(direct),
    inboxId,
    shown,
    mayHavePosted: false,
    botId: '28:app-1',
    admit: async () => ({ ok: true, audience: { kind: 'public' } }),
    readContext: async () => ({ lines: [], unread: ['the thread so far'] }),
    log,
    timing: { tickMs: 5, flushMs: 0, ...timing },
  })
}

type Moment = AnswerPart | (() => unknown)

/** An answer that comes piece by piece: a function is waited for, and until what it says is true. */
async function* play(...moments: Moment[]): AsyncGenerator<AnswerPart> {
  for (const moment of moments) {
    if (typeof moment !== 'function') yield moment
    else while (!moment()) await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

const calls = (count: number) => () => teams.calls.length >= count
const text = (markdown: string): AnswerPart => ({ kind: 'text', markdown })
const citation: AnswerPart = { kind: 'citation', citation: sampleCitation }
const unavailable: AnswerPart = { kind: 'error', code: 'model-unavailable', message: 'No model answers.', retryable: true, ref: '7F3A91' }
const deliver = (conversation: Conversation, parts: AsyncIterable<AnswerPart>, signal = new AbortController().signal) => conversation.deliver(parts, { signal, updated: false, retries: true })
const seenTexts = () => teams.seen().map(({ activity }) => activity.text ?? '')
const cardOf = (activity: Activity | undefined) => JSON.stringify(activity?.attachments?.[0]?.content ?? null)
const isMessage = ({ method, body }: { method: string; body: Activity | null }) => method === 'POST' && body?.type === 'message'
const golden = async (name: string) => await expect(`${JSON.stringify(teams.transcript(), null, 2)}\n`).toMatchFileSnapshot(`golden/${name}.json`)

describe('a personal chat', () => {
  it('streams what is done, then the text as it grows, then its final form', async () => {
    const conversation = converse(true)
    conversation.status('Reading the question')
    const delivered = await deliver(
      conversation,
      play(
        calls(1),
        { kind: 'status', text: 'Searching acme/api' },
        calls(2),
        { kind: 'step', step: { id: 's1', title: 'Count what was merged', agent: 'pm', state: 'running' } },
        calls(3),
        citation,
        text('Signatures are verified in `verify` [1]. '),
        text('See <at>all</at> and [this](https://evil.example/?q=1) too. '),
        calls(4),
        text('\n```ts\nverify(token)\n'),
        calls(5),
        text('```\nThat is all [1].'),
        { kind: 'report', report: hostileReport },
        sampleDone(),
      ),
    )
    expect(delivered).toEqual({ outcome: 'answered', answerId: 'answer-1', agent: 'dev', notes: [] })
    expect(teams.seen()).toHaveLength(1)
    expect(row).toEqual([teams.seen()[0]?.id])
    await golden('personal-chat')
  })

  it('shows an answer that Teams will not stream as one message', async () => {
    teams.fail(({ body }) => body?.type === 'typing', { kind: 'status', status: 403, code: 'ContentStreamNotAllowed', message: 'Content stream is not allowed.' })
    const conversation = converse(true)
    conversation.status('Reading the question')
    await deliver(conversation, play(calls(1), ...shortAnswer()))
    expect(seenTexts()).toEqual(['Signatures are verified in `verify` [1].'])
  })

  it('starts to stream with the next piece when the first one was not taken', async () => {
    teams.fail(({ body }) => body?.type === 'typing', { kind: 'status', status: 502 })
    const conversation = converse(true)
    conversation.status('Reading the question')
    await deliver(conversation, play(calls(1), citation, text('One [1]. Two. '), calls(3), text('Three.'), sampleDone()))
    expect(seenTexts()).toEqual(['One [1]. Two. Three.'])
    expect(teams.seen()[0]?.activity.channelData).toMatchObject({ streamType: 'final' })
  })

  it('does not start another stream where one may have begun unseen', async () => {
    teams.fail(({ body }) => body?.type === 'typing', { kind: 'reset', commits: true })
    await deliver(converse(true), play(citation, text('One [1]. Two. '), calls(1), text('Three. Four. '), calls(2), text('Five.'), sampleDone()))
    // What Teams may still show of the other says nothing of the answer.
    expect(seenTexts()).toEqual(['Writing the answer', 'One [1]. Two. Three. Four. Five.'])
  })

  it('goes on after a piece that was lost', async () => {
    const conversation = converse(true)
    conversation.status('Reading the question')
    teams.fail(({ body }) => body?.type === 'typing' && body.text !== 'Reading the question', { kind: 'reset', commits: true }, 2)
    await deliver(conversation, play(calls(1), citation, text('One [1]. Two. '), calls(2), text('Three. Four. '), calls(3), text('Five.'), sampleDone()))
    expect(seenTexts()).toEqual(['One [1]. Two. Three. Four. Five.'])
  })

  it('is content when the person presses Stop: nothing is shown after that', async () => {
    const conversation = converse(true)
    let isOver = false
    // The model would go on for ever; nobody listens to it.
    const delivered = await deliver(conversation, play(citation, text('One [1]. Two. '), calls(2), () => (teams.stopStreams(), true), text('Three. Four. '), calls(3), () => isOver, text('Five.'), sampleDone()))
    isOver = true
    expect(delivered).toEqual({ outcome: 'interrupted', code: 'stopped' })
    await conversation.clear()
    expect(seenTexts()).toEqual(['One [1]. '])
    expect(teams.calls).toHaveLength(3)
  })

  it('ends a stream before Teams does, and posts the rest as a message of its own', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const pass = () => (vi.setSystemTime(Date.now() + 110_000), true)
    const conversation = converse(true)
    const delivered = await deliver(conversation, play(citation, text('One [1]. Two. '), calls(2), pass, calls(3), text('Three [1]. Four.'), sampleDone()))
    expect(delivered).toMatchObject({ outcome: 'answered' })
    expect(seenTexts()).toEqual(['One [1]. \n\n_[Continued below]_', 'Two. Three [1]. Four.'])
    expect(row).toEqual(teams.seen().map(({ id }) => id))
    expect(teams.seen().map(({ activity }) => activity.attachments?.length ?? 0)).toEqual([0, 1])
  })

  it('says that an answer takes long where no text of it is there yet', async () => {
    const conversation = converse(true, { lifeMs: 0 })
    conversation.status('Reading the question')
    await deliver(conversation, play(calls(2), citation, text('One [1].'), sampleDone()))
    expect(seenTexts()).toEqual([longText, 'One [1].'])
  })

  it('makes a message of a stream that Teams ended', async () => {
    const conversation = converse(true)
    await deliver(conversation, play(citation, text('One [1]. Two. '), calls(2), () => (teams.expireStreams(), true), text('Three.'), sampleDone()))
    expect(seenTexts()).toEqual(['One [1]. Two. Three.'])
  })

  it.each([
    ['lost its answer', { kind: 'reset', commits: true }],
    ['never arrived', { kind: 'reset', commits: false }],
  ] as const)('shows the final message once when the call %s', async (_, fault) => {
    teams.fail(isMessage, fault)
    const delivered = await deliver(converse(true), play(citation, text('One [1]. Two. '), calls(2), text('Three.'), sampleDone()))
    expect(delivered).toMatchObject({ outcome: 'answered' })
    expect(seenTexts()).toEqual(['One [1]. Two. Three.'])
    expect(cardOf(teams.seen()[0]?.activity)).toContain('Why?')
  })

  it('leaves no trace of a turn that ends without a word', async () => {
    const conversation = converse(true)
    conversation.status('Reading the question')
    await deliver(conversation, play(calls(1), () => { throw new Error('The process is shut down.') })).catch(() => undefined)
    await conversation.clear()
    expect(teams.seen()).toEqual([])
    expect(row).toEqual([])
  })

  it('lets a second run finish the stream of one that died, in the same message', async () => {
    const first = converse(true)
    await deliver(first, play(citation, text('One [1]. Two. '), calls(2), () => { throw new Error('killed') })).catch(() => undefined)
    expect(row).toEqual([`stream:${teams.seen()[0]?.id}`])
    teams.expireStreams()
    await deliver(converse(true), play(...shortAnswer()))
    expect(seenTexts()).toEqual(['Signatures are verified in `verify` [1].'])
  })

  it('replaces a stream that died and cannot be finished', async () => {
    await deliver(converse(true), play(citation, text('One [1]. Two. '), calls(2), () => { throw new Error('killed') })).catch(() => undefined)
    await deliver(converse(true), play(...shortAnswer()))
    expect(seenTexts()).toEqual(['Signatures are verified in `verify` [1].'])
  })

  it('says what it says within the stream that showed it was heard', async () => {
    const conversation = converse(true)
    conversation.status('Reading the question')
    await play(calls(1)).next()
    await conversation.say('Here.', { questions: ['Where is <at>x</at>?'] })
    expect(seenTexts()).toEqual(['Here.'])
    expect(teams.seen()[0]?.activity.channelData).toMatchObject({ streamType: 'final' })
    expect(cardOf(teams.seen()[0]?.activity)).toContain('Where is <\u2060at>x<\u2060/at>?')
  })

  it('promises an answer where no model answers, and keeps the promise in the same message', async () => {
    expect(await deliver(converse(true), play(unavailable))).toEqual({ outcome: 'waiting', code: 'model-unavailable' })
    expect(seenTexts()).toEqual([texts.waiting])
    await deliver(converse(true), play(...shortAnswer()))
    expect(seenTexts()).toEqual(['Signatures are verified in `verify` [1].'])
  })

  it('says what went wrong, marks what stays unfinished, and offers to try again', async () => {
    const failed = { ...unavailable, code: 'internal' } as const
    expect(await deliver(converse(true), play(failed))).toEqual({ outcome: 'failed', code: 'internal' })
    row = []
    const before = teams.calls.length
    expect(await deliver(converse(true), play(citation, text('One [1]. Two. '), calls(before + 2), failed))).toEqual({ outcome: 'interrupted', code: 'internal' })
    expect(seenTexts()).toEqual(['No model answers. Ref 7F3A91', 'One [1]. Two. \n\n_[Interrupted before completion]_\n\nNo model answers. Ref 7F3A91'])
    expect(teams.seen().every(({ activity }) => cardOf(activity).includes('"verb":"retry"'))).toBe(true)
  })

  it('shows where an answer was stopped, and lets another run replace one that is asked anew', async () => {
    for (const [code, shown] of [['stopped', 'One [1]. \n\n_[Stopped]_'], ['superseded', 'One [1]. \n\n_[Interrupted]_']] as const) {
      row = []
      const before = teams.calls.length
      const abort = new AbortController()
      const parts = play(citation, text('One [1]. Two. '), calls(before + 2), () => (abort.abort(new NuraError(code, 'Over.')), true), text('Three.'))
      await expect(deliver(converse(true), parts, abort.signal)).rejects.toMatchObject({ code })
      expect(seenTexts().at(-1)).toBe(shown)
    }
    await deliver(converse(true), play(...shortAnswer()))
    expect(seenTexts().at(-1)).toBe('Signatures are verified in `verify` [1].')
  })
})

describe('a channel', () => {
  it('shows that work goes on, then one whole message in the thread', async () => {
    const conversation = converse(false)
    conversation.status('Reading the question')
    await conversation.context()
    const delivered = await deliver(conversation, play(calls(1), ...shortAnswer().slice(0, 2), text('Signatures are verified '), text('in `verify` [1].'), sampleDone()))
    await conversation.clear()
    expect(delivered).toMatchObject({ outcome: 'answered', notes: ['I could not read: the thread so far.'] })
    expect(teams.seen(thread)).toHaveLength(1)
    await golden('channel')
  })

  it('changes its message in a second run instead of posting another', async () => {
    await deliver(converse(false), play(...shortAnswer()))
    await deliver(converse(false), play(citation, text('Now it is elsewhere [1].'), sampleDone()))
    expect(teams.seen().map(({ activity, edits }) => [activity.text, edits])).toEqual([['Now it is elsewhere [1].', 1]])
  })

  it('posts again what somebody deleted, for the answer is owed', async () => {
    await deliver(converse(false), play(unavailable))
    row = ['1111111111111']
    await deliver(converse(false), play(...shortAnswer()))
    expect(seenTexts().at(-1)).toBe('Signatures are verified in `verify` [1].')
  })

  it.each([true, false])('never shows an answer twice when it cannot know (shown: %s), and says so', async (commits) => {
    teams.fail(isMessage, { kind: 'hang', commits })
    const delivered = await deliver(converse(false, { timeoutMs: 1_500 }), play(...shortAnswer()))
    expect(delivered).toMatchObject({ outcome: 'answered' })
    expect(seenTexts()).toEqual([...(commits ? ['Signatures are verified in `verify` [1].'] : []), lostText])
    expect(cardOf(teams.seen().at(-1)?.activity)).toContain('"verb":"retry"')
    // Whoever presses Retry does not see it: now it is posted, and the notice goes.
    await deliver(converse(false), play(citation, text('Again [1].'), sampleDone()))
    expect(seenTexts().at(-1)).toBe('Again [1].')
    expect(seenTexts()).not.toContain(lostText)
  })

  it('says so too in the run after one that died while it was posting', async () => {
    row = ['?']
    await deliver(converse(false), play(...shortAnswer()))
    expect(seenTexts()).toEqual([lostText])
  })

  it('shows nothing once another run has taken over', async () => {
    isOvertaken = true
    await expect(deliver(converse(false), play(...shortAnswer()))).rejects.toMatchObject({ code: 'stale-attempt' })
    expect(teams.seen()).toEqual([])
  })

  it('leaves nothing noted of a message that Teams refused', async () => {
    teams.left.add(channel)
    await expect(deliver(converse(false), play(...shortAnswer()))).rejects.toMatchObject({ code: 'teams-bot-not-in-conversation-roster' })
    expect(row).toEqual([])
  })

  it('cuts a long answer into messages that Teams takes, with the buttons on the last one', async () => {
    const paragraph = `${'検証は署名を確かめる [1]。'.repeat(40)}\n\n`
    const long = paragraph.repeat(40)
    await deliver(converse(false), play(citation, text(long), { kind: 'report', report: { ...hostileReport, table: { ...hostileReport.table!, rows: Array.from({ length: 200 }, () => hostileReport.table!.rows[0]!) } } }, sampleDone()))
    expect(teams.seen().length).toBeGreaterThan(2)
    expect(teams.calls.every(({ raw }) => Buffer.byteLength(raw) <= mostBytes)).toBe(true)
    expect(seenTexts().join('').replaceAll('\n\n_[Continued below]_', '').replace(/\s/g, '')).toBe(long.replace(/\s/g, ''))
    expect(teams.seen().map(({ activity }) => cardOf(activity).includes('Why?'))).toEqual([...teams.seen().slice(1).map(() => false), true])
    expect(cardOf(teams.seen().at(-1)?.activity)).toMatch(/and \d+ more/)
  })

  it('lets the card follow where the last message has no room for it', async () => {
    const cjk = `${'検'.repeat(5600)} [1].`
    await deliver(converse(false), play(citation, text(cjk), { kind: 'report', report: hostileReport }, sampleDone()))
    expect(seenTexts()).toEqual([cjk, ''])
    expect(teams.seen().map(({ activity }) => activity.attachments?.length ?? 0)).toEqual([0, 1])
    expect(teams.calls.every(({ raw }) => Buffer.byteLength(raw) <= mostBytes)).toBe(true)
  })

  it('shows no address but those of the sources and the report, whatever answer and report say', async () => {
    const evil = 'https://evil.example/?q=secret'
    const report = { ...hostileReport, title: evil, missing: [evil], figures: [{ ...hostileReport.figures[0]!, label: evil, url: 'javascript:alert(1)' }] }
    const source = { ...sampleCitation, path: `${evil} <at>all</at> {{DATE(2026)}}`, title: `[x](${evil})` }
    await deliver(converse(false), play({ kind: 'citation', citation: source }, text(`See ${evil}, [x](${evil}), ![x](${evil}), <${evil}> and <a href="${evil}">x</a> [1].`), { kind: 'report', report }, { ...sampleDone(), notice: `Look at ${evil}` }))
    const raw = teams.calls.at(-1)?.raw ?? ''
    const addresses = new Set(raw.match(/(?:https?|javascript):[^\s"\\)]+/g))
    expect([...addresses].filter((address) => !/^https:\/\/(git\.example|github\.com\/acme|schema\.org)/.test(address))).toEqual([])
    expect(raw).not.toMatch(/<\/?at>|\{\{|"mention"/)
  })

  it('says below an answer that a source has changed, in its own message', async () => {
    await deliver(converse(false), play(...shortAnswer()))
    await converse(false).noteOutdated({ id: 'answer-1', agent: 'dev', markdown: 'Signatures are verified in `verify` [1].', abstained: false, citations: [sampleCitation], reports: [], usage: {}, trace: null }, 'f00dfeed', [])
    expect(teams.seen()).toHaveLength(1)
    expect(cardOf(teams.seen()[0]?.activity)).toContain('"verb":"recheck"')
    expect(cardOf(teams.seen()[0]?.activity)).toContain('Source changed in f00dfee')
    row = ['1111111111111']
    await expect(converse(false).noteOutdated({ id: 'answer-1', agent: 'dev', markdown: 'x', abstained: false, citations: [], reports: [], usage: {}, trace: null }, 'f00dfeed', [])).rejects.toMatchObject({ code: 'teams-activity-not-found-in-conversation' })
    expect(teams.seen()).toHaveLength(1)
  })

  it('takes a reply away', async () => {
    await deliver(converse(false), play(...shortAnswer()))
    await converse(false).retract()
    expect(teams.seen()).toEqual([])
    expect(row).toEqual([])
  })
})
