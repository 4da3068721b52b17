import type { Logger } from 'pino'
import { NuraError } from '#db/nura-error.ts'
import type { AnswerDone, AnswerPart, Citation, Report, Step } from '#server/answer-part.ts'
import { createRef } from '#server/errors.ts'
import { openFence } from '../fences.ts'
import { closeFence, cutAnywhere, cutAt, estimateBlocks, toPages } from '../pages.ts'
import type { Delivered } from '../platform.ts'
import { settledLength } from '../settled-length.ts'
import { texts } from '../texts.ts'
import { withTicks } from '../with-ticks.ts'
import { answerBlocks, retryBlock } from './blocks.ts'
import type { Block } from './blocks.ts'
import { isFinal, refusalOf } from './call.ts'
import { illustrate, keptPictures } from './illustrate.ts'
import { limits, mostBlocks } from './limits.ts'
import { createPlan } from './plan.ts'
import { createProse } from './prose.ts'
import { isUnknown } from './reply.ts'
import type { Reply } from './reply.ts'
import { reportBlocks } from './report-blocks.ts'

export const renderDefaults = {
  /** An answer shorter than this is posted whole; a longer one starts to stream. */
  streamFrom: 400,
  /** … or when it has been on the way for this long. */
  streamAfterMs: 1000,
  /** Shown at least this often, or when this much is waiting. */
  flushMs: 1000,
  flushChars: 200,
}

export type RenderOptions = {
  inboxId: string
  /** The answer replaces an earlier one: the footer says «updated». */
  updated: boolean
  /** A question that no model answers will be tried again by itself. */
  retries: boolean
  /** A source of the answer has changed since: it offers to check again. */
  outdated?: boolean
  /** An abstained answer offers to call a human. */
  mayCallHelp: boolean
  /** Said below the answer, such as what could not be read. */
  notes: string[]
  signal: AbortSignal
  status(text: string): void
  log: Logger
  timing?: Partial<typeof renderDefaults>
}

/** Slack takes one update a second of a channel. */
const editMs = 1000
/** How the cards of steps end that have not ended themselves. */
type StepsEnd = 'complete' | 'error' | 'pending'
const continued = '\n\n_[Continued below]_'

/**
 * Renders an answer into Slack messages while it arrives: short ones whole, longer ones as a stream, and what a stream
 * cannot carry any more in the next message. However the parts end, the reply ends visibly.
 *
 * `whole`: buffered, posted or updated at the end. `stream`: Slack's own streaming. `edit`: posted, then updated at most
 * once a second, where Slack refuses to stream. `repair`: a call had an unknown outcome, so the page is set anew at the end.
 *
 * Steps become the cards of a plan at the head of a stream, and the phase everywhere else. Reports stand below the text,
 * once it is whole; their charts follow when they are drawn.
 */
