import type { Logger } from 'pino'
import { noteMoment } from '#server/tracing/span.ts'
import { wait } from '../ask.ts'
import type { Activity } from './activity.ts'
import { isFinal, isUnknown, refusalOf } from './connector.ts'
import type { Connector } from './connector.ts'
import { streamEntity } from './entities.ts'
import type { StreamInfo } from './entities.ts'

export const streamDefaults = {
  /** Teams takes one piece of a stream a second; each reads as one step of typing. */
  flushMs: 1600,
  /** Teams ends a stream after two minutes. */
  lifeMs: 105_000,
}

/** Longest informative update that Teams takes. */
const longestInform = 1000
const clearMs = 2000
const mostStarts = 3
const firstPhase = 'Writing the answer'

export type StreamParts = {
  connector: Connector
  conversation: string
  /** Told the id before anything else is sent. @throws when another run has taken over: nothing is shown then. */
  started(id: string | null): Promise<void>
  log: Logger
  timing?: Partial<typeof streamDefaults>
}

/**
 * The one streamed message of a reply in a personal chat: what is being done, then the text as it grows, then its final
 * form. `inform` and `write` are best effort and never throw; what they could not show, `finish` does.
 */
export type Stream = {
  /** `stopped`: the person pressed Stop, and wants no more. `over`: Teams takes no more pieces; `id` is a message like any other. */
  readonly state: 'idle' | 'open' | 'stopped' | 'over'
  readonly id: string | null
  /** The text that people see of it so far. All that follows begins with it. */
  readonly text: string
  /** Teams will end it soon. */
  readonly isLate: boolean
  inform(text: string): void
  write(text: string): Promise<void>
  /** Waits for the piece that is on its way; no phase follows it. */
  settle(): Promise<void>
  /** Ends an open stream, once it has settled, with its final message; `refused` when Teams did not take it. @throws what `Connector.send` throws */
  finish(activity: Activity): Promise<'shown' | 'stopped' | 'refused'>
  /** Takes a stream away that shows no text yet. */
  drop(): Promise<void>
}

export function createStream(parts: StreamParts): Stream {
  const { connector, conversation } = parts
  const timing = { ...streamDefaults, ...parts.timing }
  let state: Stream['state'] = 'idle'
  let id: string | null = null
  let text = ''
  let sequence = 0
  let startedAt = 0
  let sentAt = 0
  let failures = 0
  let waiting: string | null = null
  let chain: Promise<void> = Promise.resolve()

  /** One piece after the other, each with the next number. A piece that fails is not sent again: the next one holds it. */
  async function push(streamType: 'informative' | 'streaming', piece: string): Promise<void> {
    if (state !== 'idle' && state !== 'open') return
    try {
      if (id === null) await parts.started(null)
      const info = { streamType, ...(id !== null && { streamId: id }), streamSequence: ++sequence }
      const sent = await connector.send(conversation, toPiece(piece, info), { once: true })
      sentAt = Date.now()
      if (streamType === 'streaming') text = piece
      if (id !== null) return
      state = 'open'
      startedAt = sentAt
      id = sent
      noteMoment('stream shown')
      await parts.started(id)
    } catch (error) {
      sentAt = Date.now() + timing.flushMs
      parts.log.info({ err: error, sequence }, 'piece of a stream not shown')
      if (isFinal(error)) state = toState(error)
      if (id !== null) return
      // Nothing has begun that the numbers could go on from; and where it never does, one message is shown instead.
      sequence = 0
      if (++failures === mostStarts) state = 'over'
    }
  }

  function toState(error: unknown): Stream['state'] {
    return /cancel/i.test(refusalOf(error)?.message ?? '') ? 'stopped' : 'over'
  }

  async function finishOnce(activity: Activity, streamId: string): Promise<'shown' | 'stopped' | 'refused'> {
    try {
      await connector.send(conversation, toFinal(activity, streamId))
      return 'shown'
    } catch (error) {
      if (!isFinal(error)) throw error
      const said = refusalOf(error)?.message ?? ''
      if (/completed/i.test(said)) return 'shown'
      return /cancel/i.test(said) ? 'stopped' : 'refused'
    }
  }

  return {
    get state() {
      return state
    },
    get id() {
      return id
    },
    get text() {
      return text
    },
    get isLate() {
      return state === 'open' && Date.now() - startedAt >= timing.lifeMs
    },
    inform(next) {
      if (text !== '' || (state !== 'idle' && state !== 'open')) return
      const isQueued = waiting !== null
      waiting = next.slice(0, longestInform)
      if (isQueued) return
      chain = chain.then(async () => {
        await wait(Math.max(0, sentAt + timing.flushMs - Date.now()))
        const latest = waiting
        waiting = null
        if (latest !== null && text === '') await push('informative', latest)
      })
    },
    async write(next) {
      // A phase that has not been shown yet is over.
      waiting = null
      await chain
      if (Date.now() - sentAt < timing.flushMs || next === text || next.trim() === '') return
      // A stream that begins unseen, for its answer is lost or its run dies, then holds no text that a person would read twice.
      if (id === null) await push('informative', firstPhase)
      else await push('streaming', next)
    },
    async settle() {
      waiting = null
      await chain
    },
    async finish(activity) {
      if (state === 'stopped') return 'stopped'
      if (state !== 'open' || id === null) return 'refused'
      let outcome: 'shown' | 'stopped' | 'refused'
      try {
        outcome = await finishOnce(activity, id)
      } catch (error) {
        // A stream ends once: asking again tells whether it has.
        if (!isUnknown(error)) throw error
        outcome = await finishOnce(activity, id)
      }
      state = outcome === 'stopped' ? 'stopped' : 'over'
      return outcome
    },
    async drop() {
      waiting = null
      const gone = chain.then(async () => {
        if (state !== 'open' || id === null || text !== '') return
        state = 'over'
        await connector.remove(conversation, id, { once: true })
        await parts.started(null)
      })
      // Best effort: Teams takes it away by itself, and the turn has better things to do than to wait.
      await Promise.race([gone.catch((error: unknown) => parts.log.info({ err: error }, 'stream not taken away')), wait(clearMs)])
    },
  }
}

function toPiece(text: string, info: StreamInfo): Activity {
  return { type: 'typing', text, textFormat: 'markdown', entities: [streamEntity(info)], channelData: { ...info } }
}

/** The last message of a stream: it has no number. */
export function toFinal(activity: Activity, streamId: string): Activity {
  const info = { streamType: 'final', streamId } as const
  return { ...activity, entities: [streamEntity(info), ...(activity.entities ?? [])], channelData: { ...info, ...activity.channelData } }
}
