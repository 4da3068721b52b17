import type { Logger } from 'pino'
import { NuraError } from '#db/nura-error.ts'
import { noteMoment } from '#server/tracing/span.ts'
import { toPages } from '../pages.ts'
import type { Place, Shown } from '../platform.ts'
import { markdownBlock, sectionBlock } from './blocks.ts'
import type { Block } from './blocks.ts'
import { isFinal, refusalOf } from './call.ts'
import type { SlackCall, SlackResult } from './call.ts'
import { plainBlocks } from './plain-blocks.ts'
import type { TaskChunk } from './plan.ts'
import { uploadFile } from './upload-file.ts'
import type { Upload } from './upload-file.ts'

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
  /** Slack's ids of the files it shows, in the order they were uploaded in. */
  readonly files: readonly string[]
  /** Makes page `index` read exactly this, posting it if it is not there. */
  put(index: number, markdown: string, blocks: Block[], signal?: AbortSignal): Promise<void>
  /** Makes page `index`, which is there, read exactly this; blocks that Slack refuses are an error, and the page stays as it is. */
  change(index: number, markdown: string, blocks: Block[]): Promise<void>
  /** Opens page `size` as a stream; with `tasks`, as one that shows a plan. */
  open(markdown: string, tasks?: TaskChunk[]): Promise<void>
  /** `tasks` are for a stream that shows a plan; every other one has no place for them. */
  append(markdown: string, tasks?: TaskChunk[]): Promise<void>
  /** Ends the stream of the last page. */
  end(markdown: string, blocks: Block[], tasks?: TaskChunk[]): Promise<void>
  /** Hands Slack a file for a page to show. @returns its id */
  upload(file: Upload): Promise<string>
  /** Takes away every file that this reply has shown. */
  dropFiles(): Promise<void>
  /** Removes the pages from `index` on. */
  removeFrom(index: number): Promise<void>
}

const quiet = { unfurl_links: false, unfurl_media: false, link_names: false }

