import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import { editEvent, say, slackEvent, toRequest } from '#bot/testing/slack-event.ts'
import type { FakeMessage, Workspace } from '#bot/testing/fake-slack-methods.ts'
import { createRandom } from '#infra/testing/create-random.ts'

export type Plan = {
  /** Root of the bot. */
  url: string
  signingSecret: string
  /** Events a second, of all teams together, evenly spaced: they come whether or not the last ones were answered. */
  rate: number
  seconds: number
  seed: number
  /** `mixed`: what Slack sends an app in channels where people mostly talk to each other. `mentions`: nothing but questions. */
  mix: 'mixed' | 'mentions'
  /** Only these teams, by position; all of them otherwise. */
  teams?: number[]
  /** Milliseconds after a refusal at which Slack sends the event again. */
  retryMs: number[]
}

/** What came of one event. `ackMs` counts from the moment it was due, so that a sender that is late hides nothing. */
export type Sent = { at: number; team: number; kind: Kind; /** `team:ts` of a question. */ asked: string | null; ackMs: number; status: number; /** Status of the last try. */ last: number; tries: number }

type Kind = 'app_mention' | 'mention' | 'message' | 'reply' | 'edit'

/** Out of twenty: a mention comes as two events, as Slack sends it to an app that reads the channel. */
const shares: [Kind, number][] = [['app_mention', 2], ['mention', 2], ['message', 10], ['reply', 4], ['edit', 2]]
const deck = shares.flatMap(([kind, share]) => Array.from({ length: share }, () => kind))
const verbs = ['verify', 'load', 'merge', 'route']

/** Sends events at a constant rate for as long as the plan says, and resolves when the last one has its last answer. */
export async function sendEvents(workspaces: Workspace[], plan: Plan): Promise<Sent[]> {
  const random = createRandom(plan.seed)
  const teams = plan.teams ?? workspaces.map((_, at) => at)
  const pool = new Pool(new URL(plan.url).origin, { connections: 256, pipelining: 1, headersTimeout: 30_000 })
  const twins: { team: number; message: FakeMessage }[] = []
  const lastSaid = new Map<number, FakeMessage>()
  const under = new Set<Promise<Sent>>()
  const sent: Sent[] = []
  const total = plan.rate * plan.seconds
  const start = performance.now()
  for (let made = 0; made < total; ) {
    const due = start + (made * 1000) / plan.rate
    const early = due - performance.now()
    if (early > 1) await sleep(early)
    const send: Promise<Sent> = deliver(next(), due).then((one) => {
      under.delete(send)
      sent.push(one)
      return one
    })
    under.add(send)
    made++
  }
  await Promise.all(under)
  await pool.close()
  return sent

  function next(): { team: number; kind: Kind; asked: string | null; event: Record<string, unknown> } {
    const drawn = plan.mix === 'mentions' ? 'app_mention' : deck[Math.floor(random() * deck.length)]!
    const team = teams[Math.floor(random() * teams.length)]!
    const workspace = workspaces[team]!
    const twin = drawn === 'mention' ? twins.shift() : undefined
    if (twin) return { team: twin.team, kind: 'mention', asked: null, event: slackEvent(workspaces[twin.team]!, twin.message, 'message') }
    if (drawn === 'app_mention') {
      const verb = verbs[Math.floor(random() * verbs.length)]!
      const message = say(workspace, { text: `<@${workspace.botUserId}> where do we ${verb} the account and its session?` })
      if (plan.mix === 'mixed') twins.push({ team, message })
      return { team, kind: 'app_mention', asked: `${workspace.teamId}:${message.ts}`, event: slackEvent(workspace, message, 'app_mention') }
    }
    const before = lastSaid.get(team)
    if (drawn === 'edit' && before) return { team, kind: 'edit', asked: null, event: editEvent(workspace, before, `${before.text}!`) }
    const thread = drawn === 'reply' ? before?.ts : undefined
    const message = say(workspace, { text: 'has anybody seen the numbers of last week?', user: 'U0BOB', ...(thread ? { thread } : {}) })
    if (!thread) lastSaid.set(team, message)
    return { team, kind: thread ? 'reply' : 'message', asked: null, event: slackEvent(workspace, message) }
  }

  async function deliver({ team, kind, asked, event }: ReturnType<typeof next>, due: number): Promise<Sent> {
    const first = await post(event, 0)
    const one: Sent = { at: due - start, team, kind, asked, ackMs: performance.now() - due, status: first, last: first, tries: 1 }
    for (const wait of plan.retryMs) {
      if (one.last === 200) break
      await sleep(wait)
      one.last = await post(event, one.tries++)
    }
    return one
  }

  async function post(event: Record<string, unknown>, retry: number): Promise<number> {
    const { body, headers } = toRequest(plan.signingSecret, event, retry > 0 ? { 'x-slack-retry-num': String(retry), 'x-slack-retry-reason': 'http_error' } : {})
    try {
      const response = await pool.request({ method: 'POST', path: '/slack/events', body, headers })
      await response.body.dump()
      return response.statusCode
    } catch {
      // Refused or cut off: to Slack that is one more failure.
      return 0
    }
  }
}
