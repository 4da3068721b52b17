import { startFakeSlack } from '#bot/testing/fake-slack.ts'
import { sendEvents } from './send-events.ts'
import type { Plan, Sent } from './send-events.ts'
import { toWorkspaces } from './workspaces.ts'

/**
 * Slack as a process of its own, driven over IPC: it serves the Web API to so many workspaces and sends their events, so that
 * neither waits for whoever measures. `send` is answered with what came of each event, `replies`
 * with how many whole replies each asked message has by now.
 */
export type Order = { kind: 'send'; id: number; plan: Plan } | { kind: 'replies' }
export type Report = { kind: 'open'; url: string } | { kind: 'sent'; id: number; sent: Sent[] } | { kind: 'replies'; replies: [key: string, count: number][] }

const [first, ...beside] = toWorkspaces(Number(process.argv[2] ?? 20))
const workspaces = [first!, ...beside]
const slack = await startFakeSlack(first!, beside)
// Every byte that comes in is kept for tests; a run of minutes would keep them all.
const dropping = setInterval(() => slack.calls.splice(0), 5_000)
const tell = (report: Report) => void process.send?.(report)

process.on('message', (order: Order) => {
  if (order.kind === 'send') void sendEvents(workspaces, order.plan).then((sent) => tell({ kind: 'sent', id: order.id, sent }))
  else tell({ kind: 'replies', replies: countReplies() })
})
process.once('disconnect', () => {
  clearInterval(dropping)
  void slack.close()
})
tell({ kind: 'open', url: slack.url })

/** Whole replies of Nura's, by team and thread. */
function countReplies(): [key: string, count: number][] {
  const counts = new Map<string, number>()
  for (const { teamId, botUserId, messages } of workspaces) {
    for (const { user, thread_ts, streaming, blocks, text } of messages) {
      if (user !== botUserId || !thread_ts || streaming || (blocks.length === 0 && text === '')) continue
      const key = `${teamId}:${thread_ts}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
  }
  return [...counts]
}
