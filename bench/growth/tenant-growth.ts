import { Client } from 'pg'
import type { TenantDb } from '#db/index.ts'
import { clusteredEmbedders } from '../clustered-embedder.ts'
import { indexRepository } from '../ingest.ts'
import { median, quantile } from '../measure.ts'
import { withDatabase } from '../open-database.ts'
import { compareSides, interleaveSides } from '../peers/compare.ts'
import type { Side } from '../peers/compare.ts'
import type { Result } from '../report.ts'
import { readCatalogue, visitTenants } from './catalogue.ts'
import { copyTenant } from './copy-tenant.ts'
import { makeRepository } from './make-repository.ts'
import { largeServer, watchServer } from './server.ts'
import { openSubject } from './subject.ts'
import type { Subject } from './subject.ts'

const sizes = [1, 10, 100, 300]
const chunks = 1_000
const rounds = 60
const pushRounds = 15
const most = 1.1
const inMb = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MB`

/**
 * The same work on a database of one tenant and on one of many, in turn. All tenants hold the same: the first of each database is
 * indexed, the others are copies of it, rows and statistics.
 */
export async function measureTenantGrowth({ tenants: mostTenants, repo }: { tenants: number; repo: string | null }): Promise<Result[]> {
  return withDatabase(async (one) => {
    const many = await one.freshDatabase()
    await using repositories = new AsyncDisposableStack()
    const open = async (database: typeof many, tenant: TenantDb) => {
      const repository = repositories.use(await makeRepository(chunks, repo))
      await indexRepository(tenant, repository.dir, clusteredEmbedders)
      return { repository, subject: await openSubject(database.db, tenant, repository) }
    }
    const alone = await open(one, one.tenant)
    const first = await open(many, await many.freshTenant())
    const raw = repositories.adopt(new Client({ connectionString: many.url }), (client) => client.end())
    await raw.connect()
    const subjects = [first.subject]
    const results: Result[] = []
    for (const size of sizes.filter((each) => each <= mostTenants)) {
      while (subjects.length < size) {
        const tenant = await many.freshTenant()
        await copyTenant(raw, first.subject.tenant, tenant)
        subjects.push(await openSubject(many.db, tenant, first.repository))
      }
      results.push(...(await measureSearches(alone.subject, subjects)), await measurePushes(alone.subject, first.subject, size))
      results.push(...(await measureRoom(raw, many.url, subjects, first.repository)))
    }
    results.push(await measureMaking(one.freshTenant, many.freshTenant, subjects.length))
    return results
  }, largeServer)
}

async function measureSearches(alone: Subject, subjects: Subject[]): Promise<Result[]> {
  const questions = alone.questions.worded
  const ask = (subject: Subject, round: number) => subject.hybrid(questions[round % questions.length]!)
  const sides: Side[] = [
    { name: 'alone', run: (round) => ask(alone, round) },
    { name: 'again', run: (round) => ask(alone, round) },
    { name: 'the same tenant', run: (round) => ask(subjects[0]!, round) },
    { name: 'another tenant each time', run: (round) => ask(subjects[round % subjects.length]!, round) },
  ]
  // Each connection has seen every tenant once or twice before: what is measured is what many tenants cost for good.
  for (const { run } of sides.slice(0, 3)) for (let round = 0; round < rounds / 2; round++) await run(round)
  for (const subject of subjects.length > 1 ? [...subjects, ...subjects] : []) await ask(subject, 0)
  const costs = await interleaveSides(rounds, sides)
  const names = subjects.length === 1 ? ['again', 'the same tenant'] : ['the same tenant', 'another tenant each time']
  return names.map((name) => toResult(`hybrid search, ${name === 'again' ? 'noise: one tenant against itself' : `${name} of ${subjects.length}`}`, costs, name, name !== 'again'))
}

async function measurePushes(alone: Subject, subject: Subject, size: number): Promise<Result> {
  const side = (name: string, { change, push }: Subject): Side => ({ name, prepare: change, run: () => push() })
  return toResult(`a push of one changed file, the same tenant of ${size}`, await interleaveSides(pushRounds, [side('alone', alone), side('the same tenant', subject)]), 'the same tenant', true)
}

async function measureMaking(inOne: () => Promise<TenantDb>, inMany: () => Promise<TenantDb>, size: number): Promise<Result> {
  return toResult(`a tenant is made, beside ${size}`, await interleaveSides(5, [{ name: 'alone', run: inOne }, { name: 'many', run: inMany }]), 'many', true)
}

async function measureRoom(raw: Client, url: string, subjects: Subject[], repository: Parameters<typeof visitTenants>[2]): Promise<Result[]> {
  const { relations, columns, bytes } = await readCatalogue(raw)
  const visited = await visitTenants(url, subjects.map(({ tenant }) => tenant), repository, subjects[0]!.questions.worded[0]!)
  const [before, after] = [visited[0]!, visited.at(-1)!]
  const memory = await (await watchServer(raw)).memory()
  return [
    {
      measure: `catalogue of ${subjects.length} tenants`,
      nura: `${relations} rows in pg_class, ${columns} in pg_attribute, ${inMb(bytes)} on disk`,
      numbers: { relations, columns, bytes },
    },
    {
      measure: `memory of one connection that has searched in ${subjects.length}`,
      nura: `${inMb(after.ownBytes)} of its own, ${inMb(after.cacheBytes)} of it knowledge of tables`,
      baseline: `in one: ${inMb(before.ownBytes)}, ${inMb(before.cacheBytes)}`,
      numbers: { ...after, serverProportional: memory.proportional, serverOwn: memory.own, processes: memory.processes },
    },
  ]
}

function toResult(measure: string, costs: Parameters<typeof compareSides>[0], name: string, held: boolean): Result {
  const { ratio, interval } = compareSides(costs, name, 'alone')
  const show = (side: string) => {
    const times = costs.get(side)!.map(({ wallMs }) => wallMs)
    return `${median(times).toFixed(1)} ms p50, ${quantile(times, 0.95).toFixed(1)} ms p95`
  }
  return {
    measure,
    nura: show(name),
    baseline: `alone: ${show('alone')}`,
    ratio,
    ...(held ? { bound: `≤ ${most} ×`, holds: ratio.median <= most } : {}),
    numbers: { interval },
  }
}
