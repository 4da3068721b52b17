import { findEmbeddingFacts } from '#server/models/embedding-facts.ts'
import { findModel } from './find-model.ts'
import { chunkTokens, questionTokens } from './load.ts'
import type { CostOption, Load } from './load.ts'
import { prices } from './prices.ts'
import type { Price } from './prices.ts'

/** One line of a bill: US dollars a month, and what they are made of. */
export type BillLine = { line: string; usd: number; basis: string }

const hours = 730
const gigabyte = 1e9

/** Bytes of a chunk, measured at 10,000 of them: its row with a vector(1024) 8,000, sparse vector and lexemes 1,800, text 900. */
const rowBytes = 10_700
/** Of its place in the HNSW index over halves, as `db/tenant/vector-index.ts` builds it, measured at 120,000; over whole vectors it is 7,800. */
const vectorIndexBytes = 2_600
/** Growth, WAL and dead rows. */
const spare = 2
/** Gigabytes that a database has at least. */
const leastDisk = 20
/** The share of chunks that pushes change, and that are embedded again, in a month. An assumption. */
const changedShare = 0.2
/** Seconds that a serverless endpoint of 6 GB takes for a chunk of 400 tokens, and for a question. Assumptions: not measured. */
const secondsAChunk = 1
const secondsAQuestion = 0.3
/** Gigabytes that a question sends to models and platforms, and that it logs; and what the processes log without any. Assumptions. */
const trafficAQuestion = 0.0001
const logsAQuestion = 0.00002
const logsOfProcesses = 2
/** vCPU and GB of each of `bot`, `server` and `jobs`. */
const task = { cpu: 0.5, memory: 1 }
/** Months after which a machine is paid off, and the kilowatts that it takes on the average. */
const depreciation = 48
const kilowatts = 0.8
const gpus = 2

/** The smallest whose memory holds the vector index twice; the largest when none does. */
const rdsSizes = [[4, prices.rds4], [8, prices.rds8], [16, prices.rds16], [32, prices.rds32], [64, prices.rds64]] as const
const hostSizes = [[4, prices.hostDatabase4], [8, prices.hostDatabase8], [16, prices.hostDatabase16], [32, prices.hostDatabase32]] as const

/**
 * What Nura costs in a month, largest line first; linear in questions. Free tiers, discounts, taxes and people's time are not in it.
 * @throws NuraError `usage` for a model without a price, or that the option cannot have
 */
export function toMonthlyBill(option: CostOption, load: Load): BillLine[] {
  const lines = { own: toOwn, host: toHost, aws: toAws }[option](load)
  return lines.toSorted((a, b) => b.usd - a.usd)
}

export function toTotal(bill: readonly BillLine[]): number {
  return bill.reduce((sum, { usd }) => sum + usd, 0)
}

function toOwn(load: Load): BillLine[] {
  findModel('own', load.model)
  const bought = gpus * prices.ownGpu.value + prices.ownMachine.value
  return [
    { line: 'hardware', usd: bought / depreciation, basis: `${gpus} GPUs of 80 GB and a machine, $${count(bought)} over ${depreciation} months` },
    { line: 'power', usd: kilowatts * hours * prices.ownPower.value, basis: `${kilowatts} kW on the average, $${prices.ownPower.value} a kWh` },
  ]
}

function toHost(load: Load): BillLine[] {
  const database = toSize(hostSizes, load)
  return [
    toChat('host', load),
    toEmbeddingApi(load),
    { line: 'PostgreSQL', usd: database.value, basis: database.of },
    { line: 'server', usd: prices.hostServer.value, basis: `bot, server, jobs and Redis: ${prices.hostServer.of}` },
    { line: 'server backup', usd: prices.hostServerBackup.value, basis: prices.hostServerBackup.of },
  ]
}

