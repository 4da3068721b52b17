import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { say, slackEvent, toRequest } from '#bot/testing/slack-event.ts'
import { readTestServer } from '#db/testing/config.ts'
import { findServerPrograms } from '../testing/server-programs.ts'
import { until } from '../testing/until.ts'
import { isWhole, toMark } from './ledger.ts'
import { openRig, signingSecret } from './open-rig.ts'
import type { Part, Rig } from './open-rig.ts'
import { runFaults } from './run-faults.ts'

/** Whole processes are killed and started again here, on machines that do other things too. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

const programs = readTestServer() === null ? null : await findServerPrograms()

describe.skipIf(!programs || !('found' in programs))('a deployment that things happen to', () => {
  let rig: Rig
  beforeAll(async () => {
    if (programs && 'found' in programs) rig = await openRig(programs.found)
  })
  afterAll(() => rig?.close())

  let asked = 0
  /** Mentions Nura and resolves when one of the bots has said 200. */
  async function ask(to: Part): Promise<{ ts: string; mark: string }> {
    const mark = toMark(500_000 + asked++)
    const mention = say(rig.slack.workspace, { text: `<@${rig.slack.workspace.botUserId}> how is the signature of webhook ${mark} verified, over the raw body and in constant time?` })
    const { status } = await fetch(`${to.url}/slack/events`, toRequest(signingSecret, slackEvent(rig.slack.workspace, mention, 'app_mention')))
    expect(status).toBe(200)
    return { ts: mention.ts, mark }
  }
  const answered = ({ ts, mark }: { ts: string; mark: string }) => until(`the answer ${mark}`, () => rig.replies(ts).some((reply) => isWhole(reply, mark)), { withinMs: 120_000 })
  const outcomeOf = (ts: string) => until('an outcome', async () => (await rig.rows()).find((row) => row.ts === ts)?.outcome ?? undefined)

  test('F2: a bot that is told to end says so first, ends what it has begun, and exits with 0; none of its jobs stalls', async () => {
    const [bot, other] = rig.bots
    const all = await Promise.all(Array.from({ length: 6 }, () => ask(bot)))
    await until('an answer on its way', () => all.some(({ ts }) => rig.replies(ts).length > 0))
    const saidBefore = other.output().length
    const seen: string[] = []
    const ended = bot.running.end('SIGTERM').then((how) => (seen.push('ended'), how))
    while (!seen.includes('ended')) {
      const ready = await fetch(`${bot.url}/readyz`).then((response) => String(response.status), () => null)
      if (ready && seen.at(-1) !== ready) seen.push(ready)
      await sleep(20)
    }
    expect(await ended).toBe(0)
    // It was alive and took no more, before it was gone; a 200 may have been on its way.
    expect(seen.filter((each) => each !== '200')).toEqual(['503', 'ended'])
    await Promise.all(all.map(answered))
    expect(other.output().slice(saidBefore)).not.toContain('stalled')
    for (const { ts } of all) expect(rig.replies(ts)).toHaveLength(1)
    await bot.start()
  })

  test('F3: what a bot that was frozen in the middle of an answer writes late is refused: another bot’s answer stands, once', async () => {
    const [frozen, other] = rig.bots
    await other.running.end('SIGTERM')
    const posted = new Promise<void>((resolve) => {
      rig.slack.before('chat.startStream', () => {
        rig.slack.before('chat.startStream', () => undefined)
        frozen.running.pause()
        resolve()
      })
    })
    const question = await ask(frozen)
    await posted
    await other.start()
    await answered(question)
    expect(await outcomeOf(question.ts)).toBe('answered')
    const shown = rig.replies(question.ts)
    const calls = rig.slack.calls.length
    const saidBefore = frozen.output().length
    frozen.running.resume()
    await expect.poll(() => frozen.output().slice(saidBefore)).toContain('another run has taken this turn over')
    await answered(await ask(frozen))
    expect(rig.replies(question.ts)).toEqual(shown)
    expect(shown).toHaveLength(1)
    const late = rig.slack.calls.slice(calls).filter(({ method, args }) => method.startsWith('chat.') && (args.thread_ts === question.ts || args.ts === shown[0]!.ts))
    expect(late.map(({ method }) => method)).toEqual([])
  })

  test('F1 F6 F8 F11: while things are killed and wiped, every event that was acknowledged gets one whole answer and an outcome', async () => {
    const only = ['kill -9 a bot', 'kill -9 the server', 'kill -9 Redis', 'FLUSHALL', 'kill -9 PostgreSQL']
    const { account, broken } = await runFaults(rig, { seed: 20, long: false, count: only.length, only, aSecond: 2, patience: 30, say: () => undefined })
    expect(broken).toEqual([])
    expect(account).toMatchObject({ lost: [], double: [], foreign: [], withoutOutcome: [] })
    expect(account.acknowledged).toBeGreaterThan(20)
  })
})
