import type { Logger } from 'pino'
import { noteMoment } from '#server/tracing/span.ts'
import { wait } from '../ask.ts'
import type { SlackCall } from './call.ts'
import { refusalOf } from './call.ts'

/** Slack takes a status away after two minutes. */
const refreshMs = 90_000
const stillMs = 20_000
const clearMs = 2_000
/** How long a way that a workspace refused is not tried there again: apps change, and are approved anew. */
const refusedMs = 60 * 60_000

/** The ways to show that work goes on, best first: a session with a stop button, a text below the thread, eyes on the question. */
const ways = ['session', 'text', 'eyes'] as const
type Way = (typeof ways)[number]

/** Ways that a workspace refused as a whole, and until when they are not tried there. One for each workspace. */
export type RefusedStatus = Map<Way, number>

/** Refusals that speak of one place; every other one speaks of the app in its workspace. */
const ofPlace = new Set(['channel_not_found', 'channel_not_supported', 'channel_type_not_supported', 'invalid_thread_ts', 'is_archived', 'message_not_found', 'no_reaction', 'not_in_channel', 'thread_not_found'])

/** The phase shown under a thread while an answer is being made. Best effort: it never throws and nobody waits for it. */
export type Status = {
  show(text: string): void
  /** `to`: whether people may go on in this session, or it is over. `always`: also when nothing was shown here. */
  clear(options: { always: boolean; to: 'active' | 'closed' }): Promise<void>
}

export type StatusParts = { call: SlackCall; refused: RefusedStatus; channel: string; root: string; questionId: string; log: Logger }

/**
 * Shows work in the best way that the workspace and the place take. A session knows no text of a phase, only that it is
 * processing; the text says after 20 s without a new phase that work goes on. Cleared on every way out.
 */
export function createStatus(parts: StatusParts): Status {
  const { call, channel, root } = parts
  const left = ways.filter((way) => (parts.refused.get(way) ?? 0) <= Date.now())
  let text = ''
  let end: 'active' | 'closed' = 'active'
  let closed = false
  let chain: Promise<unknown> = Promise.resolve()
  let refresh: NodeJS.Timeout | undefined
  let still: NodeJS.Timeout | undefined
  let isProcessing = false
  /** Slack did not say whether the session took its last status. */
  let isUnsure = false
  let hasEyes = false

  const once = { patience: 0 }
  const tell: Record<Way, (status: string, again: boolean) => Promise<unknown>> = {
    async session(status, again) {
      if (status !== '' && isProcessing && !again) return
      await call('agents.sessions.setStatus', { channel_id: channel, thread_ts: root, status: status === '' ? end : 'processing' }, once)
      isProcessing = status !== ''
    },
    text: (status) => call('assistant.threads.setStatus', { channel_id: channel, thread_ts: root, status, ...(status ? { loading_messages: [status] } : {}) }, once),
    async eyes(status) {
      if ((status !== '') === hasEyes) return
      await call(status === '' ? 'reactions.remove' : 'reactions.add', { channel, timestamp: parts.questionId, name: 'eyes' }, once)
      hasEyes = status !== ''
    },
  }

  const send = (status: string, again = false) => {
    chain = chain.then(async () => {
      for (let way = left[0], told = false; way !== undefined && !told && !(closed && status !== ''); way = left[0]) told = await attempt(way, status, again)
      // A session leaves `processing` only when it is told to.
      if (status === '' && isUnsure) await attempt('session', status, again)
    })
  }

  async function attempt(way: Way, status: string, again: boolean): Promise<boolean> {
    try {
      await tell[way](status, again)
      if (status !== '' && !again) noteMoment('status shown')
      return true
    } catch (error) {
      const refusal = refusalOf(error)
      parts.log.debug({ way, refusal }, 'status not shown this way')
      if (left[0] === way) left.shift()
      if (way === 'session' && refusal === null) isUnsure = true
      if (refusal !== null && way !== 'eyes' && !ofPlace.has(refusal)) parts.refused.set(way, Date.now() + refusedMs)
      return false
    }
  }

  return {
    show(next) {
      if (closed || next === text) return
      text = next
      send(text)
      clearInterval(refresh)
      clearTimeout(still)
      refresh = setInterval(() => send(text, true), refreshMs)
      still = setTimeout(() => send((text = 'Still working…')), stillMs)
    },
    async clear({ always, to }) {
      if (closed) return
      closed = true
      end = to
      clearInterval(refresh)
      clearTimeout(still)
      if (text !== '' || always) send('')
      // Slack may hang; the turn has better things to do than to wait for it.
      await Promise.race([chain, wait(clearMs)])
    },
  }
}