function toAws(load: Load): BillLine[] {
  const zones = load.isMultiZone ? 2 : 1
  const each = zones === 2 ? '2 × ' : ''
  const instance = toSize(rdsSizes, load)
  const disk = toDisk(load)
  const traffic = load.questions * trafficAQuestion
  const logs = logsOfProcesses + load.questions * logsAQuestion
  // Of the load balancer in two zones, as it must have, and of each NAT gateway.
  const addresses = 2 + zones
  return [
    toChat('aws', load),
    toEndpoint(load),
    { line: 'RDS PostgreSQL', usd: zones * instance.value * hours, basis: `${each}${instance.of}, with pgvector` },
    { line: 'RDS storage', usd: zones * disk * prices.rdsStorage.value, basis: `${each}${disk} GB of gp3` },
    { line: 'RDS backup', usd: disk * prices.rdsBackup.value, basis: `${disk} GB beyond what is free, 7 days` },
    { line: 'ElastiCache', usd: 2 * zones * prices.elastiCache.value * hours, basis: `${2 * zones} × cache.t4g.micro: queue and cache` },
    { line: 'Fargate', usd: 3 * zones * (task.cpu * prices.fargateCpu.value + task.memory * prices.fargateMemory.value) * hours, basis: `${3 * zones} tasks of ${task.cpu} vCPU and ${task.memory} GB` },
    { line: 'load balancer', usd: (prices.balancer.value + prices.balancerUnit.value) * hours, basis: 'one, at one capacity unit' },
    { line: 'NAT gateway', usd: zones * prices.nat.value * hours, basis: `${zones}, always on` },
    { line: 'IPv4 addresses', usd: addresses * prices.address.value * hours, basis: `${addresses} public ones` },
    { line: 'traffic', usd: traffic * (prices.natTraffic.value + prices.traffic.value), basis: `${number(traffic)} GB through NAT to the internet` },
    { line: 'logs', usd: logs * prices.logs.value, basis: `${number(logs)} GB` },
    { line: 'KMS', usd: prices.kmsKey.value, basis: 'one master key' },
  ]
}

function toChat(option: CostOption, { model, questions, inputTokens, outputTokens }: Load): BillLine {
  const { id, facts } = findModel(option, model)
  // A model is given no more than its window holds (server/agents/prompt.ts).
  const read = Math.min(inputTokens, facts.inputTokens)
  const written = Math.min(outputTokens, facts.outputTokens)
  const usd = (questions * (read * facts.price.input + written * facts.price.output)) / 1e6
  return { line: 'answers', usd, basis: `${count(questions)} × ${count(read)} tokens at $${facts.price.input} and ${count(written)} at $${facts.price.output} a million, ${id}` }
}

function toEndpoint(load: Load): BillLine {
  const line = 'embeddings'
  if (load.embedding === 'api') return toEmbeddingApi(load)
  if (load.embedding === 'serverless') {
    const seconds = toChanged(load) * secondsAChunk + load.questions * secondsAQuestion
    return { line, usd: seconds * prices.endpointServerless.value, basis: `BGE-M3 on SageMaker serverless, 6 GB, ${count(seconds)} s` }
  }
  const endpoint = load.embedding === 'gpu' ? prices.endpointGpu : prices.endpointCpu
  return { line, usd: endpoint.value * hours, basis: `BGE-M3 on SageMaker, always on: ${endpoint.of}` }
}

function toEmbeddingApi(load: Load): BillLine {
  const model = 'text-embedding-3-large'
  const { price } = findEmbeddingFacts(model)
  const tokens = toChanged(load) * chunkTokens + load.questions * questionTokens
  return { line: 'embeddings', usd: (tokens * price) / 1e6, basis: `${number(tokens / 1e6)} million tokens at $${price}, ${model}` }
}

/** Chunks that are embedded in a month, of all tenants. */
function toChanged({ tenants, chunks }: Load): number {
  return tenants * chunks * changedShare
}

/** Whole gigabytes. */
function toDisk({ tenants, chunks }: Load): number {
  return Math.max(leastDisk, Math.ceil((tenants * chunks * (rowBytes + vectorIndexBytes) * spare) / gigabyte))
}

function toSize(sizes: readonly (readonly [gibibytes: number, price: Price])[], { tenants, chunks }: Load): Price {
  const needed = (2 * tenants * chunks * vectorIndexBytes) / gigabyte
  return (sizes.find(([gibibytes]) => gibibytes >= needed) ?? sizes.at(-1)!)[1]
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function number(value: number): string {
  return value.toFixed(1)
}
