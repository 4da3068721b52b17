import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accept, findByAnswer } from '#db/shared/inbox.ts'
import { openTestDb } from '#db/testing/open-test-db.ts'
import type { AnswerPart, Report } from '#server/answer-part.ts'
import type { Message } from '../platform.ts'
import { checkMessage, createFakeWorkspace } from '../testing/fake-slack-methods.ts'
import type { FakeMessage } from '../testing/fake-slack-methods.ts'
import { sampleCitation, sampleDone, shortAnswer } from '../testing/fake-ask-server.ts'
import { openTestBot } from '../testing/open-test-bot.ts'
import type { TestBot } from '../testing/open-test-bot.ts'
import { listCitation, sampleReport } from '../testing/sample-report.ts'
import { deleteEvent, editEvent, say, slackEvent } from '../testing/slack-event.ts'
import { answerBlocks } from './blocks.ts'
import { plainBlocks } from './plain-blocks.ts'
import { reportBlocks } from './report-blocks.ts'

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

const citations = new Map([[1, sampleCitation], [2, listCitation]])
const long = Array.from({ length: 20 }, (_, at) => `Sentence ${at + 1} says something about the work. `).join('')

function reported(reports: Report[] = [sampleReport], text = 'Twelve were merged [2].', answerId = 'answer-1'): AnswerPart[] {
  return [{ kind: 'citation', citation: listCitation }, { kind: 'text', markdown: text }, ...reports.map((report): AnswerPart => ({ kind: 'report', report })), sampleDone(answerId)]
}

async function ask(script: TestBot['server']['script'] = () => reported()): Promise<FakeMessage> {
  nura.server.script = script
  const question = say(nura.slack.workspace, { text: '<@U0NURABOT> what shipped?' })
  await nura.send(slackEvent(nura.slack.workspace, question, 'app_mention'))
  await nura.idle()
  return question
}
const typesOf = (message: FakeMessage | undefined) => (message?.blocks ?? []).map(({ type }) => type)
const outcomeOf = async (question: FakeMessage) => (await db.control((tx) => tx.query<{ outcome: string }>(`select outcome from inbox where payload->>'id' = $1 and tenant_id = $2`, [question.ts, nura.tenant.id])))[0]?.outcome

