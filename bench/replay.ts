import { setTimeout as sleep } from 'node:timers/promises'
import type { Db, TenantDb } from '#db/index.ts'
import { exclusively } from '#db/shared/exclusive.ts'
import { offboardTenant } from '#db/shared/offboard-tenant.ts'
import { ensureTenant } from '#db/shared/tenants.ts'
import { addRepository, findRepository, findRepositoryByExternalId } from '#db/tenant/repositories.ts'
import type { Repository } from '#db/tenant/repository.ts'
import { createRandom } from '#infra/testing/create-random.ts'
import { startProcess } from '#infra/testing/processes.ts'
import { until } from '#infra/testing/until.ts'
import { indexSource } from '#server/indexing/index-changes.ts'
import { toSyncKey } from '#server/indexing/sync-key.ts'
import { createLog } from '#server/log.ts'
import { lexicalEmbedders } from '#server/models/lexical.ts'
import { createGitSource } from '#server/sources/git.ts'
import type { Event } from '#server/testing/fake-github/deliveries.ts'
import type { FakeRepository } from '#server/testing/fake-github/fake-repository.ts'
import { startFakeGithub } from '#server/testing/fake-github/start-fake-github.ts'
import type { FakeGithub } from '#server/testing/fake-github/start-fake-github.ts'
import { compareStates, readChunkKeys, readIndexState } from './index-state.ts'
import { quantile } from './measure.ts'
import { withDatabase } from './open-database.ts'
import type { Result } from './report.ts'

export type ReplayOptions = {
  /** A git checkout, or a bare repository. */
  repo: string
  /** How many of the last first-parent commits are pushed. */
  commits: number
  seed: number
  /** Every so many commits, and after the last, the index is held against a fresh one. */
  every: number
}

type Fate = 'delivered' | 'dropped' | 'doubled' | 'late'
type Settling = { at: number; embedded: number; newKeys: number; differences: number | null; ms: number | null; requests: number }
type Bench = {
  db: Db
  tenant: TenantDb
  github: FakeGithub
  fake: FakeRepository
  /** Where webhooks go. */
  hook: string
  freshTenant(): Promise<TenantDb>
  /** A figure of the process that runs the jobs, 0 when it has none yet. */
  readMetric(name: string, labels?: string): Promise<number>
}

/** Longest time for one settling: the first one indexes the whole tree. */
const settleMs = 600_000
/** What a push asks of GitHub beside one blob for each new content; the sweeper asks for other things meanwhile. */
const ofPush = /^\/repos\/[^/]+\/[^/]+(?:$|\/commits\/|\/git\/trees\/|\/compare\/|\/tarball\/)/
const log = createLog({ level: 'silent', process: 'bench' })

/**
 * Pushes the last commits of a repository one by one through signed webhooks to running processes, some dropped, doubled
 * and out of order, and holds what they made of it against an index made at once from the same tree.
 */
export async function measureReplay(options: ReplayOptions): Promise<Result[]> {
  return withDatabase(async ({ db, url, redisUrl, freshTenant }) => {
    const github = await startFakeGithub()
    const tenant = await db.tenant((await ensureTenant(db, { slug: 'local', name: 'local' })).id)
    const installation = await github.addInstallation({ account: 'acme', accountType: 'Organization' })
    const fake = await github.addRepository({ installation, name: 'replayed', from: options.repo })
    const metricsToken = 'a token of the bench that is long enough'
    const env = {
      DATABASE_URL: url, REDIS_URL: redisUrl, LOG_LEVEL: 'warn', NURA_METRICS_TOKEN: metricsToken,
      NURA_SERVICE_SECRET: 'a service secret that is long enough to be one', NURA_ENCRYPTION_KEY: Buffer.alloc(32, 3).toString('base64'),
      ...github.env(), GITHUB_INSTALLATION_ID: String(installation.id), GITHUB_SWEEP_INTERVAL: '5',
    }
    const [server, jobs] = await Promise.all([startProcess('server/main.ts', env), startProcess('jobs/main.ts', env)])
    const readMetric = async (name: string, labels = '') => {
      const response = await fetch(`${jobs.url}/metrics`, { headers: { authorization: `Bearer ${metricsToken}` } })
      return toFigure(await response.text(), name, labels)
    }
    try {
      return await replay({ db, tenant, github, fake, hook: `${server.url}/github/webhooks`, freshTenant, readMetric }, options)
    } catch (error) {
      console.error(`server:\n${server.output().slice(-2000)}\njobs:\n${jobs.output().slice(-4000)}`)
      throw error
    } finally {
      await Promise.all([server.end('SIGTERM'), jobs.end('SIGTERM')])
      await github.close()
    }
  })
}

