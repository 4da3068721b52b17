import { createFakeWorkspace } from '#bot/testing/fake-slack-methods.ts'
import { startFakeSlack } from '#bot/testing/fake-slack.ts'
import type { FakeSlack } from '#bot/testing/fake-slack.ts'
import { say, slackEvent, toRequest } from '#bot/testing/slack-event.ts'
import { startProcess } from '#infra/testing/processes.ts'
import { startDeployment } from '#infra/testing/start-deployment.ts'
import { until } from '#infra/testing/until.ts'
import { toAnsweringEnv } from './answering-env.ts'
import { generateRepository } from './generate-repository.ts'
import { quantile } from './measure.ts'
import { withDatabase } from './open-database.ts'
import type { Result } from './report.ts'

const threads = 50
const waves = 6
const signingSecret = 'a-signing-secret-of-slack'

/** The three processes against a fake Slack: waves of mentions in 50 threads at once, each wave while the last is answered. */
export async function measureDeployment(): Promise<Result[]> {
  return withDatabase(async ({ url, redisUrl }) => {
    await using repository = await generateRepository(200)
    const slack = await startFakeSlack(createFakeWorkspace())
    const env = {
      ...toAnsweringEnv({ url, redisUrl }),
      SLACK_SIGNING_SECRET: signingSecret,
      SLACK_BOT_TOKEN: 'xoxb-fake-token',
      SLACK_API_URL: slack.url,
    }
    const deployment = await startDeployment(env, repository.dir)
    const bot = await startProcess('bot/main.ts', deployment.botEnv)
    try {
      await wave(slack, bot.url, 5)
      await until('the warm-up to be answered', () => answered(slack) === 5)
      const alone = await wave(slack, bot.url, 1)
      await until('one more answer', () => answered(slack) === 6)
      const sent: Sent[] = []
      const before = answered(slack)
      for (let count = 0; count < waves; count++) {
        sent.push(...(await wave(slack, bot.url, threads)))
        // The next wave comes while half of this one is being answered.
        await until('half of a wave', () => answered(slack) >= before + count * threads + threads / 2)
      }
      await until('every answer', () => answered(slack) === before + waves * threads)
      return toResults(slack, alone, sent)
    } finally {
      await bot.end('SIGTERM')
      await deployment.close()
      await slack.close()
    }
  })
}

type Sent = { ts: string; at: number; ackMs: number }

/** Sends so many mentions at once, each in a thread of its own. */
function wave(slack: FakeSlack, url: string, size: number): Promise<Sent[]> {
  const requests = Array.from({ length: size }, (_, at) => {
    const mention = say(slack.workspace, { text: `<@${slack.workspace.botUserId}> where do we ${['verify', 'load', 'merge', 'route'][at % 4]} the account and its session?` })
    return { ts: mention.ts, request: toRequest(signingSecret, slackEvent(slack.workspace, mention, 'app_mention')) }
  })
  return Promise.all(
    requests.map(async ({ ts, request }) => {
      const [at, start] = [Date.now(), performance.now()]
      const response = await fetch(`${url}/slack/events`, request)
      await response.arrayBuffer()
      if (response.status !== 200) throw new Error(`An event got ${response.status}.`)
      return { ts, at, ackMs: performance.now() - start }
    }),
  )
}

/** Threads whose reply is whole. */
function answered(slack: FakeSlack): number {
  const { messages, botUserId } = slack.workspace
  return new Set(messages.filter(({ user, thread_ts, streaming, blocks }) => user === botUserId && thread_ts && !streaming && blocks.length > 0).map(({ thread_ts }) => thread_ts)).size
}

function toResults(slack: FakeSlack, alone: Sent[], sent: Sent[]): Result[] {
  const firsts = new Map<string, number>()
  for (const { args, at } of slack.calls) {
    const thread = typeof args.thread_ts === 'string' ? args.thread_ts : ''
    if (thread && !firsts.has(thread)) firsts.set(thread, at)
  }
  const visible = (some: Sent[]) => some.map(({ ts, at }) => firsts.get(ts)! - at)
  const line = (measure: string, some: number[], one: number, most: number): Result => ({
    measure,
    nura: `${quantile(some, 0.5).toFixed(0)} ms p50, ${quantile(some, 0.99).toFixed(0)} ms p99`,
    baseline: `${one.toFixed(0)} ms with nothing else to do`,
    bound: `p99 ≤ ${most} ms`,
    holds: quantile(some, 0.99) <= most,
    numbers: { events: some.length, worst: Math.max(...some) },
  })
  return [
    line(`ack of a signed event, ${threads} threads in flight`, sent.map(({ ackMs }) => ackMs), alone[0]!.ackMs, 300),
    line(`first visible status, ${threads} threads in flight`, visible(sent), visible(alone)[0]!, 1_000),
  ]
}
