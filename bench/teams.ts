import { openTestTeams } from '#bot/testing/open-test-teams.ts'
import { messageActivity, teamsIds } from '#bot/testing/teams-activity.ts'
import { quantile } from './measure.ts'
import { withDatabase } from './open-database.ts'
import type { Result } from './report.ts'

const chats = 200
/** Milliseconds from the activity to the first update that its author sees, and to 202. */
const mostMs = 1_000

/**
 * What somebody waits for in a personal chat until they see that they were heard, one after the other and fifty at once: from the
 * request of Teams to the first update at its connector, through the inbox on PostgreSQL. Identity provider, connector and server
 * are fakes in this process.
 */
export async function measureTeams(): Promise<Result[]> {
  return withDatabase(async ({ db }) => {
    const nura = await openTestTeams(db)
    let count = 0
    async function chat(): Promise<{ accepted: number; seen: number }> {
      const id = `a:chat-${++count}`
      nura.directory.members.set(id, [{ id: '29:a', aadObjectId: teamsIds.alice, tenantId: teamsIds.directory, userRole: 'user' }])
      const activity = messageActivity({ where: 'personal', text: 'what shipped last week?' })
      activity.conversation = { ...(activity.conversation as object), id }
      const start = Date.now()
      const response = await nura.send(activity)
      if (response.status !== 202) throw new Error(`Teams got ${response.status}.`)
      const accepted = Date.now() - start
      await nura.idle()
      const first = nura.connector.calls.find(({ method, path }) => method === 'POST' && path.includes(encodeURIComponent(id)))
      if (!first) throw new Error('Nothing was shown.')
      return { accepted, seen: first.at - start }
    }
    try {
      await chat()
      const alone = []
      for (let at = 0; at < chats / 4; at++) alone.push(await chat())
      const together = []
      for (let at = 0; at < chats; at += 50) together.push(...(await Promise.all(Array.from({ length: 50 }, chat))))
      return Object.entries({ 'one after the other': alone, 'fifty at once': together }).flatMap(([name, times]) => [
        toResult(`first update, ${name}`, times.map(({ seen }) => seen)),
        toResult(`202, ${name}`, times.map(({ accepted }) => accepted)),
      ])
    } finally {
      await nura.close()
    }
  })
}

function toResult(measure: string, times: number[]): Result {
  const p95 = quantile(times, 0.95)
  return { measure, nura: `${quantile(times, 0.5).toFixed(0)} ms p50, ${p95.toFixed(0)} ms p95`, bound: `p95 ≤ ${mostMs} ms`, holds: p95 <= mostMs, numbers: { worst: Math.max(...times) } }
}
