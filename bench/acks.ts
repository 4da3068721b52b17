import { fork } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '#db/index.ts'
import { saveInstallation } from '#db/shared/slack-installations.ts'
import { provisionTenant } from '#db/shared/workspaces.ts'
import { startProcess } from '#infra/testing/processes.ts'
import type { NuraProcess } from '#infra/testing/processes.ts'
import { startDeployment, toServiceToken } from '#infra/testing/start-deployment.ts'
import type { ServiceEnv } from '#infra/testing/start-deployment.ts'
import { until } from '#infra/testing/until.ts'
import { startFakeOpenai } from '#server/testing/fake-openai.ts'
import { serviceSecret, toAnsweringEnv, toFakeModelEnv } from './answering-env.ts'
import { generateRepository } from './generate-repository.ts'
import { readableHeap, readLiveHeap } from './live-heap.ts'
import { quantile } from './measure.ts'
import { withDatabase } from './open-database.ts'
import type { Result } from './report.ts'
import type { Order, Report } from './slack/main.ts'
import type { Plan, Sent } from './slack/send-events.ts'
import { toBotToken, toTeamId } from './slack/workspaces.ts'

const tenants = 20
const signingSecret = 'a-signing-secret-of-slack'
/** Slack's limit on events is 30 000 an hour and workspace, 8.3 a second; of twenty workspaces that is 170. */
const steadyRate = 170
const flood = { rate: 500, seconds: 60 }
/** The model's own time before each word, milliseconds. */
const modelMs = 30

/**
 * What Slack waits for, while Nura answers: signed events of twenty workspaces at a constant rate, then more than it can take,
 * then the constant rate again. Afterwards every question that was taken must have been answered, once.
 */
export async function measureAcks({ minutes, mix }: { minutes: number; mix: Plan['mix'] }): Promise<Result[]> {
  return withDatabase(async ({ db, url, redisUrl }) => {
    await using repository = await generateRepository(5)
    const openai = await startFakeOpenai()
    openai.fault = { kind: 'slow', ms: modelMs }
    const slack = await openSlack()
    const env: ServiceEnv = {
      ...readableHeap,
      ...toAnsweringEnv({ url, redisUrl }),
      ...toFakeModelEnv(openai.url),
      SLACK_SIGNING_SECRET: signingSecret,
      SLACK_CLIENT_ID: '1.2',
      SLACK_CLIENT_SECRET: 'a client secret',
      SLACK_STATE_SECRET: 'a state secret',
      SLACK_API_URL: slack.url,
    }
    const deployment = await startDeployment(env, repository.dir)
    await install(db, deployment.server.url, repository.dir)
    const bot = await startProcess('bot/main.ts', deployment.botEnv)
    const processes = { bot, server: deployment.server, jobs: deployment.jobs }
    const send = (rate: number, seconds: number) => {
      console.error(`${rate} events a second for ${seconds} s`)
      return slack.send({ url: bot.url, signingSecret, rate, seconds, seed: 1, mix, retryMs: [1_000, 30_000] })
    }
    try {
      const ledger: Sent[] = await send(50, 10)
      await answered(slack, ledger)
      const before = await memory(processes)
      const steady = await send(steadyRate, Math.round(minutes * 60))
      ledger.push(...steady)
      await answered(slack, ledger)
      // The flood's retries come while the rate is what it was before.
      const flooded = send(flood.rate, flood.seconds)
      await sleep(flood.seconds * 1_000)
      const after = await send(steadyRate, 60)
      ledger.push(...(await flooded), ...after)
      const account = await answered(slack, ledger)
      const afterwards = await memory(processes)
      return [...toSteady(steady, mix), ...toFlood(await flooded, after), toAccount(account), ...toMemory(before, afterwards)]
    } finally {
      await bot.end('SIGTERM')
      await deployment.close()
      await openai.close()
      slack.close()
    }
  })
}

type Slack = { url: string; send(plan: Plan): Promise<Sent[]>; replies(): Promise<Map<string, number>>; close(): void }

/** Slack in a process of its own; see `slack/main.ts`. Sends may overlap; each is told of its own. */
async function openSlack(): Promise<Slack> {
  const child = fork(join(import.meta.dirname, 'slack', 'main.ts'), [String(tenants)])
  const listeners = new Set<(report: Report) => void>()
  child.on('message', (report: Report) => listeners.forEach((listen) => listen(report)))
  const hear = <T>(read: (report: Report) => T | undefined) =>
    new Promise<T>((resolve) => {
      const listen = (report: Report) => {
        const found = read(report)
        if (found === undefined) return
        listeners.delete(listen)
        resolve(found)
      }
      listeners.add(listen)
    })
  let orders = 0
  const tell = (order: Order) => void child.send(order)
  const url = await hear((report) => (report.kind === 'open' ? report.url : undefined))
  return {
    url,
    send(plan) {
      const id = ++orders
      tell({ kind: 'send', id, plan })
      return hear((report) => (report.kind === 'sent' && report.id === id ? report.sent : undefined))
    },
    replies() {
      tell({ kind: 'replies' })
      return hear((report) => (report.kind === 'replies' ? new Map(report.replies) : undefined))
    },
    close: () => child.disconnect(),
  }
}