async function replay(bench: Bench, { commits, seed, every }: ReplayOptions): Promise<Result[]> {
  const { github, fake, hook } = bench
  const random = createRandom(seed)
  const shas = (await fake.git('rev-list', '--first-parent', `--max-count=${commits + 1}`, `refs/heads/${fake.defaultBranch}`)).split('\n').toReversed()
  await fake.setRef(`refs/heads/${fake.defaultBranch}`, shas[0]!)
  const installation = [...github.world.installations.values()][0]!
  await github.deliver(hook, github.event('installation', github.payloads.installation('created', installation)))

  const settle = createSettle(bench)
  const settlings = [await settle(0, shas[0]!, { compares: true, since: null })]
  const fates: Record<Fate, number> = { delivered: 0, dropped: 0, doubled: 0, late: 0 }
  let held: Event[] = []
  for (const [at, sha] of shas.entries()) {
    if (at === 0) continue
    const before = shas[at - 1]!
    await fake.setRef(`refs/heads/${fake.defaultBranch}`, sha)
    const event = github.event('push', await github.payloads.push(fake, { ref: `refs/heads/${fake.defaultBranch}`, before, after: sha }))
    const since = performance.now()
    const fate = toFate(random())
    fates[fate]++
    if (fate === 'dropped') github.deliveries.dropNext()
    if (fate !== 'late') await github.deliver(hook, event)
    if (fate === 'doubled') await Promise.all([github.deliver(hook, event), github.deliver(hook, event)])
    // What was held back comes after what is newer.
    for (const late of held) await github.deliver(hook, late)
    held = fate === 'late' ? [event] : []
    const compares = at % every === 0 || at === shas.length - 1
    if (compares) for (const late of held.splice(0)) await github.deliver(hook, late)
    if (compares || fate === 'delivered' || fate === 'doubled') {
      settlings.push(await settle(at, sha, { compares, since: fate === 'delivered' || fate === 'doubled' ? since : null }))
    }
    if (compares) console.error(`${at} of ${shas.length - 1} commits, ${sha.slice(0, 7)}`)
  }
  return toResults(settlings, fates, shas.length - 1)
}

function toFate(chance: number): Fate {
  return chance < 0.1 ? 'dropped' : chance < 0.2 ? 'doubled' : chance < 0.3 ? 'late' : 'delivered'
}

/** Waits until the index is at a commit and no work is left, and judges what was done since the last time. */
function createSettle({ db, tenant, github, fake, freshTenant, readMetric }: Bench) {
  let [embeddedBefore, keysBefore, callsBefore] = [0, 0, 0]
  return async (at: number, sha: string, { compares, since }: { compares: boolean; since: number | null }): Promise<Settling> => {
    const isThere = async () => {
      const found = await findRepositoryByExternalId(tenant, fake.id)
      return found?.indexedSha === sha && found
    }
    const repository = await until(`the index to be at ${sha.slice(0, 7)}, commit ${at}`, isThere, { withinMs: settleMs })
    const ms = since === null ? null : performance.now() - since
    const requests = github.calls.slice(callsBefore).filter(({ path }) => ofPush.test(path)).length
    await untilIdle(readMetric)
    const [embedded, keys] = [await readMetric('nura_embedded_chunks_total'), (await readChunkKeys(tenant)).size]
    const settling = { at, embedded: embedded - embeddedBefore, newKeys: keys - keysBefore, ms, requests, differences: null }
    ;[embeddedBefore, keysBefore, callsBefore] = [embedded, keys, github.calls.length]
    if (settling.embedded !== settling.newKeys) console.error(`commit ${at}, ${sha}: ${settling.embedded} chunks embedded, ${settling.newKeys} keys are new`)
    return compares ? { ...settling, differences: await countDifferences(db, tenant, repository, fake.store.dir, await freshTenant(), sha) } : settling
  }
}