export async function render(parts: AsyncIterable<AnswerPart>, reply: Reply, options: RenderOptions): Promise<Delivered> {
  const timing = { ...renderDefaults, ...options.timing }
  const citations = new Map<number, Citation>()
  const prose = createProse(citations)
  const reports: Report[] = []
  const plan = createPlan()
  let mode: 'hold' | 'whole' | 'stream' | 'edit' | 'repair' = (await reply.resume()) ? 'whole' : 'hold'
  /** The answer so far as Slack Markdown; `raw` is what has not settled yet. */
  let text = ''
  let raw = ''
  /** Start of the last page in `text`, what it opens with (a fence carried over), and how far it is shown. */
  let page = { start: 0, prefix: '' }
  let shownTo = 0
  /** The reply began with a plan. */
  let hasPlan = false
  /** The last page's stream is open. */
  let isOpen = false
  /** The last message as it was ended. */
  let last = { index: 0, markdown: '' }
  let firstText = 0
  let lastFlush = 0
  let lastEdit = 0

  const settle = (all: boolean) => {
    const length = all ? raw.length : settledLength(raw, openFence(text) !== null)
    text += prose.turn(raw.slice(0, length))
    raw = raw.slice(length)
  }

  try {
    for await (const part of withTicks(parts, timing.flushMs)) {
      options.signal.throwIfAborted()
      if (part === 'tick') {
        if (text.length > shownTo || raw !== '') await flush()
        else await showPlan()
      } else if (part.kind === 'status') options.status(part.text)
      else if (part.kind === 'citation') citations.set(part.citation.n, part.citation)
      else if (part.kind === 'text') {
        if (firstText === 0) firstText = lastFlush = Date.now()
        raw += part.markdown
        settle(false)
        if (text.length - shownTo >= timing.flushChars || Date.now() - lastFlush >= timing.flushMs) await flush()
      } else if (part.kind === 'report') reports.push(part.report)
      else if (part.kind === 'step') await takeStep(part.step)
      else if (part.kind === 'done') return await finish(part)
      else return await fail(part)
    }
    return await fail({ kind: 'error', code: 'stream-ended', message: 'The answer stopped half-way.', retryable: true, ref: createRef() })
  } catch (error) {
    if (options.signal.aborted) {
      await abandon(options.signal.reason)
      throw options.signal.reason
    }
    throw error
  }

  async function flush(): Promise<void> {
    lastFlush = Date.now()
    if (text.length === shownTo || mode === 'whole' || mode === 'repair') return
    if (mode === 'hold' && text.length < timing.streamFrom && Date.now() - firstText < timing.streamAfterMs) return
    if (mode === 'hold') return await begin()
    if (mode === 'edit') return Date.now() - lastEdit < editMs ? undefined : await editPage()
    await streamOn(text.slice(shownTo))
  }

  async function begin(): Promise<void> {
    try {
      mode = 'stream'
      await streamOn(text.slice(shownTo))
    } catch (error) {
      await giveUpStream(error)
      if (mode === 'edit') await editPage()
    }
  }

  async function giveUpStream(error: unknown): Promise<void> {
    if (isFinal(error)) throw error
    options.log.warn({ refusal: refusalOf(error) }, 'slack stream could not start')
    mode = isUnknown(error) && (await adopt()) ? 'repair' : 'edit'
  }

  async function takeStep(step: Step): Promise<void> {
    plan.note(step)
    if (step.state === 'running') options.status(step.title)
    await showPlan()
  }

  /** Shows what the plan has news of, in a stream that began with it; before there is any text it may begin one. */
  async function showPlan(): Promise<void> {
    if (mode === 'hold' && text === '' && plan.isDue()) {
      mode = 'stream'
      hasPlan = true
      return await openPage('').catch(giveUpStream)
    }
    if (mode !== 'stream' || !isOpen) return
    const news = plan.takeNews()
    if (news.length === 0) return
    await reply.append('', news).catch((error: unknown) => {
      if (isFinal(error)) throw error
      options.log.warn({ refusal: refusalOf(error) }, 'slack plan ended early')
      // Its cards would stand there as if somebody worked on them: the page is set anew.
      mode = 'repair'
    })
  }

  async function openPage(markdown: string): Promise<void> {
    const isFirst = reply.size === 0
    await reply.open(markdown, !hasPlan ? [] : isFirst ? plan.takeNews() : plan.takeOpen())
    isOpen = true
  }

  /** After a call of unknown outcome: takes over what Slack has, if it has something. */
  async function adopt(): Promise<boolean> {
    return reply.size > 0 || (await reply.resume())
  }

  /** Streams `pending`, in the next message where this one is full or no longer a stream. */
  async function streamOn(pending: string): Promise<void> {
    while (pending !== '') {
      const used = shownTo - page.start + page.prefix.length
      const room = (page.start === 0 ? limits.first : limits.next) - used - 100
      const head = pending.length <= room ? pending.length : room > 0 ? cutOf(pending, room) : 0
      if (head > 0) {
        await show(page.prefix && shownTo === page.start ? page.prefix + pending.slice(0, head) : pending.slice(0, head))
        if (mode !== 'stream') return
        shownTo += head
        pending = pending.slice(head)
      }
      if (pending !== '') await turnPage()
      if (mode !== 'stream') return
    }
  }

  /** A page that shows something already leaves to the next one what only a new page has a good place to cut in. */
  function cutOf(pending: string, room: number): number {
    const at = cutAt(pending, room, limits.blocks, openFence(page.prefix + text.slice(page.start, shownTo)))
    return at === 0 && shownTo === page.start ? cutAnywhere(pending, room) : at
  }

  async function show(markdown: string): Promise<void> {
    if (!isOpen) return await openPage(markdown)
    try {
      await reply.append(markdown)
    } catch (error) {
      if (isFinal(error)) throw error
      if (isUnknown(error)) return void (mode = 'repair')
      options.log.warn({ refusal: refusalOf(error) }, 'slack stream ended early')
      if (hasPlan && plan.isOpen()) return void (mode = 'repair')
      page = { start: shownTo, prefix: reopen() }
      await openPage(page.prefix + markdown)
    }
  }

  /** Ends this message and lets the next one begin where it stopped. */
  async function turnPage(): Promise<void> {
    const open = openFence(page.prefix + text.slice(page.start, shownTo))
    const closing = open ? `${text.slice(0, shownTo).endsWith('\n') ? '' : '\n'}${open.closer}` : ''
    await endStream(closing + continued, [], 'pending')
    isOpen = false
    page = { start: shownTo, prefix: open ? `${open.opener}\n` : '' }
  }

  function reopen(): string {
    const open = openFence(page.prefix + text.slice(page.start, shownTo))
    return open ? `${open.opener}\n` : ''
  }

  async function endStream(markdown: string, blocks: Block[], steps: StepsEnd): Promise<void> {
    try {
      await reply.end(markdown, blocks, plan.leave(steps))
    } catch (error) {
      if (isFinal(error)) throw error
      mode = 'repair'
    }
  }

  async function editPage(): Promise<void> {
    lastEdit = Date.now()
    const pages = toPages(text, limits)
    for (const [index, { markdown }] of pages.entries()) {
      if (index < reply.size - 1) continue
      await reply.put(index, index < pages.length - 1 ? markdown + continued : markdown, [], options.signal)
    }
    shownTo = text.length
  }

  async function finish(done: AnswerDone): Promise<Delivered> {
    settle(true)
    const notes = options.notes.map((note) => `\n\n_${note}_`).join('')
    const counted = reports.flatMap(({ figures }) => figures.flatMap(({ n }) => n ?? []))
    const cited = [...new Set([...prose.cited, ...counted])].map((n) => citations.get(n)).filter((citation) => citation !== undefined)
    const below = answerBlocks(done, cited, { inboxId: options.inboxId, now: Date.now(), updated: options.updated, outdated: options.outdated === true, mayCallHelp: options.mayCallHelp })
    const withPictures = (pictures: ReadonlyMap<number, string>) => [...reportBlocks(reports, citations, pictures), ...below]
    await close(notes, withPictures(options.outdated ? keptPictures(reports, reply.files) : new Map()), 'complete')
    const { index, markdown } = last
    // Pieces of a page that was refused as too long stand behind it: none of them is the page.
    if (!options.outdated && reply.size === index + 1) await illustrate(reports, reply, (pictures) => reply.change(index, markdown, withPictures(pictures)), options)
    return { outcome: done.abstained ? 'abstained' : 'answered', answerId: done.answerId, agent: done.agent, notes: options.notes }
  }

  async function fail(part: Extract<AnswerPart, { kind: 'error' }>): Promise<Delivered> {
    // Nothing went wrong that somebody would look up.
    const ref = part.code === 'too-many-requests' ? '' : ` Ref ${part.ref}`
    const line = `${part.message.replace(/\s+/g, ' ').slice(0, 300)}${ref}`
    const wasShown = shownTo > 0 && mode !== 'whole'
    if (!wasShown) text = raw = ''
    if (!wasShown && options.retries && part.retryable && (part.code === 'model-unavailable' || part.code === 'model-interrupted')) {
      await close(part.code === 'model-interrupted' ? texts.askingAgain : texts.waiting, [], 'error')
      return { outcome: 'waiting', code: part.code }
    }
    const blocks = part.retryable ? [retryBlock(options.inboxId)] : []
    settle(true)
    await close(wasShown ? `\n\n_[Interrupted before completion]_\n${line}` : line, blocks, 'error')
    return { outcome: wasShown ? 'interrupted' : 'failed', code: part.code }
  }

  /** Shows the rest, then `tail` and the blocks below it, and takes away what an earlier run left over. */
  async function close(tail: string, blocks: Block[], steps: StepsEnd): Promise<void> {
    await closePages(tail, blocks, steps)
    // What is only marked as outdated keeps its pictures.
    if (!options.outdated) await reply.dropFiles()
  }

  async function closePages(tail: string, blocks: Block[], steps: StepsEnd): Promise<void> {
    const room = { ...limits, blocks: Math.min(limits.blocks, mostBlocks - blocks.length) }
    if (mode === 'stream') {
      await streamOn(text.slice(shownTo))
      const shown = page.prefix + text.slice(page.start, shownTo)
      const open = openFence(shown)
      const end = (open ? closeFence('\n', open) : '') + tail
      // With more blocks than a message takes its end would be refused: its text is cut anew.
      if (mode === 'stream' && estimateBlocks(shown + end) > room.blocks) mode = 'repair'
      if (mode === 'stream') await endStream(end, blocks, steps)
      last = { index: reply.size - 1, markdown: (shown + end).trimStart() }
      if (mode === 'stream') return
    }
    const pages = toPages(text, room)
    for (const [index, { markdown }] of pages.entries()) {
      const isLast = index === pages.length - 1
      if (isLast) last = { index, markdown: (markdown + tail).trimStart() }
      await reply.put(index, isLast ? last.markdown : markdown + continued, isLast ? blocks : [])
    }
    await reply.removeFrom(pages.length)
  }

  /** The turn was called off. What is visible says so, unless another run is about to replace it. */
  async function abandon(reason: unknown): Promise<void> {
    const code = reason instanceof NuraError ? reason.code : 'unknown'
    if (code !== 'stopped') return
    // Slack may have ended the stream itself: what it does not show yet would begin another message.
    if (mode === 'stream') text = text.slice(0, shownTo)
    else settle(true)
    const nothing = shownTo === 0 && mode !== 'whole'
    if (nothing) text = ''
    await close(nothing ? 'Stopped.' : '\n\n_[Stopped]_', [], 'error').catch((error: unknown) => options.log.warn({ err: error }, 'stop mark not shown'))
  }
}
