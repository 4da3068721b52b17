import type { Logger } from 'pino'
import { noteMoment } from '#server/tracing/span.ts'
import type { Shown } from '../platform.ts'
import type { Activity } from './activity.ts'
import { retryCard } from './cards.ts'
import { isFinal, isUnknown, refusalOf } from './connector.ts'
import type { Connector } from './connector.ts'
import { toFinal } from './stream.ts'

export const lostText = 'I could not find out whether my answer arrived here. If you do not see it above, press Retry.'

/**
 * What the inbox row remembers of a message, beside plain ids. Teams has no way to look for a message that was posted, so
 * `unsure` is written before one is: a run that finds it does not know whether people see that message.
 */
const unsure = '?'
const streamMark = 'stream:'
const noticeMark = 'notice:'

export type ReplyParts = {
  connector: Connector
  conversation: string
  inboxId: string
  shown: Shown
  /** A message of it that somebody deleted stays away. */
  staysDeleted?: boolean
  log: Logger
}

/** The visible messages of one reply, in order. Each is posted once and then only changed. */
export type Reply = {
  /** Something of it is, or may be, visible already. */
  readonly isResumed: boolean
  /** Notes the stream that shows the first message; null when there is none any more. */
  noteStream(id: string | null): Promise<void>
  /** The stream has become a message. */
  noteEnd(id: string): Promise<void>
  /** Makes the messages from `from` on read exactly so, and says so where one may be missing. */
  show(activities: Activity[], from?: number, signal?: AbortSignal): Promise<void>
  /** Takes all of it away. */
  retract(): Promise<void>
}

export function createReply(parts: ReplyParts): Reply {
  const { connector, conversation } = parts
  let pages = [...parts.shown.messages]
  const isResumed = pages.length > 0

  /** Refuses when another run has overtaken this one: nothing may be shown then. */
  const save = async (next: string[] = pages) => {
    pages = next
    await parts.shown.save(pages)
  }
  const saveAt = (index: number, page: string) => save([...pages.slice(0, index), page, ...pages.slice(index + 1)])

  async function post(index: number, activity: Activity, signal?: AbortSignal): Promise<void> {
    await saveAt(index, unsure)
    let id: string
    try {
      id = await connector.send(conversation, activity, { ...(signal && { signal }) })
    } catch (error) {
      if (isUnknown(error)) return parts.log.warn({ err: error, page: index + 1 }, 'a message may or may not be visible')
      // Every other failure says that it is not there.
      await save(pages.slice(0, index))
      throw error
    }
    await saveAt(index, id)
    noteMoment('page shown', { 'nura.page': index + 1 })
  }

  async function put(index: number, activity: Activity, signal?: AbortSignal): Promise<void> {
    const page = pages[index]
    if (page === undefined) return await post(index, activity, signal)
    if (page === unsure) return
    if (page.startsWith(streamMark)) return await endLeftStream(index, page.slice(streamMark.length), activity)
    await save()
    try {
      await connector.update(conversation, page, activity, { ...(signal && { signal }) })
    } catch (error) {
      if (parts.staysDeleted || !isMissing(error)) throw error
      // Somebody deleted our message: the answer is still owed.
      await post(index, activity, signal)
    }
  }

  /** A stream that its run never ended: Teams may still have it open, or has made a message of it. */
  async function endLeftStream(index: number, id: string, activity: Activity): Promise<void> {
    await save()
    const ways = [() => connector.send(conversation, toFinal(activity, id)), () => connector.update(conversation, id, activity)]
    for (const way of ways) {
      try {
        await way()
        return await saveAt(index, id)
      } catch (error) {
        if (isUnknown(error)) continue
        if (!isFinal(error)) throw error
      }
    }
    await connector.remove(conversation, id).catch((error: unknown) => parts.log.info({ err: error }, 'left stream not taken away'))
    await post(index, activity)
  }

  async function remove(page: string): Promise<void> {
    if (page === unsure) return
    await connector.remove(conversation, page.replace(/^(stream|notice):/, '')).catch((error: unknown) => {
      if (!isFinal(error)) throw error
    })
  }

  async function removeFrom(index: number): Promise<void> {
    for (const page of pages.slice(index).reverse()) await remove(page)
    if (index < pages.length) await save(pages.slice(0, index))
  }

  /** Who runs a reply again whose notice stands was asked to by a click: they do not see the message. */
  async function forgetUnsure(): Promise<void> {
    const notice = pages.findIndex((page) => page.startsWith(noticeMark))
    if (notice < 0) return
    const first = pages.indexOf(unsure)
    await removeFrom(notice)
    await save(first < 0 ? pages : pages.slice(0, first))
  }

  return {
    isResumed,
    noteStream: async (id) => await save(id === null ? pages.filter((page) => !page.startsWith(streamMark)) : [`${streamMark}${id}`]),
    noteEnd: async (id) => await saveAt(0, id),
    async show(activities, from = 0, signal) {
      await forgetUnsure()
      for (const [offset, activity] of activities.entries()) await put(from + offset, activity, signal)
      await removeFrom(from + activities.length)
      if (!pages.includes(unsure)) return
      const notice = await connector.send(conversation, { type: 'message', text: lostText, attachments: [retryCard(parts.inboxId)] })
      await save([...pages, `${noticeMark}${notice}`])
    },
    async retract() {
      await removeFrom(0)
    },
  }
}

function isMissing(error: unknown): boolean {
  const refusal = refusalOf(error)
  return refusal !== null && (refusal.code === 'ActivityNotFoundInConversation' || refusal.status === 404)
}
