import type { Logger } from 'pino'
import { NuraError } from '#db/nura-error.ts'
import type { AnswerDone, AnswerPart, Citation, Report, Step } from '#server/answer-part.ts'
import { createRef } from '#server/errors.ts'
import { openFence } from '../fences.ts'
import type { Delivered } from '../platform.ts'
import { texts } from '../texts.ts'
import { withTicks } from '../with-ticks.ts'
import type { Activity } from './activity.ts'
import { retryCard } from './cards.ts'
import { generated, pageRoom, spoken, toAnswer, toTexts } from './pieces.ts'
import { createTeamsProse, settledTeamsLength } from './prose.ts'
import type { Reply } from './reply.ts'
import type { Stream } from './stream.ts'

export const renderDefaults = {
  /** Looks this often whether something waits to be shown. */
  tickMs: 400,
}

export const longText = 'This takes longer than usual. The answer follows below.'

export type RenderOptions = {
  inboxId: string
  /** The answer replaces an earlier one: the footer says «updated». */
  updated: boolean
  /** A question that no model answers will be tried again by itself. */
  retries: boolean
  /** A source of the answer has changed since: it offers to check again. */
  outdated?: boolean
  /** Said below the answer, such as what could not be read. */
  notes: string[]
  /** What to set above the answer, so that people know what it answers; null for nothing. */
  quote(): string | null
  signal: AbortSignal
  status(text: string): void
  log: Logger
  timing?: Partial<typeof renderDefaults>
}

/**
 * Renders an answer into Teams messages. In a personal chat it streams: each piece extends the one before, and the last
 * one brings sources, figures and buttons; what a stream has no time or room for comes in the next message. Elsewhere, and
 * where something of the reply stands already, it is shown whole at the end. However the parts end, the reply ends visibly.
 *
 * @param stream null where nothing may be streamed.
 */
