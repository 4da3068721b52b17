import type { Logger } from 'pino'
import { wait } from '../ask.ts'
import type { SlackCall } from './call.ts'
import { refusalOf } from './call.ts'

/** Slack takes a status away after two minutes. */
const refreshMs = 90_000
const stillMs = 20_000
const clearMs = 2_000

/** The phase shown under a thread while an answer is being made. Best effort: it never throws and nobody waits for it. */
export type Status = { show(text: string): void; clear(): Promise<void> }

/**
 * Shows phases as the thread's status, or, where Slack does not know that here, eyes on the question. After 20 s without
 * a new phase it says so; cleared on every way out.
 */
export function createStatus(parts: { call: SlackCall; channel: string; root: string; questionId: string; log: Logger }): Status {
  const { call, channel, root } = parts
  let means: 'status' | 'eyes' | 'none' = 'status'
  let text = ''
  let closed = false
  let chain: Promise<unknown> = Promise.resolve()
  let refresh: NodeJS.Timeout | undefined
  let still: NodeJS.Timeout | undefined

  const send = (status: string) => {
    chain = chain.then(async () => {
      if (means === 'none' || (closed && status !== '')) return
      try {
        if (means === 'status') await setStatus(status)
        else if (status === '') await call('reactions.remove', { channel, timestamp: parts.questionId, name: 'eyes' }, { patience: 0 })
      } catch (error) {
        const gaveUp = means === 'eyes'
        means = gaveUp ? 'none' : 'eyes'
        if (gaveUp) return
        parts.log.debug({ refusal: refusalOf(error) }, 'no status here')
        if (status !== '') await call('reactions.add', { channel, timestamp: parts.questionId, name: 'eyes' }, { patience: 0 }).catch(() => (means = 'none'))
      }
    })
  }
  const setStatus = (status: string) =>
    call('assistant.threads.setStatus', { channel_id: channel, thread_ts: root, status, ...(status ? { loading_messages: [status] } : {}) }, { patience: 0 })

  return {
    show(next) {
      if (closed || next === text) return
      text = next
      send(text)
      clearInterval(refresh)
      clearTimeout(still)
      refresh = setInterval(() => send(text), refreshMs)
      still = setTimeout(() => send((text = 'Still working…')), stillMs)
    },
    async clear() {
      if (closed) return
      closed = true
      clearInterval(refresh)
      clearTimeout(still)
      if (text !== '') send('')
      // Slack may hang; the turn has better things to do than to wait for it.
      await Promise.race([chain, wait(clearMs)])
    },
  }
}
