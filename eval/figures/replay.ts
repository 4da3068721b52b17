import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Fetch } from '#bot/ask.ts'
import { openDb } from '#db/index.ts'
import { answerActivity } from '#server/activity/answer-activity.ts'
import { answer } from '#server/answer.ts'
import { createExtractive } from '#server/models/extractive.ts'
import { lexicalEmbedders } from '#server/models/lexical.ts'
import type { Event } from '#server/testing/fake-github/deliveries.ts'
import { toFreshRate } from '#server/testing/fake-github/world.ts'
import { openGithubRig } from '#server/testing/open-github-rig.ts'
import type { GithubRig } from '#server/testing/open-github-rig.ts'
import { signToken } from '#server/testing/open-test-server.ts'
import { seeded } from '../measures.ts'
import { createHistoricGithub } from './github-of-history.ts'
import { toHappenings } from './happenings.ts'
import type { FigureSet } from './question-set.ts'
import type { History } from './read-history.ts'

/** How many events came once, twice, late or not at all. */
export type Fates = { delivered: number; doubled: number; late: number; dropped: number }

export type Replay = {
  rig: GithubRig
  readonly fates: Fates
  /** Lets the history go on until then, and Nura hear of it. Questions are asked at that time from now on. */
  moveTo(at: Date): Promise<void>
  /** Sends requests to the server with the rights of somebody in the tenant. */
  fetchAs(asker: string): Fetch
  close(): Promise<void>
}

/** Deliveries that are on their way together: so far apart may be what comes out of order. */
const together = 40
/** What happens last before a moment, and is lost. */
const unheard = 3

/**
 * A tenant whose GitHub lives through a history again. What happened before the first moment is there when the repositories are
 * connected; what happens later is told by webhooks, of which one in ten is lost, one comes twice, and the others of a few dozen
 * come in any order. Of the last before each moment GitHub tells nothing.
 */
export async function openReplay(dir: string, history: History, set: Pick<FigureSet, 'repositories' | 'teams'>): Promise<Replay> {
  const folder = await mkdtemp(join(tmpdir(), 'nura-eval-'))
  const db = await openDb({ url: null, dataDir: folder, encryptionKey: Buffer.alloc(32, 5), poolSize: 4 })
  const rig = await openGithubRig(db, { activity: true, env: { GITHUB_SWEEP_INTERVAL: '0' } })
  const random = seeded(11)
  const fates: Fates = { delivered: 0, doubled: 0, late: 0, dropped: 0 }
  const happenings = toHappenings(history)
  let now = new Date()
  let next = 0
  let isConnected = false
  const models = { dev: [createExtractive()], pm: [createExtractive()], architect: [createExtractive()] }
  rig.server.parts.answer = (tenant, question, signal, { log }) => answer({ db, embedders: lexicalEmbedders, models, answerActivity, now: () => now, log }, tenant, question, signal)
  rig.fake.deliveries.auto = false
  const github = await createHistoricGithub(rig.fake, rig.installation, dir, set.repositories.map(({ name }) => name))
  for (const [slug, logins] of Object.entries(set.teams)) rig.fake.setTeam('acme', slug, logins)

  /** What happens before the one at that place, as GitHub would tell it. */
  async function* happenUntil(end: number): AsyncGenerator<Event> {
    for (; next < end; next++) yield await github.happen(happenings[next]!)
  }
  async function deliver(events: Event[]): Promise<void> {
    const sent = events.flatMap((event) => {
      const chance = random()
      const fate = chance < 0.1 ? 'dropped' : chance < 0.2 ? 'doubled' : chance < 0.5 ? 'late' : 'delivered'
      fates[fate]++
      if (fate === 'dropped') return []
      // Another place in the order: an event of the middle goes to the end.
      return (fate === 'doubled' ? [0, 1] : [0]).map(() => ({ event, place: fate === 'late' ? 1 + random() : random() }))
    })
    for (const { event } of sent.toSorted((a, b) => a.place - b.place)) await rig.fake.deliver(rig.hookUrl, event)
    await rig.settle()
  }

  return {
    rig,
    fates,
    async moveTo(at) {
      now = at
      // Months go by between two moments, and with them the hours that GitHub limits calls by.
      rig.installation.rate = toFreshRate(rig.fake.world.now())
      const end = next + happenings.slice(next).filter((happening) => happening.at * 1000 <= at.getTime()).length
      if (!isConnected) {
        for await (const _ of happenUntil(end));
        await rig.fake.deliver(rig.hookUrl, rig.fake.event('installation', rig.fake.payloads.installation('created', rig.installation)))
        await rig.settle()
        isConnected = true
        return
      }
      const waiting: Event[] = []
      for await (const event of happenUntil(Math.max(next, end - unheard))) {
        waiting.push(event)
        if (waiting.length === together) await deliver(waiting.splice(0))
      }
      await deliver(waiting)
      // A delivery has everything read that happened before it. What happens after the last one is found by looking alone.
      for await (const _ of happenUntil(end)) fates.dropped++
      await rig.sweep()
      await rig.settle()
    },
    fetchAs: (asker) => async (path, { method, body, accept, signal }) => {
      const authorization = `Bearer ${await signToken(rig.tenant, { sub: asker })}`
      const headers = { authorization, 'content-type': 'application/json', ...(accept ? { accept } : {}) }
      return fetch(`${rig.server.url}${path}`, { method, headers, signal, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    },
    async close() {
      await rig.close()
      await db.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