describe('the blocks of a report', () => {
  const blocks = reportBlocks([sampleReport], citations, new Map([[0, 'F0CHART']]))
  const texts = JSON.stringify(blocks)

  it('tell each figure with its unit, its change, the list behind it and the source', () => {
    expect(texts).toContain('Merged: *<https://git.example/acme/api/pulls?q=merged|12>*  ▲ 4 from 8  <https://git.example/acme/api/pulls?q=merged|[2]>')
    expect(texts).toContain('Median time to merge: *26.5 h*  ▼ 3.5 h from 30 h')
  })

  it('hold the rows in a table with links that are web addresses, and how many are left out', () => {
    const table = blocks.find(({ type }) => type === 'table') as unknown as { rows: unknown[][]; column_settings: unknown[] }
    expect(table.rows).toHaveLength(3)
    expect(table.rows[1]?.[0]).toEqual({ type: 'rich_text', elements: [{ type: 'rich_text_section', elements: [{ type: 'link', url: 'https://git.example/acme/api/pull/12', text: '#12 Cache the plan' }] }] })
    expect(JSON.stringify(table.rows[2]?.[0])).not.toContain('javascript:')
    expect(table.column_settings[2]).toMatchObject({ align: 'right' })
    expect(texts).toContain('<https://git.example/acme/api/pulls?q=merged|and 10 more>')
  })

  it('say up to when they count, in the reader\'s zone and with that of the report, and what is missing', () => {
    expect(texts).toContain('As of <!date^1795352700^{date_short_pretty} at {time}|22 Nov 2026, 14:05 (Europe/Berlin)> · days are those of Europe/Berlin')
    expect(texts).toContain('Missing: The history of acme/web is not read yet.')
  })

  it('tell the numbers of the chart to those who cannot see it', () => {
    expect(blocks.find(({ type }) => type === 'image')).toMatchObject({ slack_file: { id: 'F0CHART' }, alt_text: 'Merged a week. merged: 9 Nov 8, 16 Nov 12.' })
  })

  it('are lines where Slack has no such blocks, and nothing in them is obeyed', () => {
    const plain = plainBlocks(blocks)
    expect(plain.map(({ type }) => type)).not.toContain('table')
    const lines = plain.map(({ text }) => (text as { text?: string } | undefined)?.text ?? '').join('\n')
    expect(lines).toContain('• <https://git.example/acme/api/pull/12|#12 Cache the plan> · ada · 7 · 18 Nov')
    expect(lines).toContain('• #13 &lt;!channel&gt; | *bold* &lt;https://evil.example|x&gt; · grace · – · 19 Nov')
  })

  it('hold one table a message: those of later reports are lines', () => {
    const two = reportBlocks([sampleReport, { ...sampleReport, title: 'Another' }], citations)
    expect(two.filter(({ type }) => type === 'table')).toHaveLength(1)
    expect(JSON.stringify(two).split('#12 Cache the plan')).toHaveLength(3)
  })

  it('keep within what Slack takes, whatever is reported', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ minLength: 200, maxLength: 3000 }), fc.constantFrom('', '<@U0BOB>', 'a|b', '\n\n'))
    const url = fc.option(fc.oneof(fc.webUrl(), fc.constantFrom('javascript:x', 'https://a.example/|>', '')))
    const report = fc.record({
      title: text,
      asOf: fc.constant('2026-11-22T13:05:00.000Z'),
      timeZone: fc.constantFrom('UTC', 'Asia/Kathmandu', 'No/Zone'),
      range: fc.constant(null),
      figures: fc.array(fc.record({ label: text, value: fc.double({ noNaN: true, min: 0, max: 1e6 }), unit: fc.constantFrom('count' as const, 'percent' as const), previous: fc.option(fc.integer()), n: fc.option(fc.constantFrom(1, 2, 9)), url }), { maxLength: 12 }),
      table: fc.option(fc.record({ title: text, columns: fc.array(fc.record({ title: text, kind: fc.constantFrom('text' as const, 'number' as const) }), { maxLength: 25 }), rows: fc.array(fc.array(fc.record({ text, url }), { maxLength: 22 }), { maxLength: 130 }), more: fc.nat(), url })),
      chart: fc.constant(sampleReport.chart),
      missing: fc.array(text, { maxLength: 10 }),
    })
    const workspace = createFakeWorkspace()
    workspace.files.push({ id: 'F0CHART', filename: 'a.png', length: 1, bytes: Buffer.from('a'), completed: true, title: '', channel: null, unready: 0 })
    fc.assert(
      fc.property(fc.array(report, { minLength: 1, maxLength: 5 }), (reports) => {
        const below = [...reportBlocks(reports, citations, new Map([[0, 'F0CHART']])), ...answerBlocks(sampleDone(), [sampleCitation, listCitation], { inboxId: 'i'.repeat(36), now: 0, updated: true, outdated: true, mayCallHelp: true })]
        expect(checkMessage({ text: 'x', blocks: below }, workspace)).toBeNull()
        expect(checkMessage({ text: 'x', blocks: plainBlocks(below) }, workspace)).toBeNull()
        const counted = reports.slice(0, 3).find(({ table }) => table !== null && table.columns.length > 0 && table.rows.length > 0)?.table
        const table = below.find(({ type }) => type === 'table') as { rows?: unknown[] } | undefined
        if (counted && table?.rows && counted.rows.length + counted.more > table.rows.length - 1) expect(JSON.stringify(below)).toContain(`and ${counted.rows.length + counted.more - (table.rows.length - 1)} more`)
      }),
      { numRuns: 60 },
    )
  })
})

