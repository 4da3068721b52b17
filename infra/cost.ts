import { parseArgs } from 'node:util'
import { NuraError } from '#db/nura-error.ts'
import { costOptions, defaultLoad, embeddingPlaces } from './cost/load.ts'
import type { Load } from './cost/load.ts'
import { tellAll, tellBill } from './cost/tell-cost.ts'
import { failWith } from './fail-with.ts'

const usage = `Usage: npm run cost -- [--option own|host|aws]

What Nura costs in a month, from list prices and derived token counts: docs/cost.md. Without --option, all three.

  --tenants ${defaultLoad.tenants}           how many there are
  --chunks ${defaultLoad.chunks}         of each tenant
  --questions ${defaultLoad.questions}      of all tenants, in a month
  --model PROVIDER:MODEL  who answers; needs --option
  --input-tokens ${defaultLoad.inputTokens}    that a model reads for a question
  --output-tokens ${defaultLoad.outputTokens}    that it writes
  --embedding gpu|cpu|serverless|api
                          where vectors are made with --option aws; gpu unless said
  --multi-zone            with --option aws: stores, NAT and services twice
`

const texts = ['option', 'model', 'embedding', 'tenants', 'chunks', 'questions', 'input-tokens', 'output-tokens'] as const
type Values = { [name in (typeof texts)[number]]?: string | undefined } & { 'multi-zone'?: boolean | undefined; help?: boolean | undefined }

try {
  const values = readValues()
  console.log(values.help ? usage : tell(values).join('\n'))
} catch (error) {
  process.exitCode = failWith(error, process.stderr)
}

function tell(values: Values): string[] {
  const load: Load = {
    tenants: toCount(values, 'tenants', defaultLoad.tenants),
    chunks: toCount(values, 'chunks', defaultLoad.chunks),
    questions: toCount(values, 'questions', defaultLoad.questions),
    model: values.model ?? null,
    inputTokens: toCount(values, 'input-tokens', defaultLoad.inputTokens),
    outputTokens: toCount(values, 'output-tokens', defaultLoad.outputTokens),
    embedding: oneOf(embeddingPlaces, 'embedding', values.embedding ?? defaultLoad.embedding),
    isMultiZone: values['multi-zone'] ?? false,
  }
  if (values.option !== undefined) return tellBill(oneOf(costOptions, 'option', values.option), load)
  if (load.model !== null) throw new NuraError('usage', '--model needs --option: no model is in all three')
  return tellAll(load).flatMap((table, at) => (at === 0 ? table : ['', ...table]))
}

function readValues(): Values {
  try {
    return parseArgs({ options: { ...Object.fromEntries(texts.map((name) => [name, { type: 'string' as const }])), 'multi-zone': { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } }).values as Values
  } catch (error) {
    throw new NuraError('usage', `${(error as Error).message}\n${usage}`)
  }
}

function toCount(values: Values, name: (typeof texts)[number], unlessSaid: number): number {
  const text = values[name]
  if (text === undefined) return unlessSaid
  if (!/^\d{1,12}$/.test(text)) throw new NuraError('usage', `--${name} is a whole number, such as ${unlessSaid}`)
  return Number(text)
}

function oneOf<T extends string>(known: readonly T[], name: string, text: string): T {
  const found = known.find((each) => each === text)
  if (found === undefined) throw new NuraError('usage', `--${name} is one of ${known.join(', ')}`)
  return found
}
