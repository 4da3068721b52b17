import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readServerConfig } from '#server/config.ts'
import { measureAnswers, toAnswersTable } from './answers.ts'
import type { AnswersResult } from './answers.ts'
import { withoutTimes } from './answers/open-answering.ts'

let folder: string
let result: AnswersResult

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nura-answers-'))
  const file = join(folder, 'shop.json')
  const documents = [
    { path: 'src/pay.ts', text: '/** Charges the card of an order once. */\nexport function chargeCard(order: string): string {\n  return order\n}\n' },
    { path: 'src/ship.ts', text: '/** Prints the label of a parcel. */\nexport function printLabel(parcel: string): string {\n  return parcel\n}\n' },
  ]
  const questions = [
    { question: 'What does chargeCard do?', golden: [{ path: 'src/pay.ts', text: 'export function chargeCard' }] },
    { question: 'Where is the bakery oven heated?', golden: [{ path: 'src/ship.ts', text: 'export function printLabel' }] },
  ]
  const outside = [
    { question: 'How many days of holiday do we get?', kind: 'elsewhere', half: 'tuning' },
    { question: 'What does printLabel do?', kind: 'near', half: 'report' },
  ]
  await writeFile(file, JSON.stringify({ documents, questions, outside }))
  result = await measureAnswers(file, readServerConfig({}), () => {})
}, 120_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

test('answers are asked for as the server gives them, held to their sources, and counted by what they should have been', () => {
  expect(result).toMatchObject({
    set: 'shop', questions: 2, outside: 2, costUsd: 0,
    abstains: { of: 2, hits: 1, halves: { tuning: { of: 1, hits: 1 }, report: { of: 1, hits: 0 } }, kinds: { elsewhere: { hits: 1 }, near: { hits: 0 } } },
    abstainsWrongly: { of: 2, hits: 1, halves: { tuning: { of: 1, hits: 0 }, report: { of: 1, hits: 1 } } },
    answerHits: { of: 2, hits: 1 },
    differsAgain: { of: 4, hits: 0 },
    differsAnew: { of: 4, hits: 0 },
  })
  expect(result.citations.hits).toBe(result.citations.of)
  expect(result.quotedLines).toEqual({ of: result.quotedLines.of, hits: result.quotedLines.of })
  expect(result.quotedLines.of).toBeGreaterThan(0)
  expect(result.cited.of).toBeGreaterThan(0)
  expect(result.supported).toEqual(result.cited)
  expect(result.rows.find(({ question }) => question === 'What does chargeCard do?')!.claims[0]!.text).toContain('Charges the card of an order once')
})

test('the table marks each goal that is missed', () => {
  const [head, rows] = toAnswersTable([result])
  expect(head).toEqual(['measure', 'goal', 'shop'])
  expect(rows.find(([title]) => title === 'abstains, asked what is not there')).toEqual(['abstains, asked what is not there', '≥ 0.9', '0.500 (1 of 2) ✗'])
  expect(rows.find(([title]) => title === 'differs when asked again')).toEqual(['differs when asked again', '≤ 0', '0.000 (0 of 4)'])
})

test('what tells the time, ids and the cut of a text are no difference; a word is', () => {
  const text = (markdown: string) => ({ kind: 'text' as const, markdown })
  const done = (answerId: string, abstained = false) => ({ kind: 'done' as const, answerId, agent: 'dev', abstained, freshness: [{ repository: 'shop', sha: 'f00', branch: null, indexedAt: answerId }], usage: { models: [], tokens: 0, costUsd: 0 }, timings: { total: 1 }, trace: answerId })
  const of = (...parts: Parameters<typeof withoutTimes>[0]) => JSON.stringify(withoutTimes(parts))
  expect(of(text('Found (indexed just now).'), done('1'))).toBe(of(text('Found '), text('(indexed 3 min ago).'), done('2')))
  expect(of(text('Found.'), done('1'))).not.toBe(of(text('Lost.'), done('1')))
  expect(of(done('1'))).not.toBe(of(done('1', true)))
})
