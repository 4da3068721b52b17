import { toTable } from '../to-table.ts'
import { costOptions, embeddingPlaces } from './load.ts'
import type { CostOption, EmbeddingPlace, Load } from './load.ts'
import { toMonthlyBill, toTotal } from './monthly-bill.ts'

/** US dollars a month that Nura's specification promises for production. */
export const promisedUsd = 670

const titles: Record<CostOption, string> = {
  own: 'a server of one’s own, with local models',
  host: 'a small host, managed PostgreSQL, models by API',
  aws: 'everything in an AWS account, us-east-1',
}

/** What the crossings are told of: small to large. */
const compared = [
  'bedrock:us.anthropic.claude-haiku-5-5',
  'bedrock:meta.llama3-1-8b-instruct',
  'openai:gpt-4.1-mini',
  'bedrock:us.meta.llama3-1-70b-instruct-v1:0',
  'bedrock:us.anthropic.claude-haiku-4-5',
  'openai:gpt-4.1',
  'bedrock:us.anthropic.claude-sonnet-5-5',
  'bedrock:us.anthropic.claude-sonnet-4-6',
  'bedrock:us.anthropic.claude-opus-5-5',
]

/** All that is told of a load, a table each. @throws NuraError `usage` */
export function tellAll(load: Load): string[][] {
  return [...costOptions.map((option) => tellBill(option, load)), tellChoices(load), tellCrossings(load)]
}

/** One option as a table, with its total. @throws NuraError `usage` */
export function tellBill(option: CostOption, load: Load): string[] {
  const bill = toMonthlyBill(option, load)
  const rows = [...bill.map(({ line, usd, basis }) => [line, usd.toFixed(2), basis]), ['total', toTotal(bill).toFixed(2), '']]
  return [`${option}: ${titles[option]}`, ...toTable(['line', '$ a month', 'basis'], rows, ['$ a month'])]
}

/** What a choice makes of the `aws` option. */
export function tellChoices(load: Load): string[] {
  const choices = embeddingPlaces.flatMap((embedding) => [false, true].map((isMultiZone) => ({ embedding, isMultiZone })))
  const rows = choices.map(({ embedding, isMultiZone }) => {
    const usd = toTotal(toMonthlyBill('aws', { ...load, embedding, isMultiZone }))
    return [embedding, isMultiZone ? 'two' : 'one', usd.toFixed(2), usd <= promisedUsd ? 'yes' : 'no']
  })
  return [`aws, by where embeddings are made and in how many zones it runs; is it under $${promisedUsd}?`, ...toTable(['embeddings', 'zones', '$ a month', 'under'], rows, ['$ a month'])]
}

/** At how many questions a month the `aws` option passes the promise. */
export function tellCrossings(load: Load): string[] {
  const head = ['model', ...embeddingPlaces]
  const rows = compared.map((model) => [model, ...embeddingPlaces.map((embedding) => toCrossing({ ...load, model, embedding }))])
  return [`aws, most questions a month under $${promisedUsd}, by model and where embeddings are made`, ...toTable(head, rows, embeddingPlaces)]
}

function toCrossing(load: Load & { embedding: EmbeddingPlace }): string {
  const at = (questions: number) => toTotal(toMonthlyBill('aws', { ...load, questions }))
  const fixed = at(0)
  const most = ((promisedUsd - fixed) / (at(1e6) - fixed)) * 1e6
  return most < 0 ? 'none' : Math.floor(most).toLocaleString('en')
}
