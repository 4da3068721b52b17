import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { NuraError } from '#db/nura-error.ts'
import { costOptions, defaultLoad, embeddingPlaces } from './load.ts'
import { toMonthlyBill, toTotal } from './monthly-bill.ts'
import { prices } from './prices.ts'
import { promisedUsd, tellAll, tellBill } from './tell-cost.ts'

test('each question more costs the same', () => {
  for (const option of costOptions) {
    const [none, some, twice] = [0, 30_000, 60_000].map((questions) => toTotal(toMonthlyBill(option, { ...defaultLoad, questions })))
    expect(twice! - some!).toBeCloseTo(some! - none!, 6)
  }
  const usd = (questions: number) => toTotal(toMonthlyBill('host', { ...defaultLoad, questions }))
  // 7,770 tokens read at $2 and 400 written at $8 a million by GPT-4.1, and 30 embedded at $0.13.
  expect(usd(1_000_000) - usd(0)).toBeCloseTo(15_540 + 3_200 + 3.9, 6)
})

test('a total is the sum of its lines, as it is printed, and the largest line is first', () => {
  for (const option of costOptions) {
    const bill = toMonthlyBill(option, defaultLoad)
    const sum = bill.reduce((cents, { usd }) => cents + usd * 100, 0) / 100
    expect(tellBill(option, defaultLoad).at(-1)).toMatch(new RegExp(`^total +${sum.toFixed(2)}$`))
    expect(Math.max(...bill.map(({ usd }) => usd))).toBe(bill[0]!.usd)
    expect(bill.every(({ usd }) => usd > 0)).toBe(true)
  }
})

test('a model without a price, or that the option cannot have, is refused with what to do', () => {
  const refusal = (option: (typeof costOptions)[number], model: string) => {
    try {
      return void toMonthlyBill(option, { ...defaultLoad, model })
    } catch (error) {
      return error instanceof NuraError && error.code === 'usage' ? error.message : error
    }
  }
  for (const option of costOptions) expect(refusal(option, 'openai:gpt-99')).toMatch(/no price is known.*server\/models\/prices\.ts/)
  expect(refusal('own', 'openai:gpt-4.1')).toContain('--option host')
  expect(refusal('aws', 'openai:meta-llama/Llama-3.1-70B-Instruct')).toContain('--option own')
  expect(refusal('aws', 'openai:gpt-4.1')).toBeUndefined()
})

test('a model is billed for no more than its window holds', () => {
  const answers = toMonthlyBill('aws', { ...defaultLoad, model: 'bedrock:arn:aws:bedrock:us-east-1:1:imported-model/a' }).find(({ line }) => line === 'answers')!
  expect(answers.usd).toBeCloseTo((20_000 * (3_000 + 400) * 10.5) / 1e6, 6)
})

test('the default load on AWS is above the promise with a GPU endpoint and under it without', () => {
  const usd = (embedding: 'gpu' | 'cpu') => toTotal(toMonthlyBill('aws', { ...defaultLoad, embedding }))
  expect(usd('gpu')).toBeGreaterThan(promisedUsd)
  expect(usd('cpu')).toBeLessThan(promisedUsd)
  expect(usd('gpu') - usd('cpu')).toBeCloseTo((prices.endpointGpu.value - prices.endpointCpu.value) * 730, 6)
})

test('a larger index asks for a larger database', () => {
  const database = (chunks: number) => toMonthlyBill('aws', { ...defaultLoad, chunks }).find(({ line }) => line === 'RDS PostgreSQL')!
  expect(database(10_000).basis).toContain('4 GiB')
  expect(database(100_000).basis).toContain('8 GiB')
})

test('docs/cost.md holds what the calculator prints for the default load', () => {
  const docs = readFileSync(join(import.meta.dirname, '../../docs/cost.md'), 'utf8')
  for (const table of tellAll(defaultLoad)) expect(docs).toContain(`\`\`\`text\n${table.join('\n')}\n\`\`\``)
  const told = [toMonthlyBill('own', defaultLoad), toMonthlyBill('host', defaultLoad), ...embeddingPlaces.map((embedding) => toMonthlyBill('aws', { ...defaultLoad, embedding }))]
  const promise = docs.split('## ').find((section) => section.startsWith('The promise'))!
  for (const bill of told) expect(promise).toContain(`$${toTotal(bill).toFixed(2)}`)
})
