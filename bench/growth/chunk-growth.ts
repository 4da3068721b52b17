import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { clusteredEmbedders } from '../clustered-embedder.ts'
import { indexRepository } from '../ingest.ts'
import { median, quantile } from '../measure.ts'
import type { Cost } from '../measure.ts'
import { withDatabase } from '../open-database.ts'
import type { BenchDatabase } from '../open-database.ts'
import { compareSides, interleaveSides } from '../peers/compare.ts'
import type { Result } from '../report.ts'
import { countPush } from './count-push.ts'
import type { PushCounts } from './count-push.ts'
import { explainVector } from './explain.ts'
import { makeRepository } from './make-repository.ts'
import { largeServer, watchServer } from './server.ts'
import { openSubject } from './subject.ts'
import type { Subject } from './subject.ts'

const sizes = [1_000, 10_000, 100_000, 500_000]
const searchRounds = 50
const pushRounds = 9
/** An idle backend tells what it counted after ten seconds. */
const statisticsMs = 11_000
const mb = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MB`

/** One size of a tenant's index, and what its first indexing cost for each thousand chunks. */
type Step = { name: string; chunks: number; subject: Subject; firstMs: number; firstCpuMs: number; nodeCpuMs: number; counts: PushCounts; plan: string; close(): Promise<void> }

/**
 * One tenant after another, each ten times the one before, all in one database: they are then searched and changed in turn, so
 * that the ratios are of neighbours in time. Every index is made by the product's own indexing.
 */
export async function measureChunkGrowth({ most, repo }: { most: number; repo: string | null }): Promise<Result[]> {
  return withDatabase(async (database) => {
    const raw = new Client({ connectionString: database.url })
    await raw.connect()
    const steps: Step[] = []
    try {
      await using warm = await makeRepository(sizes[0]!, repo)
      await indexRepository(database.tenant, warm.dir, clusteredEmbedders)
      for (const size of sizes.filter((each) => each <= most)) steps.push(await openStep(database, raw, size, repo))
      await sleep(statisticsMs)
      for (const step of steps) {
        await step.subject.change(0)
        step.counts = await countPush(raw, database.url, step.subject)
      }
      const results = [...toFirstIndex(steps), ...(await measureSearches(steps)), ...(await measurePushes(steps))]
      const memory = await (await watchServer(raw)).memory()
      return [...results, { measure: `memory after all of it: PostgreSQL, ${memory.processes} processes`, nura: `${mb(memory.proportional)}, ${mb(memory.own)} of it not shared`, baseline: `this process: ${mb(process.memoryUsage.rss())}` }]
    } finally {
      for (const { close } of steps) await close()
      await raw.end()
    }
  }, largeServer)
}

async function openStep({ db, freshTenant }: BenchDatabase, raw: Client, size: number, repo: string | null): Promise<Step> {
  const repository = await makeRepository(size, repo)
  const tenant = await freshTenant()
  const server = await watchServer(raw)
  const before = await server.cpu()
  const start = performance.now()
  const { chunks } = await indexRepository(tenant, repository.dir, clusteredEmbedders)
  const wallMs = performance.now() - start
  const after = await server.cpu()
  const thousands = chunks / 1000
  const [nodeCpuMs, serverCpuMs] = [after.node - before.node, after.server - before.server]
  return {
    name: `${chunks} chunks`,
    chunks,
    subject: await openSubject(db, tenant, repository),
    firstMs: wallMs / thousands,
    firstCpuMs: (nodeCpuMs + serverCpuMs) / thousands,
    nodeCpuMs: nodeCpuMs / thousands,
    counts: { statements: 0, rows: 0, walBytes: 0 },
    plan: await explainVector(raw, tenant),
    close: () => repository[Symbol.asyncDispose](),
  }
}

/** How much dearer the logarithm lets a step be. */
const toBound = (step: Step, first: Step) => Math.log(step.chunks) / Math.log(first.chunks)

function toFirstIndex([first, ...rest]: Step[]): Result[] {
  const show = ({ firstMs, firstCpuMs, nodeCpuMs }: Step) => `${firstMs.toFixed(0)} ms, CPU ${nodeCpuMs.toFixed(0)} ms of Node + ${(firstCpuMs - nodeCpuMs).toFixed(0)} of PostgreSQL`
  return rest.map((step) => {
    const [wall, ratio, bound] = [step.firstMs / first!.firstMs, step.firstCpuMs / first!.firstCpuMs, toBound(step, first!)]
    return {
      measure: `first indexing, CPU for each 1,000 of ${step.name}`,
      nura: show(step),
      baseline: `${first!.name}: ${show(first!)}`,
      ratio: { median: ratio, low: ratio, high: ratio },
      bound: `≤ ${bound.toFixed(2)} × (log)`,
      holds: ratio <= bound,
      numbers: { chunks: step.chunks, wallRatio: wall },
    }
  })
}

async function measureSearches(steps: Step[]): Promise<Result[]> {
  const results: Result[] = []
  const measures: [name: string, run: 'hybrid' | 'vector' | 'lexical', kind: keyof Subject['questions']][] = [
    ['hybrid search, a name', 'hybrid', 'named'],
    ['hybrid search, plain words', 'hybrid', 'worded'],
    ['vector leg', 'vector', 'worded'],
    ['lexical leg, a name', 'lexical', 'named'],
    ['lexical leg, plain words', 'lexical', 'worded'],
  ]
  for (const [name, run, kind] of measures) {
    const sides = steps.map(({ name: side, subject }) => ({ name: side, run: (round: number) => subject[run](subject.questions[kind][round % subject.questions[kind].length]!) }))
    // Once over everything first: what is measured is the way to the rows, not who finds them in memory.
    for (const side of sides) for (let round = 0; round < searchRounds; round++) await side.run(round)
    const costs = await interleaveSides(searchRounds, sides)
    results.push(...compare(name, steps, costs, (step): Record<string, string> => (run === 'vector' ? { plan: step.plan } : {})))
  }
  return results
}

async function measurePushes(steps: Step[]): Promise<Result[]> {
  const sides = steps.map(({ name, subject }) => ({ name, prepare: (round: number) => subject.change(round + 1), run: () => subject.push() }))
  const costs = await interleaveSides(pushRounds, sides)
  return compare('a push of one changed file', steps, costs, ({ counts }) => ({ ...counts }))
}

function compare(measure: string, [first, ...rest]: Step[], costs: Map<string, Cost[]>, toNumbers: (step: Step) => Record<string, number | string>): Result[] {
  const show = (step: Step) => {
    const times = costs.get(step.name)!.map(({ wallMs }) => wallMs)
    const numbers = toNumbers(step)
    const more = 'plan' in numbers ? `, ${/^Index Scan/.test(String(numbers.plan)) ? 'index scan' : 'NO INDEX SCAN'}` : 'rows' in numbers ? `, ${numbers.rows} rows, ${numbers.statements} statements` : ''
    return `${median(times).toFixed(1)} ms p50, ${quantile(times, 0.95).toFixed(1)} ms p95${more}`
  }
  return rest.map((step) => {
    const { ratio, interval } = compareSides(costs, step.name, first!.name)
    const bound = toBound(step, first!)
    const cpu = (of: Step) => median(costs.get(of.name)!.map(({ cpuMs }) => cpuMs))
    return {
      measure: `${measure}, ${step.name}`,
      nura: show(step),
      baseline: `${first!.name}: ${show(first!)}`,
      ratio,
      bound: `≤ ${bound.toFixed(2)} × (log)`,
      holds: ratio.median <= bound,
      numbers: { chunks: step.chunks, interval, nodeCpuMs: cpu(step), firstNodeCpuMs: cpu(first!), ...toNumbers(step) },
    }
  })
}