/** Nothing to do for two looks in a row: between two jobs there is a moment with none. */
async function untilIdle(readMetric: Bench['readMetric']): Promise<void> {
  for (let idle = 0; idle < 2; ) {
    const depths = await Promise.all(['sync-repository', 'github-delivery', 'sync-installation'].map((job) => readMetric('nura_queue_depth', `job="${job}"`)))
    idle = depths.every((depth) => depth === 0) ? idle + 1 : 0
    await sleep(20)
  }
}

/** Indexes the tree at once in another tenant, prints what differs, and leaves nothing behind. */
async function countDifferences(db: Db, tenant: TenantDb, repository: Repository, dir: string, fresh: TenantDb, sha: string): Promise<number> {
  const added = await addRepository(fresh, { name: repository.name, source: 'git', location: dir, audience: 'tenant' })
  // The jobs process would take it up as well, and its embeddings are counted.
  const ran = await exclusively(db, toSyncKey(fresh.id, added.id), async () => {
    await indexSource({ embedders: lexicalEmbedders, log }, fresh, added, createGitSource(dir))
  })
  if (!ran) throw new Error('Somebody else is indexing what is to be compared with.')
  if ((await findRepository(fresh, added.id))?.indexedSha !== sha) throw new Error(`The fresh index is not at ${sha}.`)
  const differences = compareStates(await readIndexState(tenant, repository.id), await readIndexState(fresh, added.id))
  for (const { table, missing, unexpected } of differences) {
    console.error(`${sha}: ${table}: ${missing.length} missing, ${unexpected.length} unexpected`)
    for (const row of missing.slice(0, 3)) console.error(`  - ${row}`)
    for (const row of unexpected.slice(0, 3)) console.error(`  + ${row}`)
  }
  await offboardTenant(db, fresh.id)
  return differences.reduce((sum, { missing, unexpected }) => sum + missing.length + unexpected.length, 0)
}

/** The sum of a metric's samples that carry these labels. */
function toFigure(text: string, name: string, labels: string): number {
  const samples = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
  return samples.filter((line) => line.includes(labels)).reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

function toResults(settlings: Settling[], fates: Record<Fate, number>, commits: number): Result[] {
  const compared = settlings.filter(({ differences }) => differences !== null)
  const equal = compared.filter(({ differences }) => differences === 0)
  const exact = settlings.filter(({ embedded, newKeys }) => embedded === newKeys)
  const sum = (key: 'embedded' | 'newKeys') => settlings.reduce((total, settling) => total + settling[key], 0)
  const times = settlings.flatMap(({ ms }) => (ms === null ? [] : [ms]))
  const requests = settlings.flatMap((settling) => (settling.ms === null ? [] : [settling.requests]))
  const { dropped, doubled, late } = fates
  return [
    { measure: 'commits pushed', nura: `${commits}: ${dropped} dropped, ${doubled} doubled, ${late} late` },
    {
      measure: 'the index is the one of a fresh start',
      nura: `${equal.length} of ${compared.length} compared`,
      bound: 'all of them',
      holds: equal.length === compared.length,
      numbers: { rowsThatDiffer: compared.reduce((total, { differences }) => total + differences!, 0) },
    },
    {
      measure: 'chunks embedded',
      nura: String(sum('embedded')),
      baseline: `${sum('newKeys')} new chunk keys`,
      bound: `the same after each of ${settlings.length} settlings`,
      holds: exact.length === settlings.length,
    },
    { measure: 'webhook to index', nura: `${quantile(times, 0.5).toFixed(0)} ms p50, ${quantile(times, 0.99).toFixed(0)} ms p99` },
    { measure: 'requests to GitHub a push, new blobs apart', nura: `${quantile(requests, 0.5)} p50, ${Math.max(...requests)} at most` },
  ]
}
