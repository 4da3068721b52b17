import type { Logger } from 'pino'
import { NuraError } from '#db/nura-error.ts'
import { noteMoment } from '#server/tracing/span.ts'
import { toPages } from '../pages.ts'
import type { Place, Shown } from '../platform.ts'
import { markdownBlock, sectionBlock } from './blocks.ts'
import type { Block } from './blocks.ts'
import { isFinal, refusalOf } from './call.ts'
import type { SlackCall, SlackResult } from './call.ts'

/** Event type of the metadata by which Nura finds its own reply again. */
export const metadataType = 'nura_answer'

export type ReplyParts = {
  call: SlackCall
  place: Place
  /** Who asked: Slack wants to know for whom a stream in a channel is. */
  recipient: string
  botUserId: string
  /** The message that is answered. */
  questionId: string
  inboxId: string
  shown: Shown
  /** An earlier run may have posted without having noted it. */
  mayHavePosted: boolean
  /** A message of it that somebody deleted stays away. */
  staysDeleted?: boolean
  log: Logger
}

/** The visible messages of one reply, in order. Page numbers count from 0; each is posted once and then only changed. */
export type Reply = {
  /** True when something of this reply was already visible before this run. */
  resume(): Promise<boolean>
  readonly size: number
  /** Makes page `index` read exactly this, posting it if it is not there. */
  put(index: number, markdown: string, blocks: Block[], signal?: AbortSignal): Promise<void>
  /** Opens page `size` as a stream. */
  open(markdown: string): Promise<void>
  append(markdown: string): Promise<void>
  /** Ends the stream of the last page. */
  end(markdown: string, blocks: Block[]): Promise<void>
  /** Removes the pages from `index` on. */
  removeFrom(index: number): Promise<void>
}

const quiet = { unfurl_links: false, unfurl_media: false, link_names: false }

