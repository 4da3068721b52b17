import { setTimeout as sleep } from 'node:timers/promises'
import { startGithubDeployment } from '#infra/testing/start-github-deployment.ts'
import type { GithubDeployment } from '#infra/testing/start-github-deployment.ts'
import { until } from '#infra/testing/until.ts'
import type { Event } from '#server/testing/fake-github/deliveries.ts'
import type { FakeRepository } from '#server/testing/fake-github/fake-repository.ts'
import { generateRepository } from './generate-repository.ts'
import { median, quantile } from './measure.ts'
import { withDatabase } from './open-database.ts'
import type { Result } from './report.ts'

const tenant = 'acme'
const deliveries = 600
/** Deliveries a second of the steady part; as many come at once in a burst. */
const rate = 50
const files = 2_000
const renamed = 5_000
const pushes = 9

/**
 * What GitHub and people wait for: the answer to a delivery while GitHub and the model hang, a push until it can be found,
 * and a folder of thousands of files that gets another name. GitHub is a fake on this machine, so its own time is small.
 */
export async function measureGithub(): Promise<Result[]> {
  return withDatabase(({ url, redisUrl }) => measureOn({ DATABASE_URL: url, REDIS_URL: redisUrl }))
}

async function measureOn(env: Record<string, string>): Promise<Result[]> {
  const made = await generateRepository(files)
  let shop: FakeRepository | undefined
  const nura = await startGithubDeployment({
    model: true,
    env: { ...env, LOG_LEVEL: 'warn' },
    tenants: { [tenant]: 'acme' },
    async prepare(github) {
      const installation = await github.addInstallation({ account: 'acme' })
      shop = await github.addRepository({ installation, name: 'shop', private: true, from: made.dir })
      shop.permit('ada', 'write')
    },
  })
  try {
    nura.github.deliveries.auto = true
    await indexed(nura, shop!)
    const found = await measurePushes(nura, shop!)
    const moved = await measureRename(nura, shop!)
    return [...(await measureAcceptance(nura, shop!)), ...found, moved]
  } finally {
    await nura.close()
    await made[Symbol.asyncDispose]()
  }
}

/** Longer than any index of this size takes anywhere. */
async function indexed(nura: GithubDeployment, repository: FakeRepository): Promise<void> {
  const sha = await repository.git('rev-parse', 'HEAD')
  await until('the index', async () => (await nura.repositories(tenant)).some((each) => each.indexedSha === sha && each.state === 'ready'), { withinMs: 300_000, everyMs: 100 })
}

async function measurePushes(nura: GithubDeployment, shop: FakeRepository): Promise<Result[]> {
  const seconds: number[] = []
  const [calls, embedded] = [nura.github.calls.length, await nura.counter('nura_embedded_chunks_total')]
  for (let push = 0; push < pushes; push++) {
    const name = `freshlyPushed${push}`
    const start = performance.now()
    await shop.commit({ [`src/fresh-${push}.ts`]: `export function ${name}(): number {\n  return ${push}\n}\n` })
    await until('the push to be found', async () => (await nura.search(name, { tenant }))[0]?.path === `src/fresh-${push}.ts`)
    seconds.push((performance.now() - start) / 1000)
    await nura.settled()
  }
  const [middle, worst] = [median(seconds), Math.max(...seconds)]
  const perPush = (nura.github.calls.length - calls) / pushes
  const cost = ((await nura.counter('nura_embedded_chunks_total')) - embedded) / pushes
  return [
    { measure: `one-file push on ${files} files: webhook until found`, nura: `${middle.toFixed(2)} s, worst ${worst.toFixed(2)} s`, bound: '≤ 5 s', holds: worst <= 5, numbers: { median: middle, worst } },
    { measure: 'calls of GitHub for each push', nura: perPush.toFixed(1), bound: '≤ 5', holds: perPush <= 5, numbers: { perPush } },
    { measure: 'chunks embedded for each push of one chunk', nura: cost.toFixed(1), bound: '≤ 1', holds: cost <= 1, numbers: { cost } },
  ]
}

async function measureRename(nura: GithubDeployment, shop: FakeRepository): Promise<Result> {
  await shop.commit(Object.fromEntries(Array.from({ length: renamed }, (_, at) => [`before/part-${at}.ts`, `export const part${at} = (value: number) => value + ${at}\n`])))
  await indexed(nura, shop)
  const embedded = await nura.counter('nura_embedded_chunks_total')
  const blobs = () => nura.github.callsTo('GET', /\/git\/blobs\/|\/tarball/).length
  const read = blobs()
  const start = performance.now()
  await shop.commit({}, { moves: [['before', 'after']] })
  await indexed(nura, shop)
  const seconds = (performance.now() - start) / 1000
  const [cost, downloads] = [(await nura.counter('nura_embedded_chunks_total')) - embedded, blobs() - read]
  return {
    measure: `rename of a folder of ${renamed} files`,
    nura: `${seconds.toFixed(1)} s, ${cost} embedded, ${downloads} downloads`,
    bound: '≤ 30 s, none',
    holds: seconds <= 30 && cost === 0 && downloads === 0,
    numbers: { seconds, cost, downloads },
  }
}

async function measureAcceptance(nura: GithubDeployment, shop: FakeRepository): Promise<Result[]> {
  nura.github.deliveries.auto = false
  nura.github.fail({ path: /./ }, { kind: 'hang' }, Infinity)
  nura.model!.fault = { kind: 'hang' }
  const issue = await shop.openIssue({ author: 'ada' })
  const { event, payloads } = nura.github
  const head = await shop.git('rev-parse', 'HEAD')
  const push = await payloads.push(shop, { ref: 'refs/heads/main', before: head, after: head })
  const comment = payloads.issueComment('created', shop, issue, await issue.comment('ada', '@nura what is a ledger?'))
  // One in ten asks something, and holds a place for as long as GitHub hangs.
  const next = (at: number) => (at % 10 > 0 ? event('push', push) : event('issue_comment', comment))
  const steady: Promise<number>[] = []
  for (let at = 0, start = performance.now(); at < deliveries; at++) {
    await sleep(Math.max(0, start + (at * 1000) / rate - performance.now()))
    steady.push(deliver(nura.hook, next(at)))
  }
  const burst: number[] = []
  for (let wave = 0; wave < 4; wave++) burst.push(...(await Promise.all(Array.from({ length: rate }, (_, at) => deliver(nura.hook, next(at))))))
  nura.github.clearFaults()
  const [all, atOnce] = [toFigures(await Promise.all(steady)), toFigures(burst)]
  return [
    { measure: `202 to ${rate} deliveries a second while GitHub and the model hang`, nura: toText(all), bound: 'p99 ≤ 300 ms', holds: all.p99 <= 300, numbers: { ...all, deliveries } },
    { measure: `202 to ${rate} deliveries at once, again and again`, nura: toText(atOnce), numbers: atOnce },
  ]
}

const toFigures = (milliseconds: number[]) => ({ p50: median(milliseconds), p99: quantile(milliseconds, 0.99) })
const toText = ({ p50, p99 }: { p50: number; p99: number }) => `p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms`

/** @returns milliseconds until the answer */
async function deliver(hook: string, { headers, rawBody }: Event): Promise<number> {
  const start = performance.now()
  const response = await fetch(hook, { method: 'POST', headers, body: new Uint8Array(rawBody) })
  const took = performance.now() - start
  if (response.status !== 202) throw new Error(`A delivery was answered ${response.status}: ${await response.text()}`)
  await response.body?.cancel()
  return took
}