export function createReply(parts: ReplyParts): Reply {
  const { call, place } = parts
  let pages = parts.shown.messages.filter((id) => !isFileId(id))
  /** Noted beside the messages, so that who takes over the reply takes over its pictures. */
  let files = parts.shown.messages.filter(isFileId)
  /** The stream of the last page takes chunks: it shows a plan. */
  let chunked = false
  let searched = !parts.mayHavePosted
  const at = { channel: place.channel, thread_ts: place.root }
  const metadata = (page: number) => ({ event_type: metadataType, event_payload: { inbox_id: parts.inboxId, page } })

  /** Nothing is shown by a run that another one has overtaken. */
  const fence = () => parts.shown.save([...pages, ...files])

  async function note(ts: unknown, index: number): Promise<void> {
    if (typeof ts !== 'string') throw new NuraError('slack-unknown-outcome', 'Slack did not name the message it posted.', { retryable: true })
    pages[index] = ts
    noteMoment('page shown', { 'nura.page': index + 1 })
    await fence()
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
      await fence()
    }
  }

  async function post(index: number, markdown: string, blocks: Block[], signal?: AbortSignal): Promise<void> {
    await fence()
    const message = { ...at, ...quiet, text: toFallback(markdown), blocks: toBlocks(markdown, blocks), metadata: metadata(index) }
    for (let tries = 0; ; tries++) {
      try {
        return await note((await call('chat.postMessage', message, { signal })).ts, index)
      } catch (error) {
        const plainer = isBlockRefusal(error) ? toPlainer(blocks, error) : null
        if (plainer !== null) return await post(index, markdown, plainer, signal)
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

  /** What may be tried in place of blocks that Slack has refused; null when they are plain already. */
  function toPlainer(blocks: Block[], cause: unknown): Block[] | null {
    const plainer = plainBlocks(blocks)
    if (plainer.every((block) => blocks.includes(block)) && plainer.length === blocks.length) return null
    parts.log.warn({ refusal: refusalOf(cause), blocks: blocks.map(({ type }) => type) }, 'slack refused blocks: shown as plain ones')
    return plainer
  }

  async function update(ts: string, markdown: string, blocks: Block[], signal?: AbortSignal): Promise<void> {
    await fence()
    await endStream(ts)
    await set(ts, markdown, blocks, signal).catch(async (error: unknown) => {
      const plainer = isBlockRefusal(error) ? toPlainer(blocks, error) : null
      if (plainer === null) throw error
      await set(ts, markdown, plainer, signal)
    })
  }

  /** A stream that its run never ended takes no update. Ending one that has ended is refused and harmless, so what got lost is said again. */
  async function endStream(ts: string): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        return void (await call('chat.stopStream', { channel: place.channel, ts }))
      } catch (error) {
        if (refusalOf(error) !== null) return
        if (!isUnknown(error) || tries >= 2) throw error
      }
    }
  }

  async function set(ts: string, markdown: string, blocks: Block[], signal?: AbortSignal): Promise<void> {
    const index = pages.indexOf(ts)
    await call('chat.update', { channel: place.channel, ts, ...quiet, text: toFallback(markdown), blocks: toBlocks(markdown, blocks), metadata: metadata(index) }, { signal })
  }

  /** Text and cards as the stream of the last page takes them. */
  function toPiece(markdown: string, tasks: TaskChunk[]): Record<string, unknown> {
    if (!chunked) return markdown ? { markdown_text: markdown } : {}
    const chunks = [...tasks, ...(markdown ? [{ type: 'markdown_text', text: markdown }] : [])]
    return chunks.length > 0 ? { chunks } : {}
  }

  return {
    get size() {
      return pages.length
    },
    get files() {
      return files
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
    async change(index, markdown, blocks) {
      await fence()
      await set(pages[index] ?? '', markdown, blocks)
    },
    async open(markdown, tasks = []) {
      await fence()
      chunked = tasks.length > 0
      const target = place.direct ? {} : { recipient_user_id: parts.recipient, recipient_team_id: place.workspace }
      const started = await call('chat.startStream', { ...at, ...target, ...(chunked ? { task_display_mode: 'plan' } : {}), ...toPiece(markdown, tasks) }).catch((error: unknown) => {
        // It may be there all the same: the next `resume` looks.
        searched = searched && !isUnknown(error)
        throw error
      })
      await note(started.ts, pages.length)
    },
    async append(markdown, tasks = []) {
      const piece = toPiece(markdown, tasks)
      if (Object.keys(piece).length > 0) await call('chat.appendStream', { channel: place.channel, ts: pages.at(-1), ...piece })
    },
    async end(markdown, blocks, tasks = []) {
      await fence()
      const index = pages.length - 1
      const end = async (below: Block[]) =>
        void (await call('chat.stopStream', { channel: place.channel, ts: pages[index], ...toPiece(markdown, tasks), ...(below.length > 0 ? { blocks: below } : {}), metadata: metadata(index) }))
      await end(blocks).catch(async (error: unknown) => {
        const plainer = isBlockRefusal(error) ? toPlainer(blocks, error) : null
        if (plainer === null) throw error
        await end(plainer)
      })
    },
    async upload(file) {
      return await uploadFile(call, file, async (id) => {
        files.push(id)
        await fence()
      })
    },
    async dropFiles() {
      if (files.length === 0) return
      for (const file of files) {
        await call('files.delete', { file }).catch((error: unknown) => parts.log.warn({ refusal: refusalOf(error) }, 'picture of a reply not deleted'))
      }
      files = []
      await fence()
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
        await fence()
      }
    },
  }
}

type OwnMessage = { ts: string; user?: string; metadata?: { event_type?: string; event_payload?: { inbox_id?: string; page?: number } } }

function readMessages(result: SlackResult): OwnMessage[] {
  return Array.isArray(result.messages) ? (result.messages as OwnMessage[]).filter((message) => typeof message?.ts === 'string') : []
}

/** Slack takes no empty text: an answer may be all report. */
function toBlocks(markdown: string, blocks: Block[]): Block[] {
  return markdown === '' ? blocks : [markdownBlock(markdown), ...blocks]
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
  return isBlockRefusal(error) || ['msg_too_long', 'msg_blocks_too_long'].includes(refusalOf(error) ?? '')
}

/** Slack does not take some block: a kind that it has not got there, a file it has not looked at, a second table. */
export function isBlockRefusal(error: unknown): boolean {
  return ['invalid_blocks', 'invalid_blocks_format', 'invalid_attachments'].includes(refusalOf(error) ?? '')
}

/** Slack names files `F…` and messages by their moment. */
function isFileId(id: string): boolean {
  return id.startsWith('F')
}