describe('an answer with a report', () => {
  it('is one message: text, report, picture, sources, buttons', async () => {
    const question = await ask()
    const [reply, ...more] = nura.replies(question.ts)
    expect(more).toEqual([])
    expect(typesOf(reply)).toEqual(['markdown', 'section', 'section', 'table', 'context', 'image', 'context', 'context', 'context', 'context_actions', 'actions'])
    const [file] = nura.slack.workspace.files
    expect(file).toMatchObject({ completed: true, channel: null, title: 'Merged a week' })
    expect(file?.bytes?.subarray(1, 4).toString()).toBe('PNG')
    expect(await outcomeOf(question)).toBe('answered')
    // The host of files is no place for a token.
    expect(nura.slack.callsOf('upload').at(-1)?.token).toBe('')
  })

  it('that is streamed ends with its report, and the picture comes into the same message', async () => {
    const question = await ask(() => reported([sampleReport], `${long}Done [2].`))
    expect(nura.slack.calls.some(({ method, args }) => method === 'chat.startStream' && args.thread_ts === question.ts)).toBe(true)
    const [reply, ...more] = nura.replies(question.ts)
    expect(more).toEqual([])
    expect(typesOf(reply)).toContain('image')
    expect(nura.seen(question.ts)[0]).toContain('Sentence 20 says')
    expect(nura.seen(question.ts)[0]).toContain('and 10 more')
  })

  it('is there at once, and waits with its picture until Slack has looked at the file', async () => {
    nura.slack.workspace.filesUnready = 2
    const before = nura.slack.callsOf('chat.update').length
    const question = await ask()
    nura.slack.workspace.filesUnready = 0
    expect(typesOf(nura.replies(question.ts)[0])).toContain('image')
    expect(nura.slack.callsOf('chat.update').length - before).toBe(3)
  })

  it.each([
    ['the right is missing', 'files.getUploadURLExternal', { kind: 'refuse', error: 'missing_scope' } as const],
    ['the host of files does not take it', 'upload', { kind: 'status', status: 500, commits: false } as const],
    ['the upload is not completed', 'files.completeUploadExternal', { kind: 'status', status: 500, commits: false } as const],
    ['Slack does not take the picture', 'chat.update', { kind: 'refuse', error: 'internal_error' } as const],
  ])('comes without its picture when %s, and the log says why', async (_, method, fault) => {
    nura.slack.workspace.files.splice(0)
    nura.slack.fail(method, fault, method === 'chat.update' ? 3 : 1)
    const question = await ask()
    const [reply] = nura.replies(question.ts)
    expect(typesOf(reply)).not.toContain('image')
    expect(nura.seen(question.ts)[0]).toContain('#12 Cache the plan')
    expect(await outcomeOf(question)).toBe('answered')
    expect(nura.lines.findLast(({ msg }) => String(msg).startsWith('chart not shown'))).toBeDefined()
    expect(nura.slack.workspace.files).toEqual([])
  })

  it('comes in lines where Slack refuses its table', async () => {
    nura.slack.fail('chat.postMessage', { kind: 'refuse', error: 'invalid_blocks' })
    const question = await ask(() => reported([{ ...sampleReport, chart: null }]))
    const [reply, ...more] = nura.replies(question.ts)
    expect(more).toEqual([])
    expect(typesOf(reply)).not.toContain('table')
    expect(nura.seen(question.ts)[0]).toContain('• <https://git.example/acme/api/pull/12|#12 Cache the plan>')
    expect(reply?.blocks.at(-1)?.type).toBe('actions')
  })

  it('with more paragraphs than fit beside its blocks goes on in a second message', async () => {
    const question = await ask(() => reported([sampleReport], Array.from({ length: 44 }, (_, at) => `- point ${at}\n`).join('')))
    const replies = nura.replies(question.ts)
    expect(replies).toHaveLength(2)
    expect(typesOf(replies[0])).toEqual(['markdown'])
    expect(typesOf(replies[1])).toContain('image')
    for (let at = 0; at < 44; at++) expect(nura.seen(question.ts).join('\n').split(`- point ${at}\n`)).toHaveLength(2)
  })

  it('that is answered anew has the new picture alone, and none when the new answer has none', async () => {
    nura.slack.workspace.files.splice(0)
    const question = await ask()
    const [old] = nura.slack.workspace.files
    await nura.send(editEvent(nura.slack.workspace, question, '<@U0NURABOT> and this week?'))
    await nura.idle()
    expect(nura.slack.workspace.files).toHaveLength(1)
    expect(nura.slack.workspace.files[0]?.id).not.toBe(old?.id)
    expect(nura.replies(question.ts)).toHaveLength(1)
    expect(typesOf(nura.replies(question.ts)[0]).filter((type) => type === 'image')).toHaveLength(1)
    nura.server.script = () => shortAnswer()
    await nura.send(editEvent(nura.slack.workspace, question, '<@U0NURABOT> and where is it?'))
    await nura.idle()
    expect(nura.slack.workspace.files).toEqual([])
    expect(typesOf(nura.replies(question.ts)[0])).not.toContain('image')
  })

  it('that has no text is its report', async () => {
    const question = await ask(() => [{ kind: 'report', report: { ...sampleReport, chart: null } }, sampleDone()])
    expect(typesOf(nura.replies(question.ts)[0])[0]).toBe('section')
    expect(nura.seen(question.ts)[0]).toContain('Shipped, 16–22 Nov 2026')
  })

  it('keeps its picture when it is marked as outdated', async () => {
    const question = await ask(() => reported([sampleReport], 'Twelve were merged [2].', 'outdated-report'))
    const files = [...nura.slack.workspace.files]
    const row = await findByAnswer(db, nura.tenant.id, 'outdated-report')
    const { place } = row!.payload as Message
    const { id } = await accept(db, { tenantId: nura.tenant.id, surface: 'slack', kind: 'outdated', eventKey: `outdated:${question.ts}`, threadKey: row!.threadKey, payload: { kind: 'outdated', place, id: 'outdated-report', inboxId: row!.id, sha: '9f8e7d6c5b' } })
    await nura.bot.runTurn(id, { signal: new AbortController().signal, lastAttempt: true })
    expect(nura.seen(question.ts)[0]).toContain('Source changed in 9f8e7d6')
    expect(typesOf(nura.replies(question.ts)[0])).toContain('image')
    expect(nura.slack.workspace.files).toEqual(files)
  })

  it('that is deleted with its question takes its picture along', async () => {
    nura.slack.workspace.files.splice(0)
    const question = await ask()
    expect(nura.slack.workspace.files).toHaveLength(1)
    await nura.send(deleteEvent(nura.slack.workspace, question))
    await nura.idle()
    expect(nura.replies(question.ts)).toEqual([])
    expect(nura.slack.workspace.files).toEqual([])
  })

  it('whose process dies while the picture is on its way has one message and one picture after the next run', async () => {
    const own = await openTestBot(db)
    try {
      own.server.script = () => reported()
      const queue = own.hold()
      const question = say(own.slack.workspace, { text: '<@U0NURABOT> what shipped?' })
      await own.send(slackEvent(own.slack.workspace, question, 'app_mention'))
      const [inboxId = ''] = queue.ids
      own.slack.fail('files.completeUploadExternal', { kind: 'hang', commits: true })
      own.bot.runTurn(inboxId, { signal: new AbortController().signal, lastAttempt: false }).catch(() => undefined)
      await expect.poll(() => own.slack.callsOf('files.completeUploadExternal').length).toBe(1)
      await db.control((tx) => tx.execute(`update inbox set state = 'accepted', attempts = attempts + 1 where id = $1`, [inboxId]))
      const next = await openTestBot(db, { beside: own })
      await next.bot.runTurn(inboxId, { signal: new AbortController().signal, lastAttempt: true })
      await next.close()
      expect(own.replies(question.ts)).toHaveLength(1)
      expect(typesOf(own.replies(question.ts)[0]).filter((type) => type === 'image')).toHaveLength(1)
      expect(own.slack.workspace.files).toHaveLength(1)
    } finally {
      await own.close()
    }
  })
})

it('the whole answer reads as the golden file has it', async () => {
  const now = Date.parse('2026-11-22T14:00:00Z')
  const done = { ...sampleDone(), freshness: [{ repository: 'acme/api', sha: sampleCitation.sha, branch: 'main', indexedAt: '2026-11-22T13:56:00.000Z' }] }
  const blocks = [{ type: 'markdown', text: 'Twelve were merged [[2]](https://git.example/acme/api/pulls?q=merged).' }, ...reportBlocks([sampleReport], citations, new Map([[0, 'F0CHART']])), ...answerBlocks(done, [listCitation], { inboxId: '00000000-0000-4000-8000-000000000000', now, updated: false, outdated: false, mayCallHelp: false })]
  await expect(`${JSON.stringify(blocks, null, 2)}\n`).toMatchFileSnapshot('./golden/report-answer.json')
})
