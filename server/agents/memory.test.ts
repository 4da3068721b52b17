import { describe, expect, test } from 'vitest'
import { resolveFollowUp, withinBudget } from './memory.ts'

const before = { question: 'Where do we verify webhook signatures?', markdown: 'Webhook signatures are verified by `verifySignature` in `src/verify.ts` (line 2) [1].', abstained: false }

describe('a follow-up', () => {
  test.each([
    ['and where is it tested?', 'and where is `verifySignature` tested?'],
    ['Who calls it?', 'Who calls `verifySignature`?'],
    ['What does that return?', 'What does that return (`verifySignature`)?'],
    ['why?', 'why (`verifySignature`)?'],
  ])('%s', (question, whole) => {
    expect(resolveFollowUp(question, [before])).toEqual({ question: whole, carried: '`verifySignature`' })
  })

  test.each(['Where is the database connection opened?', 'What does `dispatch` do?', 'How does parseDate handle it?'])('%s stands on its own', (question) => {
    expect(resolveFollowUp(question, [before])).toEqual({ question, carried: null })
  })

  test('takes the file when the answer before named no symbol, and the question when it found nothing', () => {
    expect(resolveFollowUp('How do I change it?', [{ ...before, markdown: '`docs/setup.md`, "Setup" says: "…" [1].' }]).question).toBe('How do I change `docs/setup.md`?')
    expect(resolveFollowUp('and who owns it?', [{ question: 'Where is the tax rate computed?', markdown: 'I could not find this in `acme/shop`.', abstained: true }]).question).toBe('and who owns tax rate computed?')
  })

  test('nothing comes from a thread that has no answer yet', () => {
    expect(resolveFollowUp('and where is it tested?', [])).toEqual({ question: 'and where is it tested?', carried: null })
  })
})

describe('the budget of a thread', () => {
  const turn = (at: number) => ({ question: `question ${at}`, markdown: 'x'.repeat(1_000), abstained: false })
  const message = (at: number) => ({ author: 'someone', text: `${at} ${'y'.repeat(1_000)}`, trusted: true })

  test('keeps the newest, in order, within the limit', () => {
    const { turns, context } = withinBudget([1, 2, 3].map(turn), [1, 2, 3, 4].map(message), 1_000)
    expect(turns.map(({ question }) => question)).toEqual(['question 3'])
    expect(context.map(({ text }) => text[0])).toEqual(['3', '4'])
  })

  test('keeps all of a short thread', () => {
    const given = { turns: [turn(1), turn(2)], context: [message(1)] }
    expect(withinBudget(given.turns, given.context)).toEqual(given)
  })
})
