import { setTimeout as sleep } from 'node:timers/promises'
import { say, slackEvent, toRequest } from '#bot/testing/slack-event.ts'
import { isWhole, toMark } from './ledger.ts'
import type { Asked } from './ledger.ts'
import { signingSecret } from './open-rig.ts'
import type { Rig } from './open-rig.ts'

/** Slack waits 3 s for a 200, and sends again at once, after a minute and after five: those two are shortened here. */
const slack = { patienceMs: 3_000, againAfterMs: [0, 5_000, 15_000] }
/** Of so many events one comes twice at the same time. */
const doubledOf = 10
const channels = 8

export type Load = {
  readonly asked: readonly Asked[]
  /** Asks no more, and resolves when each event was acknowledged or given up. */
  stop(): Promise<void>
  /** Looks for answers no more. */
  close(): void
}

/** Mentions Nura so many times a second, as Slack does: each event goes to either bot, and again when that bot does not say 200 in time. */
export function startSlackLoad(rig: Rig, { random, aSecond }: { random: () => number; aSecond: number }): Load {
  const { workspace } = rig.slack
  const ids = Array.from({ length: channels }, (_, at) => `C0LOAD${at}`)
  for (const id of ids) workspace.channels.set(id, { id, name: id.toLowerCase(), is_member: true })
  const asked: Asked[] = []
  const deliveries = new Set<Promise<void>>()
  const open = new Map<string, Asked>()
  /** Calls of Slack's that were looked at. */
  let seen = 0
  const asking = setInterval(ask, 1_000 / aSecond)
  const watching = setInterval(watch, 100)

  function ask(): void {
    const mark = toMark(asked.length)
    const mention = say(workspace, { channel: ids[asked.length % channels]!, text: `<@${workspace.botUserId}> how is the signature of webhook ${mark} verified, over the raw body and in constant time?` })
    const one: Asked = { mark, ts: mention.ts, sentAt: Date.now(), ackedAt: null, ackMs: null, answeredAt: null }
    asked.push(one)
    open.set(one.ts, one)
    const event = slackEvent(workspace, mention, 'app_mention')
    for (let copies = random() < 1 / doubledOf ? 2 : 1; copies > 0; copies--) {
      const delivery: Promise<void> = deliver(one, event).finally(() => deliveries.delete(delivery))
      deliveries.add(delivery)
    }
  }

  async function deliver(one: Asked, event: Record<string, unknown>): Promise<void> {
    const first = random() < 0.5 ? 0 : 1
    for (const [tries, waitMs] of [0, ...slack.againAfterMs].entries()) {
      await sleep(waitMs)
      const headers: Record<string, string> = tries === 0 ? {} : { 'x-slack-retry-num': String(tries), 'x-slack-retry-reason': 'http_timeout' }
      const start = Date.now()
      const said200 = await fetch(`${rig.bots[((first + tries) % 2) as 0 | 1].url}/slack/events`, { ...toRequest(signingSecret, event, headers), signal: AbortSignal.timeout(slack.patienceMs) }).then(
        async (response) => (await response.arrayBuffer(), response.status === 200),
        () => false,
      )
      if (!said200) continue
      one.ackedAt ??= Date.now()
      one.ackMs ??= Date.now() - start
      return
    }
  }

  /** Looks at the threads alone in which something was shown since the last time. */
  function watch(): void {
    const shown = rig.slack.calls.slice(seen).filter(({ method }) => method.startsWith('chat.'))
    seen = rig.slack.calls.length
    const threads = new Set(shown.map(({ args }) => args.thread_ts ?? workspace.messages.findLast(({ ts }) => ts === args.ts)?.thread_ts))
    for (const thread of threads) {
      const one = typeof thread === 'string' ? open.get(thread) : undefined
      if (!one || !rig.replies(one.ts).some((reply) => isWhole(reply, one.mark))) continue
      one.answeredAt = Date.now()
      open.delete(one.ts)
    }
  }

  return {
    asked,
    async stop() {
      clearInterval(asking)
      await Promise.all(deliveries)
    },
    close() {
      watch()
      clearInterval(watching)
    },
  }
}