export function createReply(parts: ReplyParts): Reply {
  const { call, place } = parts
  let pages = [...parts.shown.messages]
  let searched = !parts.mayHavePosted
  const at = { channel: place.channel, thread_ts: place.root }
  const metadata = (page: number) => ({ event_type: metadataType, event_payload: { inbox_id: parts.inboxId, page } })

  /** Nothing is shown by a run that another one has overtaken. */
  const fence = () => parts.shown.save(pages)

  async function note(ts: unknown, index: number): Promise<void> {
    if (typeof ts !== 'string') throw new NuraError('slack-unknown-outcome', 'Slack did not name the message it posted.', { retryable: true })
    pages[index] = ts
    noteMoment('page shown', { 'nura.page': index + 1 })
    await parts.shown.save(pages)
  }

  /** Finds what an earlier run posted: by its metadata, or, for a stream that was never ended, by being ours and unmarked. */
  async function find(): Promise<void> {
    searched = true
    const result = await call('conversations.replies', { channel: place.channel, ts: place.root, oldest: parts.questionId, limit: 100, include_all_metadata: true })
    const found: string[] = []
    for (const message of readMessages(result)) {
      if (message.user !== parts.botUserId || message.ts <= parts.questionId) continue
      const payload = message.metadata?.event_type === metadataType ? message.metadata.event_payload : null
      if (payload?.inbox_id === parts.inboxId) found[payload.page ?? found.length] ??= message.ts
      else if (!payload && found.length === 0) found[0] = message.ts
    }
    if (found[0] !== undefined) {
      pages = found.filter((ts) => ts !== undefined)
      await parts.shown.save(pages)
    }
  }

  async function post(index: number, markdown: string, blocks: Block[], signal?: AbortSignal): Promise<void> {
    await fence()
    const message = { ...at, ...quiet, text: toFallback(markdown), blocks: [markdownBlock(markdown), ...blocks], metadata: metadata(index) }
    for (let tries = 0; ; tries++) {
      try {
        return await note((await call('chat.postMessage', message, { signal })).ts, index)
      } catch (error) {
        if (isTooLong(error)) return await postPlain(index, markdown, blocks, error)
        if (!isUnknown(error) || tries > 0) throw error
        await find()
        if (pages[index] !== undefined) return
      }
    }
  }

  /** Slack's limits are its own: what it still refuses goes out as plain text in small pieces rather than not at all. */
  async function postPlain(index: number, markdown: string, blocks: Block[], cause: unknown): Promise<void> {
    parts.log.warn({ length: markdown.length, refusal: refusalOf(cause) }, 'slack refused a reply as too long')
    const pieces = toPages(markdown, { first: 2900, next: 2900, blocks: 1000 })
    for (const [offset, piece] of pieces.entries()) {
      const last = offset === pieces.length - 1
      const sent = await call('chat.postMessage', { ...at, ...quiet, text: piece.markdown, ...(last && blocks.length > 0 ? { blocks: [sectionBlock(piece.markdown), ...blocks] } : {}), metadata: metadata(index + offset) })
      await note(sent.ts, index + offset)
    }
  }

  async function update(ts: string, markdown: string, blocks: Block[], signal?: AbortSignal): Promise<void> {
    await fence()
    // A stream that its run never ended takes no update; ending one that has ended is refused and harmless.
    await call('chat.stopStream', { channel: place.channel, ts }).catch(() => undefined)
    const index = pages.indexOf(ts)
    await call('chat.update', { channel: place.channel, ts, ...quiet, text: toFallback(markdown), blocks: [markdownBlock(markdown), ...blocks], metadata: metadata(index) }, { signal })
  }

  return {
    get size() {
      return pages.length
    },
    async resume() {
      if (pages.length === 0 && !searched) await find()
      return pages.length > 0
    },
    async put(index, markdown, blocks, signal) {
      const ts = pages[index]
      if (ts === undefined) return await post(index, markdown, blocks, signal)
      try {
        await update(ts, markdown, blocks, signal)
      } catch (error) {
        if (parts.staysDeleted) throw error
        // Somebody deleted our message: the answer is still owed.
        if (refusalOf(error) !== 'message_not_found' && refusalOf(error) !== 'cant_update_message') throw error
        await post(index, markdown, blocks, signal)
      }
    },
    async open(markdown) {
      await fence()
      const target = place.direct ? {} : { recipient_user_id: parts.recipient, recipient_team_id: place.workspace }
      const started = await call('chat.startStream', { ...at, ...target, markdown_text: markdown }).catch((error: unknown) => {
        // It may be there all the same: the next `resume` looks.
        searched = searched && !isUnknown(error)
        throw error
      })
      await note(started.ts, pages.length)
    },
    async append(markdown) {
      await call('chat.appendStream', { channel: place.channel, ts: pages.at(-1), markdown_text: markdown })
    },
    async end(markdown, blocks) {
      await fence()
      const index = pages.length - 1
      await call('chat.stopStream', { channel: place.channel, ts: pages[index], ...(markdown ? { markdown_text: markdown } : {}), ...(blocks.length > 0 ? { blocks } : {}), metadata: metadata(index) })
    },
    async removeFrom(index) {
      for (const ts of pages.slice(index).reverse()) {
        await call('chat.stopStream', { channel: place.channel, ts }).catch(() => undefined)
        await call('chat.delete', { channel: place.channel, ts }).catch((error: unknown) => {
          if (!isFinal(error)) throw error
        })
      }
      if (index < pages.length) {
        pages = pages.slice(0, index)
        await parts.shown.save(pages)
      }
    },
  }
}

type OwnMessage = { ts: string; user?: string; metadata?: { event_type?: string; event_payload?: { inbox_id?: string; page?: number } } }

function readMessages(result: SlackResult): OwnMessage[] {
  return Array.isArray(result.messages) ? (result.messages as OwnMessage[]).filter((message) => typeof message?.ts === 'string') : []
}

/** What a notification and a screen reader get. */
export function toFallback(markdown: string): string {
  const plain = markdown.replace(/\[\[(\d+)\]\]\([^)]*\)/g, '[$1]').replace(/[*_#>`]/g, '').trim()
  return plain.length > 300 ? `${plain.slice(0, 297)}…` : plain || 'Nura'
}

export function isUnknown(error: unknown): boolean {
  return error instanceof NuraError && error.code === 'slack-unknown-outcome'
}

export function isTooLong(error: unknown): boolean {
  return ['msg_too_long', 'msg_blocks_too_long', 'invalid_blocks', 'invalid_blocks_format'].includes(refusalOf(error) ?? '')
}
