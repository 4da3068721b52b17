import { describe, expect, test } from 'vitest'
import { NuraError } from '#db/nura-error.ts'
import { webhookEvidence } from '../testing/evidence.ts'
import { runTurn, speaks, toParts } from '../testing/run-turn.ts'
import { planViews } from './plan-views.ts'

describe('a plan', () => {
  test.each([
    ['What would it take to support EU data residency, and when could it ship?', ['architect: What would it take to support EU data residency?', 'pm: when could it ship (support EU data residency)?']],
    ['Which plans do we support and how is the price computed in code?', ['pm: Which plans do we support?', 'dev: how is the price computed in code?']],
    ['What breaks if we split the monolith? What do we tell customers?', ['architect: What breaks if we split the monolith?', 'pm: What do we tell customers?']],
    ['What breaks if we split the monolith? And what do we tell customers?', ['architect: What breaks if we split the monolith?', 'pm: what do we tell customers?']],
    ['How are the services split, which function handles refunds, and what may customers expect?', ['architect: How are the services split?', 'dev: which function handles refunds?', 'pm: what may customers expect?']],
  ])('%s', (question, views) => expect(planViews(question).map(({ agent, question: own }) => `${agent}: ${own}`)).toEqual(views))

  test.each([
    'Where do we verify signatures and where is it tested?',
    'What is the retry limit and how do I configure it?',
    'How do requests and responses travel between the services?',
    'Is the billing migration covered by tests?',
    'What shipped last week and what is stuck?',
    'Why?',
    'and where is it tested?',
    'Add and remove a user: which functions do that?',
  ])('none for «%s»', (question) => expect(planViews(question)).toEqual([]))
})

const question = 'Which plans do we support and how is the price computed in code?'

describe('a turn of two views', () => {
  test('shows its steps, and each agent’s part below its name', async () => {
    const { events, text, outcome } = await runTurn(toParts({}, speaks('So it is [5].')), { question })
    expect(events.flatMap((event) => (event.kind === 'step' ? [`${event.step.id} ${event.step.agent} ${event.step.state}`] : []))).toEqual([
      'view-1 pm pending', 'view-2 dev pending', 'view-1 pm running', 'view-1 pm done', 'view-2 dev running', 'view-2 dev done',
    ])
    expect(text).toBe('**PM** — Which plans do we support?\n\nSo it is [1].\n\n**Dev** — how is the price computed in code?\n\nSo it is [1].')
    expect(outcome).toMatchObject({ abstained: false, choice: { agent: 'pm', reason: 'it asks for PM and Dev' }, views: [{ agent: 'pm' }, { agent: 'dev' }] })
    expect(outcome.calls).toHaveLength(2)
  })

  test('searches for both at once, and numbers what both found once', async () => {
    const asked: string[] = []
    const { promise: both, resolve } = Promise.withResolvers<void>()
    const retrieve = async (own: string) => {
      asked.push(own)
      if (asked.length === 2) resolve()
      await both
      const evidence = webhookEvidence(own)
      const passages = asked.indexOf(own) === 0 ? evidence.passages.slice(0, 2) : evidence.passages.slice(1).map((passage, at) => ({ ...passage, n: at + 1 }))
      return { evidence: { ...evidence, passages }, strength: 1, trace: null, timings: {} }
    }
    const { events } = await runTurn(toParts({ retrieve }, speaks('One [1] and two [2] and three [3].')), { question })
    expect(events.flatMap((event) => (event.kind === 'citation' ? [`${event.n}=${event.passage.path}`] : []))).toEqual(['1=src/verify.ts', '2=src/receive.ts', '3=src/dispatch.ts'])
  })

  test('gives each agent its own model, with half of what an answer may be long', async () => {
    const pm = speaks('Plans [5].')
    const dev = speaks('Code [1].')
    await runTurn({ ...toParts(), models: { dev: [dev], pm: [pm], architect: [] } }, { question })
    expect(pm.asked[0]).toMatchObject({ agent: 'pm', maxOutputTokens: 600 })
    expect(dev.asked[0]).toMatchObject({ agent: 'dev', maxOutputTokens: 600 })
    expect(dev.asked[0]!.messages.at(-1)!.content).toContain('Question: how is the price computed in code?')
  })

  test('a part that fails is marked, and leaves the other whole', async () => {
    const dev = { ...speaks(), stream: () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new NuraError('model-refused', 'No.')) }) }) }
    const { events, text } = await runTurn({ ...toParts(), models: { dev: [dev], pm: [speaks('Plans [5].')], architect: [] } }, { question })
    expect(text).toMatch(/^\*\*PM\*\* — Which plans do we support\?\n\nPlans \[1\]\.\n\n\*\*Dev\*\* — how is the price computed in code\?\n\nThis part could not be answered: /)
    expect(events.filter((event) => event.kind === 'step').at(-1)).toMatchObject({ step: { id: 'view-2', state: 'failed' } })
  })

  test('a part that is not in the sources says so, and is no abstention of the whole', async () => {
    const retrieve = async (own: string) => ({ evidence: webhookEvidence(own), strength: own.includes('plans') ? 0.1 : 1, trace: null, timings: {} })
    const { text, outcome } = await runTurn(toParts({ retrieve }, speaks('Code [1].')), { question })
    expect(text).toMatch(/\*\*PM\*\*[^]*I could not find this in `acme\/shop`[^]*\*\*Dev\*\*[^]*Code \[\d\]/)
    expect(outcome.abstained).toBe(false)
  })

  test('one who was asked for answers alone', async () => {
    const { events, outcome } = await runTurn(toParts(), { question, agent: 'dev' })
    expect(events.some(({ kind }) => kind === 'step')).toBe(false)
    expect(outcome.views).toEqual([{ agent: 'dev', question }])
  })
})