/** Each workspace with a tenant of its own, the app installed, and the checkout indexed. */
async function install(db: Db, serverUrl: string, dir: string): Promise<void> {
  const slugs: string[] = []
  for (let at = 0; at < tenants; at++) {
    const teamId = toTeamId(at)
    const { id } = await provisionTenant(db, { surface: 'slack', id: teamId, name: teamId })
    await saveInstallation(db, { tenantId: id, teamId, enterpriseId: null, botToken: toBotToken(teamId), botUserId: 'U0NURABOT', installation: { botId: 'B0NURABOT' } })
    slugs.push(id)
    const headers = { authorization: `Bearer ${await toServiceToken(serviceSecret, id)}`, 'content-type': 'application/json' }
    const connected = await fetch(`${serverUrl}/v1/repositories`, { method: 'POST', headers, body: JSON.stringify({ path: dir }) })
    if (!connected.ok) throw new Error(`A checkout was not connected: ${await connected.text()}`)
  }
  for (const id of slugs) {
    await until('a repository to be indexed', async () => {
      const headers = { authorization: `Bearer ${await toServiceToken(serviceSecret, id)}` }
      const listed = (await (await fetch(`${serverUrl}/v1/repositories`, { headers })).json()) as { repositories: { state: string }[] }
      return listed.repositories.some(({ state }) => state === 'ready')
    })
  }
}

type Account = { taken: number; lost: number; twice: number; waitedMs: number }

/** Waits until every question that was taken has its reply, or nothing moves any more. */
async function answered(slack: Slack, ledger: Sent[]): Promise<Account> {
  const taken = ledger.flatMap(({ asked, last }) => (asked !== null && last === 200 ? [asked] : []))
  const start = performance.now()
  let moved = { at: Date.now(), count: -1 }
  for (;;) {
    const replies = await slack.replies()
    const lost = taken.filter((key) => !replies.has(key)).length
    if (lost !== moved.count) moved = { at: Date.now(), count: lost }
    if (lost === 0 || Date.now() - moved.at > 60_000) {
      return { taken: taken.length, lost, twice: [...replies.values()].filter((count) => count > 1).length, waitedMs: performance.now() - start }
    }
    await sleep(500)
  }
}

async function memory(processes: Record<string, NuraProcess>): Promise<Record<string, number>> {
  // What is on its way ends first.
  await sleep(10_000)
  return Object.fromEntries(await Promise.all(Object.entries(processes).map(async ([name, nura]) => [name, await readLiveHeap(nura)] as const)))
}

const show = (some: Sent[]) => {
  const acks = some.map(({ ackMs }) => ackMs)
  return `${quantile(acks, 0.5).toFixed(0)} ms p50, ${quantile(acks, 0.99).toFixed(0)} ms p99, ${Math.max(...acks).toFixed(0)} ms worst`
}
const late = (some: Sent[]) => some.filter(({ ackMs }) => ackMs > 3_000).length
const refused = (some: Sent[]) => some.filter(({ status }) => status !== 200)

function toSteady(sent: Sent[], mix: Plan['mix']): Result[] {
  const p99 = quantile(sent.map(({ ackMs }) => ackMs), 0.99)
  const worst = Math.max(...sent.map(({ ackMs }) => ackMs))
  return [
    {
      measure: `ack at ${steadyRate}/s of ${tenants} tenants, ${mix === 'mixed' ? '1 question in 10 events' : 'questions alone'}`,
      nura: show(sent),
      bound: 'p99 ≤ 300 ms, worst ≤ 1500 ms',
      holds: p99 <= 300 && worst <= 1_500,
      numbers: { events: sent.length, p99, worst },
    },
    { measure: 'acks over 3 s, and refused', nura: `${late(sent)}, ${refused(sent).length} of ${sent.length}`, bound: '0, 0', holds: late(sent) === 0 && refused(sent).length === 0 },
  ]
}

/** Recovered: from there on, each second's acks are as fast as they must be. */
function toFlood(flooded: Sent[], after: Sent[]): Result[] {
  const shed = refused(flooded)
  const taken = flooded.filter(({ status }) => status === 200)
  const p99s = Array.from({ length: 60 }, (_, second) => quantile(after.filter(({ at }) => Math.floor(at / 1_000) === second).map(({ ackMs }) => ackMs), 0.99))
  const recovered = p99s.findLastIndex((p99) => p99 > 300) + 1
  const isShed = shed.every(({ status }) => status === 503)
  const refusal = shed.length === 0 ? 0 : quantile(shed.map(({ ackMs }) => ackMs), 0.99)
  return [
    { measure: `ack at ${flood.rate}/s for ${flood.seconds} s`, nura: `${show(taken)}; ${late(taken)} over 3 s`, bound: '0 over 3 s', holds: late(taken) === 0, numbers: { events: flooded.length, taken: taken.length } },
    {
      measure: 'shed meanwhile',
      nura: `${((100 * shed.length) / flooded.length).toFixed(1)} %${shed.length > 0 ? `, ${show(shed)}` : ''}${isShed ? '' : ', not all by 503'}`,
      bound: 'by 503, within 1 s',
      holds: isShed && refusal <= 1_000,
      numbers: { givenUp: flooded.filter(({ last }) => last !== 200).length },
    },
    { measure: `ack p99 ≤ 300 ms again at ${steadyRate}/s`, nura: recovered >= 60 ? 'not within 60 s' : `after ${recovered} s`, bound: 'recovers', holds: recovered < 60 },
  ]
}

function toAccount({ taken, lost, twice, waitedMs }: Account): Result {
  return { measure: 'questions taken: without a reply, with two', nura: `${taken}: ${lost}, ${twice}; the last ${(waitedMs / 1_000).toFixed(0)} s after the load`, bound: '0, 0', holds: lost === 0 && twice === 0 }
}

function toMemory(before: Record<string, number>, after: Record<string, number>): Result[] {
  return Object.keys(before).map((name) => {
    const ratio = after[name]! / before[name]!
    const toMb = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MB`
    return { measure: `live heap of ${name} after all`, nura: toMb(after[name]!), baseline: `${toMb(before[name]!)} after warming up`, bound: 'within 10 %', holds: ratio <= 1.1, numbers: { ratio } }
  })
}
