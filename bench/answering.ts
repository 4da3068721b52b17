import { setTimeout as sleep } from 'node:timers/promises'
import { EventSourceParserStream } from 'eventsource-parser/stream'
import { createFakeWorkspace } from '#bot/testing/fake-slack-methods.ts'
import { startFakeSlack } from '#bot/testing/fake-slack.ts'
import type { NuraProcess } from '#infra/testing/processes.ts'
import { createRandom } from '#infra/testing/create-random.ts'
import { startDeployment, toServiceToken } from '#infra/testing/start-deployment.ts'
import { startFakeOpenai } from '#server/testing/fake-openai.ts'
import { serviceSecret, toAnsweringEnv, toFakeModelEnv } from './answering-env.ts'
import { generateRepository } from './generate-repository.ts'
import { readableHeap, readLiveHeap } from './live-heap.ts'
import { median, quantile } from './measure.ts'
import { withDatabase } from './open-database.ts'
import { readCpuMs } from './process-usage.ts'
import type { Result } from './report.ts'

/** What the model takes before its first word, so that all else is Nura's own. */
const thinkMs = 200
/** Each question is about one of them, so that there is something to answer. */
const modules = 200
const alone = 60
const users = { closed: 50, rounds: 12 }
const threads = { open: 1_000, meanThinkMs: 60_000, forMs: 60_000 }

/** What Nura adds around a model of fixed delay: one after the other, 50 people who ask without a pause, and 1,000 threads whose people think. */
export async function measureAnswering(): Promise<Result[]> {
  return withDatabase(async ({ url, redisUrl }) => {
    await using repository = await generateRepository(modules)
    const [slack, model] = await Promise.all([startFakeSlack(createFakeWorkspace()), startFakeOpenai()])
    model.thinkMs = thinkMs
    const env = {
      ...readableHeap,
      ...toAnsweringEnv({ url, redisUrl }),
      ...toFakeModelEnv(model.url),
      SLACK_SIGNING_SECRET: 'a-signing-secret-of-slack',
      SLACK_BOT_TOKEN: 'xoxb-fake-token',
      SLACK_API_URL: slack.url,
    }
    const deployment = await startDeployment(env, repository.dir)
    try {
      return await measure(deployment.server, () => void (model.requests.length = 0))
    } finally {
      await deployment.close()
      await Promise.all([model.close(), slack.close()])
    }
  })
}

async function measure(server: NuraProcess, forget: () => void): Promise<Result[]> {
  const random = createRandom(11)
  let asked = 0
  const ask = async () => askOnce(server.url, await toServiceToken(serviceSecret), toQuestion(asked++))
  const loop = (of: number, each: () => Promise<void>) => Promise.all(Array.from({ length: of }, each))
  const collect = async (run: (keep: (answer: Answer) => void) => Promise<unknown>) => {
    const answers: Answer[] = []
    const cpu = await readCpuMs(server.pid)
    const start = performance.now()
    await run((answer) => void answers.push(answer))
    const seconds = (performance.now() - start) / 1000
    const spent = (await readCpuMs(server.pid)) - cpu
    forget()
    return { answers, cpuMs: spent / answers.length, aSecond: answers.length / seconds }
  }

  await collect(async (keep) => { for (let at = 0; at < 20; at++) keep(await ask()) })
  const one = await collect(async (keep) => { for (let at = 0; at < alone; at++) keep(await ask()) })
  const before = await readLiveHeap(server)
  const closed = await collect((keep) => loop(users.closed, async () => { for (let at = 0; at < users.rounds; at++) keep(await ask()) }))
  const open = await collect((keep) => {
    const end = performance.now() + threads.forMs
    return loop(threads.open, async () => {
      for (;;) {
        const think = -Math.log(1 - random()) * threads.meanThinkMs
        if (performance.now() + think > end) return
        await sleep(think)
        keep(await ask())
      }
    })
  })
  const after = await readLiveHeap(server)
  const failed = [one, closed, open].flatMap(({ answers }) => answers).filter(({ isWhole }) => !isWhole).length
  return [
    toResult('first visible event, one question at a time', one.answers.map(({ eventMs }) => eventMs), 'p50', thinkMs + 25),
    toResult(`first word behind a model that takes ${thinkMs} ms for it`, one.answers.map(({ textMs }) => textMs), 'p50', thinkMs + 25),
    toCpu('CPU of the server for an answer, one question at a time', one),
    toCpu(`CPU of the server for an answer, ${users.closed} people without a pause`, closed),
    toResult(`whole answer, ${users.closed} people without a pause`, closed.answers.map(({ endMs }) => endMs), 'p95', 2_000),
    toResult(`whole answer, ${threads.open} threads whose people think for a minute`, open.answers.map(({ endMs }) => endMs), 'p95', 2_000),
    toCpu(`CPU of the server for an answer, ${threads.open} threads`, open),
    { measure: 'answers that were not whole', nura: `${failed} of ${one.answers.length + closed.answers.length + open.answers.length}`, bound: '0', holds: failed === 0 },
    { measure: 'live heap of the server before and after', nura: `${toMb(before)} → ${toMb(after)} MB`, bound: '≤ 1.1 ×', holds: after <= 1.1 * before },
  ]
}

type Answer = { isWhole: boolean; eventMs: number; textMs: number; endMs: number }

async function askOnce(url: string, token: string, question: string): Promise<Answer> {
  const start = performance.now()
  const since = () => performance.now() - start
  const answer = { isWhole: false, eventMs: Number.NaN, textMs: Number.NaN, endMs: Number.NaN }
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'text/event-stream' }
  const response = await fetch(`${url}/v1/ask`, { method: 'POST', headers, body: JSON.stringify({ question }) })
  if (!response.ok || response.body === null) return answer
  for await (const { event } of response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())) {
    if (Number.isNaN(answer.eventMs)) answer.eventMs = since()
    if (event === 'token' && Number.isNaN(answer.textMs)) answer.textMs = since()
    if (event === 'done') answer.isWhole = true
  }
  answer.endMs = since()
  return answer
}

function toQuestion(at: number): string {
  return `where do we ${['verify', 'load', 'merge', 'route'][at % 4]} the ${['account', 'session', 'ledger'][at % 3]} number ${at % modules}?`
}

const toMb = (bytes: number) => (bytes / 2 ** 20).toFixed(1)

function toResult(measure: string, times: number[], held: 'p50' | 'p95', most: number): Result {
  const figures = { p50: median(times), p95: quantile(times, 0.95), p99: quantile(times, 0.99) }
  return { measure, nura: `${figures.p50.toFixed(0)} ms p50, ${figures.p95.toFixed(0)} ms p95`, bound: `${held} ≤ ${most} ms`, holds: figures[held] <= most, numbers: { ...figures, asked: times.length } }
}

function toCpu(measure: string, { cpuMs, aSecond }: { cpuMs: number; aSecond: number }): Result {
  return { measure, nura: `${cpuMs.toFixed(1)} ms at ${aSecond.toFixed(1)} a second`, bound: '≤ 15 ms', holds: cpuMs <= 15, numbers: { cpuMs, aSecond } }
}
