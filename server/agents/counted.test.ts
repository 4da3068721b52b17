import { describe, expect, test } from 'vitest'
import { sampleSections, uncountedSections } from '../testing/activity.ts'
import { runTurn, speaks, toParts } from '../testing/run-turn.ts'

const counting = { activity: async () => ({ sections: sampleSections() }) }

describe('a question about the work itself', () => {
  test('is the PM’s, told from what was counted, with each list cited and each report after its text; no model is asked', async () => {
    const model = speaks('I would guess 7.')
    const { events, text, outcome } = await runTurn(toParts(counting, model), { question: 'What shipped last week and what is stuck?' })
    expect(outcome).toMatchObject({ choice: { agent: 'pm' }, abstained: false, calls: [] })
    expect(text).toBe(
      '2 pull requests were merged in the week of 16–22 Nov, 1 more than the week before [1].\n\n- 1 of them is labelled bug [1].\n\n\n1 pull request is stuck [2].\n',
    )
    expect(events.map((event) => (event.kind === 'citation' ? `[${event.n}] ${event.passage.title}` : event.kind === 'report' ? `${event.report.title}: ${event.report.figures.map(({ value, n }) => `${value} [${n}]`).join()}` : event.kind)).filter((kind) => kind !== 'text')).toEqual([
      'status', '[1] Merged 16–22 Nov 2026', 'Shipped, 16–22 Nov 2026: 2 [1]', '[2] Stuck pull requests', 'Stuck: 1 [2]',
    ])
    expect(model.asked).toEqual([])
  })

  test('is told to the Dev by the work, to the Architect by where it happened, with the same numbers', async () => {
    const dev = await runTurn(toParts(counting), { question: 'What shipped last week?', agent: 'dev' })
    expect(dev.text).toContain('2 pull requests were merged in the week of 16–22 Nov, 1 more than the week before [1].\n\n- `#12` Cache the plan · ada · merged 2026-11-18 [1]')
    const architect = await runTurn(toParts(counting), { question: 'What shipped last week?', agent: 'architect' })
    expect(architect.text).toContain('- acme/shop · 2')
    const reports = ({ events }: typeof dev) => events.filter(({ kind }) => kind === 'report')
    expect(reports(architect)).toEqual(reports(dev))
  })

  test('titles that people wrote cite nothing, call nobody and link nowhere', async () => {
    const { text } = await runTurn(toParts(counting), { question: 'What shipped last week?', agent: 'dev' })
    expect(text).toMatch(/`#13` Fix \(3\)/)
    expect(text).not.toMatch(/\[3\]|(?<!`)@channel|<!here>/)
  })

  test('is one part of a question that asks for more', async () => {
    const activity = async (text: string) => (/merged/.test(text) && !/structured/.test(text) ? { sections: sampleSections().slice(0, 1) } : null)
    const { text, outcome } = await runTurn(toParts({ activity }, speaks('By `verifySignature` [1].')), { question: 'What was merged yesterday? And how is the system structured?' })
    expect(text).toMatch(/^\*\*PM\*\* — What was merged yesterday\?\n\n2 pull requests were merged[^]*\[1\][^]*\*\*Architect\*\* — how is the system structured[^]*By `verifySignature` \[2\]\.$/)
    expect(outcome).toMatchObject({ abstained: false, views: [{ agent: 'pm' }, { agent: 'architect' }] })
  })

  test('says how to ask where a range of time is none, and counts nothing', async () => {
    const { events, text, outcome } = await runTurn(toParts({ activity: async () => ({ unclear: '31 February is no day. Ask for "February 2026".' }) }), { question: 'What shipped on 31 February?' })
    expect(text).toBe('31 February is no day. Ask for "February 2026".')
    expect(outcome.abstained).toBe(true)
    expect(events.some(({ kind }) => kind === 'report')).toBe(false)
  })

  test('that nobody can count is answered from documents, else by what is missing', async () => {
    const activity = async () => ({ sections: uncountedSections() })
    const found = await runTurn(toParts({ activity }), { question: 'Where do we verify webhook signatures since last week?' })
    expect(found.text).toContain('verifySignature')
    const retrieve = async (question: string) => ({ evidence: { question, passages: [], symbols: [], relations: [] }, strength: 0, trace: null, timings: {} })
    const missing = await runTurn(toParts({ activity, retrieve }), { question: 'What shipped last week?' })
    expect(missing.text).toBe('What happens in acme/shop is not followed: it is read from a checkout.')
    expect(missing.outcome.abstained).toBe(true)
  })
})