export async function render(parts: AsyncIterable<AnswerPart>, reply: Reply, stream: Stream | null, options: RenderOptions): Promise<Delivered> {
  const timing = { ...renderDefaults, ...options.timing }
  const citations = new Map<number, Citation>()
  const reports: Report[] = []
  const steps = new Map<string, Step>()
  const prose = createTeamsProse(citations)
  /** The answer so far as Teams shows it; `raw` is what has not settled yet. */
  let text = ''
  let raw = ''
  /** Where the text goes on after a stream that had to end before it; the messages before that stand. */
  let rest: { at: number; from: number } | null = null

  const settle = (all: boolean) => {
    const length = all ? raw.length : settledTeamsLength(raw, openFence(text) !== null)
    const turned = prose.turn(raw.slice(0, length))
    text += text === '' ? turned.trimStart() : turned
    raw = raw.slice(length)
  }

  try {
    for await (const part of withTicks(parts, timing.tickMs)) {
      options.signal.throwIfAborted()
      if (part === 'tick') await flush()
      else if (part.kind === 'status') options.status(part.text)
      else if (part.kind === 'step') tellStep(part.step)
      else if (part.kind === 'citation') citations.set(part.citation.n, part.citation)
      else if (part.kind === 'report') reports.push(part.report)
      else if (part.kind === 'text') {
        raw += part.markdown
        settle(false)
        await flush()
      } else if (part.kind === 'done') return await finish(part)
      else return await fail(part)
      // Whoever presses Stop wants no more of it, and Teams shows none.
      if (stream?.state === 'stopped') return await stopped()
    }
    return await fail({ kind: 'error', code: 'stream-ended', message: 'The answer stopped half-way.', retryable: true, ref: createRef() })
  } catch (error) {
    if (options.signal.aborted) {
      await abandon(options.signal.reason)
      throw options.signal.reason
    }
    throw error
  }

  function tellStep(step: Step): void {
    steps.set(step.id, step)
    if (step.state !== 'running') return
    const place = [...steps.keys()].indexOf(step.id) + 1
    options.status(steps.size > 1 ? `Step ${place} of ${steps.size}: ${step.title}` : step.title)
  }

  async function flush(): Promise<void> {
    if (!stream || rest) return
    if (stream.isLate) return await endEarly(stream)
    if (text.length <= pageRoom - 100 && text.trim() !== '') await stream.write(text)
  }

  /** Teams is about to end the stream: it becomes a message, and the rest of the answer another one. */
  async function endEarly(open: Stream): Promise<void> {
    await open.settle()
    const shown = open.text
    const ended = await end(open, shown === '' ? spoken(longText) : generated(toTexts(`${shown}\n\n_[Continued below]_`, shown.length)[0]!, [...citations.values()]))
    if (ended === 'shown') rest = { at: shown.length, from: 1 }
  }

  async function end(open: Stream, activity: Activity): Promise<'shown' | 'stopped' | 'refused'> {
    const outcome = await open.finish(activity)
    if (outcome !== 'refused' && open.id !== null) await reply.noteEnd(open.id)
    return outcome
  }

  async function finish(done: AnswerDone): Promise<Delivered> {
    settle(true)
    const quote = stream ? null : options.quote()
    if (quote) text = `> ${createTeamsProse(new Map()).turn(quote.replace(/\s+/g, ' ').slice(0, 200))}\n\n${text}`
    const notes = options.notes.map((note) => `\n\n_${note}_`).join('')
    const cited = [...prose.cited].map((n) => citations.get(n)).filter((citation) => citation !== undefined)
    const card = { inboxId: options.inboxId, now: Date.now(), updated: options.updated, outdated: options.outdated === true }
    const outcome = await close((pages) => toAnswer(pages, done, cited, reports, card), notes)
    if (outcome === 'stopped') return await stopped()
    return { outcome: done.abstained ? 'abstained' : 'answered', answerId: done.answerId, agent: done.agent, notes: options.notes }
  }

  async function fail(part: Extract<AnswerPart, { kind: 'error' }>): Promise<Delivered> {
    // Nothing went wrong that somebody would look up.
    const ref = part.code === 'too-many-requests' ? '' : ` Ref ${part.ref}`
    const line = `${part.message.replace(/\s+/g, ' ').slice(0, 300)}${ref}`
    await stream?.settle()
    const wasShown = (stream?.text ?? '') !== ''
    if (!wasShown) text = raw = ''
    if (!wasShown && options.retries && part.retryable && (part.code === 'model-unavailable' || part.code === 'model-interrupted')) {
      await close((pages) => pages.map((page) => spoken(page)), part.code === 'model-interrupted' ? texts.askingAgain : texts.waiting)
      return { outcome: 'waiting', code: part.code }
    }
    settle(true)
    const outcome = await close(
      (pages) => pages.map((page, index) => ({ ...(wasShown ? generated(page, [...citations.values()]) : spoken(page)), ...(part.retryable && index === pages.length - 1 && { attachments: [retryCard(options.inboxId)] }) })),
      wasShown ? `\n\n_[Interrupted before completion]_\n\n${line}` : line,
    )
    if (outcome === 'stopped') return await stopped()
    return { outcome: wasShown ? 'interrupted' : 'failed', code: part.code }
  }

  /** Shows the whole text with `tail`, and takes away what an earlier run left over. */
  async function close(toActivities: (pages: string[]) => Activity[], tail: string): Promise<'shown' | 'stopped'> {
    await stream?.settle()
    if (rest) {
      // A fence that the first message closed goes on in the next one.
      const open = openFence(text.slice(0, rest.at))
      await reply.show(toActivities(toTexts((open ? `${open.opener}\n` : '') + (text.slice(rest.at) + tail).trimStart())), rest.from)
      return 'shown'
    }
    if (stream?.state === 'open') {
      const activities = toActivities(toTexts(text + tail, stream.text.length))
      const outcome = await end(stream, activities[0]!)
      if (outcome === 'stopped') return 'stopped'
      // One that Teams refused is a message by now, or none: `show` finds out.
      await reply.show(outcome === 'shown' ? activities.slice(1) : activities, outcome === 'shown' ? 1 : 0)
      return 'shown'
    }
    if (stream?.state === 'stopped') return 'stopped'
    await reply.show(toActivities(toTexts(text + tail)))
    return 'shown'
  }

  async function stopped(): Promise<Delivered> {
    if (stream?.id) await reply.noteEnd(stream.id)
    return { outcome: 'interrupted', code: 'stopped' }
  }

  /** The turn was called off. What is visible says so; where another run is about to replace it, it only stops to grow. */
  async function abandon(reason: unknown): Promise<void> {
    const isStopped = reason instanceof NuraError && reason.code === 'stopped'
    const shown = stream?.text ?? ''
    if (!isStopped && (shown === '' || rest)) return
    text = shown
    raw = ''
    const tail = isStopped ? (shown === '' ? 'Stopped.' : '\n\n_[Stopped]_') : '\n\n_[Interrupted]_'
    await close((pages) => pages.map((page) => (shown === '' ? spoken(page) : generated(page, [...citations.values()]))), tail).catch((error: unknown) => options.log.warn({ err: error }, 'stop mark not shown'))
  }
}
