import { setTimeout as sleep } from 'node:timers/promises'
import { createRandom } from '../testing/create-random.ts'
import { until } from '../testing/until.ts'
import { injections } from './injections.ts'
import type { Injection } from './injections.ts'
import { settleLedger } from './ledger.ts'
import type { Account, Asked } from './ledger.ts'
import type { Rig } from './open-rig.ts'
import { startSlackLoad } from './slack-load.ts'
import type { Load } from './slack-load.ts'

export type FaultsOptions = {
  seed: number
  /** Whether each fault lasts long once. */
  long: boolean
  /** Injections, or minutes, whichever comes last. */
  count: number
  minutes?: number
  /** Mentions a second. */
  aSecond: number
  /** Longest time to answer again before the next injection, seconds. */
  patience: number
  /** Names of injections to draw from; all of them when absent. */
  only?: readonly string[]
  say(line: string): void
}

/** How one injection was come back from, milliseconds; null when nothing was asked after it that was answered. */
export type Recovery = {
  name: string
  /** From its end until the first event that was sent after it is answered. */
  newMs: number | null
  /** Until every event that was acknowledged before its end is answered; from its beginning where one of two had it. */
  oldMs: number | null
}

export type FaultsResult = { account: Account; recoveries: Recovery[]; acksMs: number[]; broken: string[] }

/** Longest time after the last injection for every row to get its outcome. */
const settleMs = 4 * 60_000

/** Asks steadily, brings one fault after the other over what answers, undoes them all, and settles the ledger. */
export async function runFaults(rig: Rig, options: FaultsOptions): Promise<FaultsResult> {
  const random = createRandom(options.seed)
  const load = startSlackLoad(rig, { random: createRandom(options.seed + 1), aSecond: options.aSecond })
  await until('a first answer', () => load.asked.some(({ answeredAt }) => answeredAt !== null), { withinMs: settleMs })
  options.say('Answering.')
  const happened: { injection: Injection; beganAt: number; endedAt: number }[] = []
  const lasts = Date.now() + (options.minutes ?? 0) * 60_000
  for (const injection of draw(random, options)) {
    if (happened.length >= options.count && Date.now() >= lasts) break
    const beganAt = Date.now()
    const undo = await injection.begin(rig, random)
    const isFirst = !happened.some((before) => before.injection === injection)
    await sleep(injection.seconds[options.long && isFirst ? 1 : 0] * 1_000)
    await undo()
    happened.push({ injection, beganAt, endedAt: Date.now() })
    options.say(`${happened.length}: ${injection.name}, ${((Date.now() - beganAt) / 1_000).toFixed(1)} s; ${load.asked.length} asked, ${load.asked.filter(({ answeredAt }) => answeredAt !== null).length} answered`)
    await untilAnswering(load, options.patience)
  }
  await load.stop()
  await untilSettled(rig)
  load.close()
  const account = settleLedger(load.asked, await rig.rows(), rig.replies)
  // Who was told why there is no answer waits for none.
  const owed = load.asked.filter(({ mark }) => !account.told.includes(mark))
  return {
    account,
    recoveries: happened.map(({ injection, beganAt, endedAt }) => toRecovery(injection, beganAt, endedAt, owed)),
    acksMs: load.asked.flatMap(({ ackMs }) => ackMs ?? []),
    broken: await explain(rig, load.asked, account),
  }
}

/** Until something that was asked from now on is answered: what comes back is seen apart from what happens next. */
async function untilAnswering(load: Load, seconds: number): Promise<void> {
  const from = Date.now()
  await until('a new event to be answered', () => load.asked.some(({ sentAt, answeredAt }) => sentAt > from && answeredAt !== null), { withinMs: seconds * 1_000 }).catch(() => undefined)
}

/** Every injection once in an order that the seed draws, then again in another. */
function* draw(random: () => number, { only }: FaultsOptions): Generator<Injection> {
  const drawn = injections.filter(({ name }) => !only || only.includes(name))
  for (;;) yield* drawn.map((injection) => ({ injection, at: random() })).sort((a, b) => a.at - b.at).map(({ injection }) => injection)
}

/** Until no row is open and Slack has heard nothing for a while: a second reply that must not come had its time. */
async function untilSettled(rig: Rig): Promise<void> {
  let quiet = 0
  let before = -1
  await until('every row to have its outcome', async () => {
    const open = (await rig.rows().catch(() => null))?.some(({ state }) => state === 'accepted' || state === 'running') ?? true
    quiet = !open && rig.slack.calls.length === before ? quiet + 1 : 0
    before = rig.slack.calls.length
    return quiet >= 3
  }, { withinMs: settleMs, everyMs: 500 }).catch(() => undefined)
}

function toRecovery({ name, oneOfTwo }: Injection, beganAt: number, endedAt: number, asked: readonly Asked[]): Recovery {
  const since = oneOfTwo ? beganAt : endedAt
  const fresh = asked.filter(({ sentAt, answeredAt }) => sentAt > endedAt && answeredAt !== null).map(({ answeredAt }) => answeredAt! - endedAt)
  const old = asked.filter(({ ackedAt, answeredAt }) => ackedAt !== null && ackedAt <= since && (answeredAt === null || answeredAt > since))
  return {
    name,
    newMs: fresh.length > 0 ? Math.min(...fresh) : null,
    oldMs: old.some(({ answeredAt }) => answeredAt === null) ? null : Math.max(0, ...old.map(({ answeredAt }) => answeredAt! - since)),
  }
}

/** What is known of each event that the ledger complains of. */
async function explain(rig: Rig, asked: readonly Asked[], account: Account): Promise<string[]> {
  const marks = [...new Set([...account.lost, ...account.told, ...account.double, ...account.foreign, ...account.withoutOutcome])]
  const rows = new Map((await rig.rows()).map((row) => [row.ts, row]))
  const written = [rig.server, rig.jobs, ...rig.bots].flatMap((part) => part.output().split('\n').map((line) => `${part.name}: ${line}`))
  return marks.map((mark) => {
    const { ts, sentAt, ackedAt } = asked.find((one) => one.mark === mark)!
    const row = rows.get(ts)
    const replies = rig.replies(ts)
    const ours = new Set(replies.map((reply) => reply.ts))
    const calls = rig.slack.calls.filter(({ args }) => args.thread_ts === ts || ours.has(String(args.ts)))
    return [
      `${mark} (${ts}) sent ${new Date(sentAt).toISOString()}, acknowledged ${ackedAt === null ? 'never' : `after ${ackedAt - sentAt} ms`}; row ${JSON.stringify(row)}`,
      ...replies.map((reply) => `  shows ${reply.ts}${reply.streaming ? ' (streaming)' : ''}: ${JSON.stringify(reply.text.slice(0, 300))}`),
      ...calls.filter(({ method }) => !method.endsWith('setStatus')).map(({ method, args, at }) => `  ${new Date(at).toISOString()} ${method} ${JSON.stringify(args.ts ?? '')} ${JSON.stringify(args.markdown_text ?? args.text ?? '').slice(0, 100)}`),
      ...written.filter((line) => row && line.includes(row.id)).map((line) => `  ${line}`),
    ].join('\n')
  })
}
