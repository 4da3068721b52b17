import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { evaluateRouter } from '#eval/router.ts'
import { choose, withoutWish } from './choose.ts'
import type { Choice } from './choose.ts'
import { agents } from './index.ts'

const toLine = ({ agent, confidence, reason }: Choice) => `${agent} | ${confidence.toFixed(3)} | ${reason}`

describe('choose', () => {
  test.each([
    ['Where is the retry delay calculated?', 'dev'],
    ['Which features will customers get in the next release?', 'pm'],
    ['Which modules depend on the storage layer, and where is the boundary?', 'architect'],
  ])('%s → %s', (question, agent) => {
    expect(choose(question).agent).toBe(agent)
  })

  test('an agent asked for by name wins over every word of the question', () => {
    expect(choose('Which function parses the config?', 'pm')).toEqual({ agent: 'pm', reason: 'asked for', confidence: 1, isWish: true })
    expect(choose('As an architect, which function parses the config?').agent).toBe('architect')
    expect(choose('Explain login for a product manager, from a product manager’s perspective').agent).toBe('pm')
  })

  test('a word that only looks like a wish does not count', () => {
    expect(choose('What does the function return as a product of two matrices?').reason).not.toMatch(/asked for|the question says/)
  })

  test.each([
    ['As an architect, how does a push reach the index?', 'how does a push reach the index?'],
    ['Ask the PM: which plans have audit logs?', 'which plans have audit logs?'],
    ['Where is the session read, as a developer?', 'Where is the session read?'],
    ['Where is the session read?', 'Where is the session read?'],
    ['As an architect?', 'As an architect?'],
  ])('%s is searched as: %s', (question, searched) => {
    expect(withoutWish(question)).toBe(searched)
  })

  test('an unknown agent is refused, and the known ones are named', () => {
    expect(() => choose('Where?', 'poet')).toThrow(expect.objectContaining({ code: 'unknown-agent', field: 'agent', message: expect.stringContaining('dev, pm, architect') }))
  })

  test('what says nothing goes to the first agent, and the reason says so', () => {
    for (const question of ['', '???', 'xyzzy plugh']) expect(choose(question)).toMatchObject({ agent: 'dev', reason: expect.stringContaining('nothing in the question') })
  })

  test('who is preferred answers what speaks for nobody, and neither a clear question nor a wish', () => {
    expect(choose('xyzzy plugh', undefined, 'pm')).toMatchObject({ agent: 'pm', reason: expect.stringContaining('who answers here') })
    expect(choose('Which function parses `readConfig()`?', undefined, 'pm').agent).toBe('dev')
    expect(choose('As an architect: xyzzy plugh?', undefined, 'pm').agent).toBe('architect')
    expect(choose('xyzzy plugh', 'architect', 'pm').agent).toBe('architect')
  })

  test('the same question gives the same choice, with a reason that names words of it', () => {
    const question = 'Which customers asked for the export feature?'
    expect(choose(question)).toEqual(choose(question))
    expect(choose(question).reason).toMatch(/"custom|"featur|"export/)
  })

  test('every agent has varied examples', () => {
    for (const { examples } of agents) expect(new Set(examples).size).toBeGreaterThanOrEqual(60)
  })

  test.each([
    ['As the architect: x', 'architect'],
    ['as our pm, x', 'pm'],
    ['(as a developer) x', 'dev'],
    ['x, as your architect', 'architect'],
    ['Ask PM: x', 'pm'],
    ['ask the product manager’s x', 'pm'],
    ['From an architect’s point of view, x', 'architect'],
    ['For the PM, from their perspective: x', 'pm'],
    ['x for a developer, through their eyes', 'dev'],
  ])('%s is a wish', (question, agent) => {
    expect(choose(question)).toMatchObject({ agent, isWish: true, confidence: 1, reason: expect.stringContaining('the question says "') })
  })

  test.each(['x has an architect', 'x from an architect', 'x for the PM', 'basket the PM: x', 'as a poet, x', 'mask an architect', 'x was asked by a pm', 'ask nobody'])('%s is none', (question) => {
    expect(choose(question).isWish).toBeUndefined()
    expect(withoutWish(question)).toBe(question)
  })

  test.each([
    ['(as a PM) what changed?', 'what changed?'],
    ['What changed, for a PM’s view?', 'What changed, view?'],
    ['What changed — as a PM!', 'What changed!'],
    ['as a developer   where is it', 'where is it'],
  ])('the words of a wish go, and the rest stays readable: %s', (question, searched) => {
    expect(withoutWish(question)).toBe(searched)
  })

  test('what is chosen, how sure and why, stands as it was last looked at', async () => {
    const questions = JSON.parse(await readFile(new URL('../../eval/sets/router-holdout.json', import.meta.url), 'utf8')) as { question: string }[]
    const named = ['getUserTokens', 'get_user', 'run(', '`it`', 'ab.cd(', 'my-file.ts', 'x_.py', 'MAX_', 'nothing'].map((name) => ({ question: `What about ${name}` }))
    const told = [...questions, ...named, { question: 'Which' }, { question: 'Which one' }].flatMap(({ question }) => [undefined, 'pm'].map((prefer) => `${prefer ?? '-'} | ${question} | ${toLine(choose(question, undefined, prefer))}`))
    await expect(`${told.join('\n')}\n`).toMatchFileSnapshot('golden/choices.txt')
  })

  test.each(['router.json', 'router-holdout.json'])('reaches a macro-F1 of .85 on the labelled questions of %s', async (set) => {
    const { macroF1 } = await evaluateRouter(new URL(`../../eval/sets/${set}`, import.meta.url).pathname)
    expect(macroF1).toBeGreaterThanOrEqual(0.85)
  })
})
